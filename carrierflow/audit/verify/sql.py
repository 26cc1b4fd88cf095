"""What verification reads of a live database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from carrierflow.audit.log.entry_kinds import TRANSITION, EntryKind, stamps
from carrierflow.audit.verify.replay import HeadRow
from carrierflow.domain.canonical import COLUMNS
from carrierflow.domain.decision import RESOLVED, STATE_AFTER, DecisionKind
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import (
    decisions,
    definitions,
    edges,
    fulfillments,
    history,
    incidents,
    log,
    log_nodes,
    run_ends,
    runs,
    shops,
    terms,
)


__all__ = [
    "amounts_astray",
    "approvals_astray",
    "definition_rows",
    "entry_rows",
    "head_row",
    "head_rows",
    "incidents_astray",
    "kind_rows",
    "node_rows",
    "runs_astray",
]

STREAM = 2_000
"""Rows that a long reading holds at once."""


def entry_rows(connection: Connection) -> Iterator[Sequence[Any]]:
    """Stream the whole history, parcel after parcel, as `verify_parcels` reads it."""
    h = history.c
    columns = stamps(connection.dialect.name, [h[name] for name in COLUMNS])
    query = (
        select(*columns, h.fulfillment, h.definition, h.hash, log.c.position)
        .select_from(history.outerjoin(log, TRANSITION.is_placed()))
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


def head_rows(connection: Connection) -> Iterator[HeadRow]:
    """Stream the heads of all fulfillments, in the order of the history's stream."""
    query = _heads().order_by(fulfillments.c.id)
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


def amounts_astray(connection: Connection, most: int) -> list[Any]:
    """Return parcels whose amount or waybill is not what was agreed last: shop, fulfillment."""
    f, later = fulfillments.c, terms.alias()
    last = ~exists().where(later.c.fulfillment == f.id, later.c.number > terms.c.number)
    query = (
        select(shops.c.code, f.fulfillment_id)
        .join_from(fulfillments, terms, terms.c.fulfillment == f.id)
        .join(shops, shops.c.id == f.shop)
        .where(last)
        .where(
            or_(
                f.cod_amount != terms.c.cod_amount,
                f.tracking_number.is_distinct_from(terms.c.tracking_number),
            )
        )
    )
    return list(connection.execute(query.order_by(f.id).limit(most)))


def incidents_astray(connection: Connection, most: int) -> list[int]:
    """Return the numbers of incidents that are open or over and have no decision that says so."""
    later, state = decisions.alias(), incidents.c.state
    changes = [str(kind) for kind, after in STATE_AFTER.items() if after is not None]
    ends = [str(kind) for kind, after in STATE_AFTER.items() if after == RESOLVED]
    last = ~exists().where(
        later.c.incident == decisions.c.incident,
        later.c.number > decisions.c.number,
        later.c.what.in_(changes),
    )
    is_over = decisions.c.what.in_(ends)
    same = or_(and_(state == RESOLVED, is_over), and_(state != RESOLVED, ~is_over))
    said = exists().where(
        decisions.c.incident == incidents.c.id, decisions.c.what.in_(changes), last, same
    )
    query = select(incidents.c.id).where(~said).order_by(incidents.c.id).limit(most)
    return list(connection.execute(query).scalars())


def approvals_astray(connection: Connection, most: int) -> list[tuple[int, str]]:
    """Return the incidents whose approvals are none, and by whom: of nothing, or of one's own."""
    d, before = decisions.c, decisions.alias()
    proposed = exists().where(
        before.c.incident == d.incident,
        before.c.number < d.number,
        before.c.what == DecisionKind.PROPOSED,
        before.c.actor == d.actor,
        before.c.action == d.action,
    )
    query = select(d.incident, d.approved_by).where(d.approved_by.is_not(None))
    wrong = query.where(or_(d.approved_by == d.actor, ~proposed))
    rows = connection.execute(wrong.order_by(d.id).limit(most))
    return [(row.incident, row.approved_by) for row in rows]


def runs_astray(connection: Connection, most: int) -> list[str]:
    """Return the ids of runs that are over and did not end as was written down."""
    columns = ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence")
    same = [~runs.c[name].is_distinct_from(run_ends.c[name]) for name in columns]
    said = exists().where(run_ends.c.run == runs.c.id, *same)
    over = or_(runs.c.ended_at.is_not(None), runs.c.end_reason.is_not(None))
    query = select(runs.c.id).where(over, ~said).order_by(runs.c.id).limit(most)
    return list(connection.execute(query).scalars())
