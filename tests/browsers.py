"""Whether this machine has the browser that some tests need."""

from __future__ import annotations

import shutil


__all__ = ["browserless"]

_NEEDED = ("chromium", "chromedriver")


def browserless():
    """Return a sentence for each program that the browser tests lack here."""
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    return [f"Left out: every test in a browser, because there is no {name}." for name in missing]
