"""Reading the log, or a part of it, in its order, for exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, select

from carrierflow.audit.export.format import Scope
from carrierflow.audit.log.entry_kinds import KINDS, TRANSITION, EntryKind
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import definitions, history, log


__all__ = ["Placed", "definition_texts", "scoped_entries"]

PLACES_AT_ONCE = 2_000


class Placed(NamedTuple):
    """An entry with its place."""

    kind: EntryKind
    position: int
    leaf: str
    row: Sequence[Any]
    """The columns of its text; behind them, for a step, its hash."""


def scoped_entries(connection: Connection, scope: Scope, *, size: int) -> Iterator[list[Placed]]:
    """Yield the entries of a scope among the first so many places, some thousand at once."""
    step = size if scope.fulfillment_id is not None else PLACES_AT_ONCE
    for start in range(0, size, max(1, step)):
        here = _places(start, min(size, start + step))
        there = set(connection.execute(select(here.c.kind).distinct()).scalars())
        found: list[Placed] = []
        for kind in KINDS:
            conditions = _conditions(kind, scope)
            if kind.name in there and conditions is not None:
                found += _read(connection, kind, here, conditions)
        yield sorted(found, key=itemgetter(1))


def _places(start: int, end: int) -> FromClause:
    """Return some places, cut out before anything is joined: no database goes through the rest."""
    few = log.c.position >= start, log.c.position < end
    return select(log).where(*few).order_by(log.c.position).limit(end - start).subquery()


def _read(
    connection: Connection,
    kind: EntryKind,
    here: FromClause,
    conditions: Sequence[ColumnElement[bool]],
) -> Iterator[Placed]:
    more = [history.c.hash] if kind is TRANSITION else []
    query = (
        select(here.c.position, here.c.leaf, *kind.columns(connection.dialect.name), *more)
        .select_from(kind.joined(here.join(kind.table, kind.is_placed(here))))
        .where(*conditions)
    )
    for some in streamed(connection, query, at_once=PLACES_AT_ONCE):
        for row in some:
            yield Placed(kind, row[0], row[1], row[2:])


def _conditions(kind: EntryKind, scope: Scope) -> list[ColumnElement[bool]] | None:
    """Say which entries of a kind a scope holds; None if it holds none."""
    asked: list[ColumnElement[bool]] = []
    for column, value in ((kind.shop, scope.shop), (kind.fulfillment_id, scope.fulfillment_id)):
        if value is not None and column is None:
            return None
        if value is not None and column is not None:
            asked.append(column == value)
    moment = kind.table.c[kind.moment]
    if scope.since is not None:
        asked.append(moment >= scope.since)
    if scope.until is not None:
        asked.append(moment <= scope.until)
    return asked


def definition_texts(connection: Connection) -> list[str]:
    """Return the canonical texts of all definitions."""
    query = select(definitions.c.canonical).order_by(definitions.c.number)
    return list(connection.execute(query).scalars())
