"""Entries of every kind but steps, which have chains: what each says goes to its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from carrierflow.audit.log.entry_kinds import EntryKind
from carrierflow.audit.verify.places import OTHER, Places


__all__ = ["place_name", "take_in"]


def take_in(kind: EntryKind, rows: Iterable[Sequence[Any]], places: Places) -> tuple[int, int]:
    """Write down what every row of a kind says; return how many there are and have a place."""
    count = placed = 0
    at = kind.moment_at
    for row in rows:
        count += 1
        position = row[-1]
        if position is None:
            places.wait(kind.name, row[at])
        else:
            placed += 1
            places.put(position, kind.text(row).encode(), row[at], OTHER)
    return count, placed


def place_name(kind: str, key: Sequence[Any]) -> str:
    """Name an entry by its kind and its key, as the log has them."""
    fulfillment, machine, seq, number = key
    if not machine:
        return f"{kind} {number}"
    entry = f"{machine}:{seq}:{number}" if number else f"{machine}:{seq}"
    return f"{kind} of fulfillment {fulfillment} {entry}"
