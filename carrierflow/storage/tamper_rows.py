"""Rows made up to be attacked: one of any table, with everything that it refers to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table

from carrierflow.storage.tables import edges, history, metadata
from carrierflow.storage.types import UtcDateTime


__all__ = ["STEPS", "Values", "family"]

MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
STEPS = (("start", "readytopick"), ("readytopick", "picking"), ("picking", "delivering"))
"""The legal steps of the lifecycle that the tries are made under."""

Values = dict[str, Any]


def family(table: Table) -> list[tuple[Table, Values]]:
    """Make up a row and what it refers to, with keys below zero, which nobody else gives out."""
    number = -random.randrange(2, 2**31)  # noqa: S311
    known: dict[Table, Values] = {}
    rows = []
    for member in metadata.sorted_tables:
        if member not in _ancestors(table):
            continue
        known[member] = _made_up(member, number, known)
        rows.append((member, known[member]))
        if member is edges and table is not edges:
            steps = [{"from_status": a, "to_status": b} for a, b in STEPS[1:]]
            rows += [(edges, known[edges] | step) for step in steps]
    return rows


def _ancestors(table: Table) -> set[Table]:
    found: set[Table] = set()
    waiting = [table]
    while waiting:
        found.add(waiting[-1])
        parents = {key.column.table for key in waiting.pop().foreign_keys}
        waiting += parents - found
    return found


def _made_up(table: Table, number: int, known: Mapping[Table, Values]) -> Values:
    row = {column.name: _filler(column, number) for column in table.columns if not column.nullable}
    if table in {edges, history}:
        row |= {"machine": "delivery", "seq": 1} if table is history else {"machine": "delivery"}
        row |= {"from_status": STEPS[0][0], "to_status": STEPS[0][1]}
    for key in table.foreign_keys:
        parent = known.get(key.column.table)
        if parent is not None:
            row[key.parent.name] = parent[key.column.name]
    return row


def _filler(column: Column[Any], number: int) -> Any:
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return MOMENT
    if isinstance(kind, Boolean):
        return False
    if isinstance(kind, Integer):
        return number if column.primary_key else 0
    if isinstance(kind, LargeBinary):
        return b""
    return f"trial{number}"[: kind.length] if isinstance(kind, String) else f"trial{number}"
