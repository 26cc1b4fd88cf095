"""Importing much at once, and throwing nothing away meanwhile: whatever is made then stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


__all__ = ["importing"]


@contextmanager
def importing(*, alone: bool) -> Iterator[None]:
    """Let no garbage be looked for while modules are imported.

    Classes and functions are made by the hundred thousand, and none is garbage; looking at all of
    them again and again is a fifth of the time until a command begins. In a process that is `alone`
    the command's own, what there is then is never looked at again; in a host's it may be garbage.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if alone:
            gc.freeze()
        if was_on:
            gc.enable()
