"""What verification reads of a live database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select

from carrierflow.audit.log.entry_kinds import TRANSITION, EntryKind, stamps
from carrierflow.audit.verify.replay import HeadRow
from carrierflow.domain.canonical import COLUMNS
from carrierflow.domain.decision import OPEN, DecisionKind, IncidentDecision
from carrierflow.domain.fulfillment import ABANDONED
from carrierflow.domain.model import Machine
from carrierflow.storage.decisions import decision_from
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import (
    decisions,
    definitions,
    edges,
    evidence,
    fulfillments,
    history,
    incidents,
    log,
    log_nodes,
    notes,
    observations,
    outcomes,
    run_ends,
    runs,
    shops,
    terms,
)


__all__ = [
    "approvals_astray",
    "definition_rows",
    "entry_rows",
    "head_row",
    "head_rows",
    "heads_astray",
    "incidents_and_decisions",
    "kind_rows",
    "node_rows",
    "notes_astray",
    "runs_astray",
    "terms_astray",
]

KNOWN = frozenset(DecisionKind)

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


def terms_astray(connection: Connection, most: int) -> Iterator[tuple[str, str]]:
    """Yield parcels whose terms do not follow each other up to their row: their name, and what."""
    wrong = {
        "nothing says what was agreed about it": _without_terms(),
        "a revision of what was agreed about it is missing": _gaps(),
        "one of its revisions says what was agreed already": _empty_revisions(),
        "its amount or tracking number is not the one that was agreed last": _other_than_agreed(),
    }
    f = fulfillments.c
    for what, which in wrong.items():
        query = select(shops.c.code, f.fulfillment_id).join(shops, shops.c.id == f.shop)
        for shop, fulfillment_id in connection.execute(
            query.where(which).order_by(f.id).limit(most)
        ):
            yield f"{shop}/{fulfillment_id}", what


def _without_terms() -> ColumnElement[bool]:
    f = fulfillments.c
    return and_(f.delivery_seq > 0, ~exists().where(terms.c.fulfillment == f.id))


def _gaps() -> ColumnElement[bool]:
    t = terms.c
    grouped = select(t.fulfillment).group_by(t.fulfillment)
    return fulfillments.c.id.in_(grouped.having(func.count() != func.max(t.number) + 1))


def _empty_revisions() -> ColumnElement[bool]:
    t, before = terms.c, terms.alias()
    names = ("cod_amount", "tracking_number", "carrier_code")
    same = [t[name].is_not_distinct_from(before.c[name]) for name in names]
    follows = and_(before.c.fulfillment == t.fulfillment, before.c.number == t.number - 1)
    revised = select(t.fulfillment).join_from(terms, before, follows).where(t.number > 0, *same)
    return fulfillments.c.id.in_(revised)


def _other_than_agreed() -> ColumnElement[bool]:
    f, t, later = fulfillments.c, terms.c, terms.alias()
    last = ~exists().where(later.c.fulfillment == t.fulfillment, later.c.number > t.number)
    names = ("cod_amount", "tracking_number")
    differs = or_(*(f[name].is_distinct_from(t[name]) for name in names))
    return exists().where(t.fulfillment == f.id, last, differs)


def incidents_and_decisions(
    connection: Connection,
) -> Iterator[tuple[dict[str, Any], list[IncidentDecision]]]:
    """Stream all incidents as their rows say, each with its decisions in their order.

    A decision of no kind that there is was changed; it decides nothing.
    """
    columns = [column.label(f"incident_{column.name}") for column in incidents.columns]
    query = (
        select(*columns, *decisions.columns)
        .select_from(incidents.outerjoin(decisions, decisions.c.incident == incidents.c.id))
        .order_by(incidents.c.id, decisions.c.number)
    )
    rows = connection.execute(query, execution_options={"yield_per": STREAM})
    for _, some in groupby(rows, key=attrgetter("incident_id")):
        together = list(some)
        own = {c.name: getattr(together[0], f"incident_{c.name}") for c in incidents.columns}
        yield own, [decision_from(row) for row in together if row.what in KNOWN]


def heads_astray(connection: Connection, most: int) -> Iterator[tuple[str, str]]:
    """Yield parcels of which something does not follow from entries: their name, and what."""
    f = fulfillments.c
    since = f.delivery_seq - f.delivery_confirmed + f.cod_seq - f.cod_confirmed
    beyond = or_(f.delivery_confirmed > f.delivery_seq, f.cod_confirmed > f.cod_seq)
    seen = exists().where(observations.c.fulfillment == f.id)
    told = exists().where(outcomes.c.fulfillment == f.id)
    shown = or_(f.delivery_confirmed > 0, f.cod_confirmed > 0)
    last = exists().where(
        observations.c.fulfillment == f.id,
        observations.c.digest == f.remote_digest,
        observations.c.carrier_code == f.remote_carrier,
        observations.c.cod_code == f.remote_cod,
    )
    asked = exists().where(
        incidents.c.fulfillment == f.id,
        incidents.c.kind == f.frozen,
        incidents.c.state == OPEN,
    )
    left = exists().where(decisions.c.fulfillment == f.id, decisions.c.action == "abandon")
    entered = exists().where(
        history.c.fulfillment == f.id,
        history.c.machine == Machine.DELIVERY,
        history.c.seq == f.delivery_seq,
        history.c.occurred_at == f.entered_at,
    )
    frozen_for = or_(asked, and_(f.frozen == ABANDONED, left))
    remote = (f.remote_digest, f.remote_carrier, f.remote_cod)
    wrong = {
        "it came to where it stands at another moment": and_(f.delivery_seq > 0, ~entered),
        "what is unpublished of it is miscounted": f.unpublished != since,
        "more of it counts as shown than there is": beyond,
        "some of it counts as shown, and nothing of it was seen or told": and_(shown, ~seen, ~told),
        "the platform's status is none that was seen": and_(
            or_(*(each.is_not(None) for each in remote)), ~last
        ),
        "it is frozen, and no incident says why": and_(f.frozen.is_not(None), ~frozen_for),
    }
    for what, which in wrong.items():
        query = select(shops.c.code, f.fulfillment_id).join(shops, shops.c.id == f.shop)
        for shop, fulfillment_id in connection.execute(
            query.where(which).order_by(f.id).limit(most)
        ):
            yield f"{shop}/{fulfillment_id}", what


def notes_astray(connection: Connection, most: int) -> list[tuple[str, str]]:
    """Return parcels with a note that none of their entries speaks of: shop, fulfillment."""
    f = fulfillments.c
    spoken_of = [
        exists().where(table.c.fulfillment == f.id, table.c.note_digest == notes.c.digest)
        for table in (history, evidence)
    ]
    query = (
        select(shops.c.code, f.fulfillment_id)
        .join_from(notes, fulfillments, f.id == notes.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(~or_(*spoken_of))
    )
    rows = connection.execute(query.order_by(f.id).limit(most))
    return [(shop, fulfillment_id) for shop, fulfillment_id in rows]


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
