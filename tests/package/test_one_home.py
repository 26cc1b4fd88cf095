"""What is one platform's own has one home: its folder, and that of its sandbox."""

from __future__ import annotations

import re
from pathlib import Path

import carrierflow


PACKAGE = Path(carrierflow.__file__).parent

HOMES = ("platforms/haravan/", "sandbox/haravan/")

ALLOWED = ("platforms/registry.py", "sandbox/sandboxes.py")
"""Where else the name of the first platform stands: the lists of platforms and of sandboxes."""


def test_nothing_outside_its_folders_names_the_first_platform():
    """A word of a platform that is needed elsewhere comes through its profile, not by its name."""
    files = (path for path in sorted(PACKAGE.rglob("*")) if path.is_file())
    named = [
        place
        for path in files
        if "__pycache__" not in path.parts
        and not (place := path.relative_to(PACKAGE).as_posix()).startswith((*HOMES, *ALLOWED))
        and ("haravan" in place.lower() or b"haravan" in path.read_bytes().lower())
    ]

    assert [] == named


def test_every_lock_is_free_in_a_child():
    """There is one kind of lock among threads; a fork leaves none of them held for ever."""
    apart = ("domain/forking.py", "sandbox/", "demo/", "testing/")
    locks = re.compile(r"\b(?:threading\.)?R?Lock\(\)")
    named = [
        place
        for path in sorted(PACKAGE.rglob("*.py"))
        if not (place := path.relative_to(PACKAGE).as_posix()).startswith(apart)
        and locks.search(path.read_text(encoding="utf-8").replace("ProcessLock()", ""))
    ]

    assert [] == named
