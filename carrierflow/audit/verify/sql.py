"""What verification reads of a live database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from carrierflow.audit.log.entry_kinds import TRANSITION, EntryKind, stamps
from carrierflow.audit.verify.replay import HeadRow
from carrierflow.domain.canonical import COLUMNS
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import (
    definitions,
    edges,
    fulfillments,
    history,
    log,
    log_nodes,
    shops,
)


__all__ = [
    "ALL_PARCELS",
    "Span",
    "definition_rows",
    "entry_rows",
    "head_row",
    "head_rows",
    "kind_rows",
    "node_rows",
    "parcel_bounds",
]

STREAM = 2_000
"""Rows that a long reading holds at once."""


class Span(NamedTuple):
    """Parcels by their numbers, from `first` on and before `end`; None for no bound."""

    first: int | None
    end: int | None

    def of(self, number: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Return the conditions that a number is of it; one that is none is of the first span."""
        bounds = [] if self.first is None else [number >= self.first]
        if self.end is not None:
            below = number < self.end
            bounds.append(or_(below, number.is_(None)) if self.first is None else below)
        return bounds


ALL_PARCELS = Span(None, None)


def parcel_bounds(connection: Connection) -> tuple[int, int]:
    """Return the smallest and the largest number of a parcel; 0 where there is none."""
    numbers = fulfillments.c.id
    first, last = connection.execute(select(func.min(numbers), func.max(numbers))).one()
    return first or 0, last or 0


def entry_rows(connection: Connection, span: Span = ALL_PARCELS) -> Iterator[Sequence[Any]]:
    """Stream the history of a span, parcel after parcel, as `verify_parcels` reads it."""
    h = history.c
    columns = stamps(connection.dialect.name, [h[name] for name in COLUMNS])
    query = (
        select(*columns, h.fulfillment, h.definition, h.hash, log.c.position)
        .select_from(history.outerjoin(log, TRANSITION.is_placed()))
        .where(*span.of(h.fulfillment))
        .order_by(h.fulfillment, h.machine, h.seq)
    )
    return chain.from_iterable(streamed(connection, query, at_once=STREAM))


def kind_rows(connection: Connection, kind: EntryKind) -> Iterator[Sequence[Any]]:
    """Stream all entries of a kind: the columns of the text, and the place."""
    query = (
        select(*kind.columns(connection.dialect.name), log.c.position)
        .select_from(kind.joined().outerjoin(log, kind.is_placed()))
        .where(kind.chosen)
        .order_by(*kind.order)
    )
    return chain.from_iterable(streamed(connection, query, at_once=STREAM))


def node_rows(connection: Connection, level: int) -> Iterator[Sequence[Any]]:
    """Stream the hashes of one level of the tree that are kept, by their places."""
    query = select(log_nodes.c.position, log_nodes.c.hash).where(log_nodes.c.level == level)
    ordered = query.order_by(log_nodes.c.position)
    return chain.from_iterable(streamed(connection, ordered, at_once=STREAM))


def head_rows(connection: Connection, span: Span = ALL_PARCELS) -> Iterator[HeadRow]:
    """Stream the heads of a span, in the order of the history's stream."""
    query = _heads().where(*span.of(fulfillments.c.id)).order_by(fulfillments.c.id)
    return map(_head_row, chain.from_iterable(streamed(connection, query, at_once=STREAM)))


def head_row(connection: Connection, parcel: int) -> HeadRow | None:
    """Return one of these heads; None if it is gone."""
    query = _heads().where(fulfillments.c.id == parcel)
    row = connection.execute(query).one_or_none()
    return None if row is None else _head_row(row)


def _heads() -> Select[Any]:
    f = fulfillments.c
    names = (f.id, shops.c.code, f.order_id, f.fulfillment_id)
    return select(*names, *(f[name] for name in HEAD)).join(shops, shops.c.id == f.shop)


HEAD = ("delivery_seq", "delivery_status", "delivery_hash", "cod_seq", "cod_status", "cod_hash")


def _head_row(row: Sequence[Any]) -> HeadRow:
    parcel, shop, order_id, fulfillment_id = row[:4]
    return HeadRow(parcel, shop, order_id, fulfillment_id, tuple(row[4:7]), tuple(row[7:]))


def definition_rows(
    connection: Connection,
) -> list[tuple[str, str, frozenset[tuple[str, str, str]]]]:
    """Return each definition: its id, its canonical text, and its legal steps as stored."""
    steps: dict[int, set[tuple[str, str, str]]] = {}
    for row in connection.execute(select(edges)):
        steps.setdefault(row.definition, set()).add((row.machine, row.from_status, row.to_status))
    return [
        (row.id, row.canonical, frozenset(steps.get(row.number, ())))
        for row in connection.execute(select(definitions).order_by(definitions.c.number))
    ]
