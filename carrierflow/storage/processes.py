"""Which process holds something, and whether it is provably gone.

Proof is had on one and the same host alone, by Linux' `/proc`: a number that no process there
bears, or another one does by now. Elsewhere nothing is known, and a lease has to run out.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


__all__ = ["is_gone", "process_in_words", "this_process"]

PROC = Path("/proc")
DEAD = frozenset("ZXx")
"""States of a process that does nothing any more, though its number is not free yet."""


def this_process() -> str:
    """Return what tells this process from every other one: its place, its number, its start."""
    return f"{_place()}/{os.getpid()}/{_start_of(os.getpid()) or ''}"


def is_gone(holder: str | None) -> bool:
    """Tell whether a process is provably gone; False where that cannot be known from here."""
    place, number, start = _parts(holder)
    if not start or place != _place():
        return False
    return _start_of(int(number)) != start


def process_in_words(holder: str | None) -> str | None:
    """Return a process as a person would look for it."""
    place, number, _ = _parts(holder)
    return f"process {number} on {place.split('/')[0]}" if number else None


def _parts(holder: str | None) -> tuple[str, str, str]:
    place, _, rest = (holder or "").rpartition("/")
    place, _, number = place.rpartition("/")
    return (place, number, rest) if number.isdecimal() else ("", "", "")


@cache
def _place() -> str:
    """Return the host, its present boot, and the space in which process numbers are counted."""
    return f"{platform.node()[:64]}/{_boot()}/{_space()}"


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def _space() -> str:
    try:
        return str((PROC / "self/ns/pid").readlink())
    except OSError:
        return ""


def _start_of(number: int) -> str | None:
    """Return when a process began, in ticks since the boot; None if there is no such process."""
    try:
        stat = (PROC / str(number) / "stat").read_text("utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in DEAD else fields[18]
