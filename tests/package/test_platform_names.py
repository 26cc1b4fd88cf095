"""The tour and the commands that start sandboxes know no platform by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from carrierflow.sandbox.sandboxes import SANDBOXES


PACKAGE = Path(__file__).parents[2] / "carrierflow"
PLATFORM_FREE = (
    *sorted((PACKAGE / "demo").glob("*.py")),
    *sorted((PACKAGE / "sandbox").glob("*.py")),
    PACKAGE / "cli" / "local.py",
)
REGISTRY = PACKAGE / "sandbox" / "sandboxes.py"


@pytest.mark.parametrize("platform", list(SANDBOXES))
def test_only_the_registry_names_a_platform(platform):
    """What is common to all sandboxes and tours names none: a platform's part is in its room."""
    named = {
        path.relative_to(PACKAGE).as_posix()
        for path in PLATFORM_FREE
        if re.search(platform, path.read_text(encoding="utf-8"), re.IGNORECASE)
    }

    assert {REGISTRY.relative_to(PACKAGE).as_posix()} == named
