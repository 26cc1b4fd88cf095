"""What is read of rows that change, to be compared with entries.

Where SQL can tell what does not follow from entries, the answer is as short as what is wrong,
however much there is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
)

from carrierflow.audit.derived.shop_acts import ACTS, Act
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.decision import OPEN, RESOLVED, STATE_AFTER, DecisionKind, IncidentDecision
from carrierflow.domain.fulfillment import ABANDONED
from carrierflow.domain.incident_kinds import FREEZING
from carrierflow.domain.model import Machine
from carrierflow.reconcile.evaluate import OVER
from carrierflow.storage.decisions import decision_from
from carrierflow.storage.tables import (
    administration,
    decisions,
    evidence,
    fulfillments,
    history,
    incidents,
    notes,
    observations,
    outcomes,
    run_ends,
    runs,
    shops,
    terms,
)


__all__ = [
    "Astray",
    "approvals_astray",
    "coverage_astray",
    "incidents_and_decisions",
    "incidents_gone",
    "incidents_moved",
    "links_astray",
    "notes_astray",
    "parcels_astray",
    "runs_astray",
    "shops_and_acts",
]

Astray = Iterator[tuple[str, str]]
"""What does not follow from entries: where, and what is wrong there."""

STREAM = 2_000
"""Rows that a long reading holds at once."""

KNOWN = frozenset(DecisionKind)


def parcels_astray(connection: Connection, most: int) -> Astray:
    """Yield parcels of which something is said that no entry says."""
    for what, which in _wrong_of_parcels().items():
        yield from _named(connection, which, what, most)


def _named(connection: Connection, which: ColumnElement[bool], what: str, most: int) -> Astray:
    rows = connection.execute(_parcels().where(which).limit(most))
    return ((f"{row.code}/{row.fulfillment_id}", what) for row in rows.all())


def _parcels(*more: Any) -> Select[Any]:
    f = fulfillments.c
    query = select(shops.c.code, f.fulfillment_id, *more).join(shops, shops.c.id == f.shop)
    return query.order_by(f.id)


def _wrong_of_parcels() -> Mapping[str, ColumnElement[bool]]:
    """Say of each thing that can be wrong with a parcel's row of which rows it is."""
    f, h = fulfillments.c, history.c
    since = f.delivery_seq - f.delivery_confirmed + f.cod_seq - f.cod_confirmed
    beyond = or_(f.delivery_confirmed > f.delivery_seq, f.cod_confirmed > f.cod_seq)
    seen = exists().where(observations.c.fulfillment == f.id)
    told = exists().where(outcomes.c.fulfillment == f.id)
    shown = or_(f.delivery_confirmed > 0, f.cod_confirmed > 0)
    remote = (f.remote_digest, f.remote_carrier, f.remote_cod)
    over = and_(tuple_(f.delivery_status, f.cod_status).in_(OVER), f.unpublished == 0)
    given_up = f.frozen.is_not_distinct_from(ABANDONED)
    first = and_(h.fulfillment == f.id, h.machine == Machine.DELIVERY, h.seq == 1)
    return {
        "nothing says what was agreed about it": _without_terms(),
        "a revision of what was agreed about it is missing": _gaps(),
        "one of its revisions says what was agreed already": _empty_revisions(),
        "its amount or tracking number is not the one that was agreed last": _other_than_agreed(),
        "it came to where it stands at another moment": and_(f.delivery_seq > 0, ~_has_entered()),
        "what is unpublished of it is miscounted": f.unpublished != since,
        "more of it counts as shown than there is": beyond,
        "some of it counts as shown, and nothing of it was seen or told": and_(shown, ~seen, ~told),
        "the platform's status is none that was seen": and_(
            or_(*(each.is_not(None) for each in remote)), ~_is_last_seen()
        ),
        "it is frozen, and no incident says why": and_(f.frozen.is_not(None), ~_has_cause()),
        "an incident froze it, and nobody freed it": and_(f.frozen.is_(None), f.id.in_(_frozen())),
        "nobody looks after it, though it is not over": and_(~f.open, ~given_up, ~over),
        "it was opened after its first entry": exists().where(first, h.recorded_at < f.opened_at),
    }


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


def _has_entered() -> ColumnElement[bool]:
    f, h = fulfillments.c, history.c
    last = and_(h.fulfillment == f.id, h.machine == Machine.DELIVERY, h.seq == f.delivery_seq)
    return exists().where(last, h.occurred_at == f.entered_at)


def _is_last_seen() -> ColumnElement[bool]:
    f, o = fulfillments.c, observations.c
    same = (o.digest == f.remote_digest, o.carrier_code == f.remote_carrier)
    return exists().where(o.fulfillment == f.id, *same, o.cod_code == f.remote_cod)


def _has_cause() -> ColumnElement[bool]:
    f, i, d = fulfillments.c, incidents.c, decisions.c
    asked = exists().where(i.fulfillment == f.id, i.kind == f.frozen, i.state == OPEN)
    left = exists().where(d.fulfillment == f.id, d.action == "abandon")
    return or_(asked, and_(f.frozen == ABANDONED, left))


def _frozen() -> Select[Any]:
    """Return the parcels that an incident froze after the last one that did was over."""
    d = decisions.c
    of = {k: [what for what, state in STATE_AFTER.items() if state == k] for k in (OPEN, RESOLVED)}
    opened, ended = (func.max(case((d.what.in_(some), d.decided_at))) for some in of.values())
    query = select(d.fulfillment).where(d.kind.in_(FREEZING), d.fulfillment.is_not(None))
    return query.group_by(d.fulfillment).having(or_(ended.is_(None), opened > ended))


def links_astray(connection: Connection, most: int) -> Astray:
    """Yield parcels with a step whose links are not what its number and lifecycle say."""
    h = history.c
    before = case((h.seq == 1, None), else_=h.seq - 1)
    edge = case((h.amends.is_(None), h.definition), else_=None)
    wrong = or_(h.prev_seq.is_distinct_from(before), h.edge.is_distinct_from(edge))
    query = _parcels(h.machine, h.seq).join(history, h.fulfillment == fulfillments.c.id)
    for shop, name, machine, seq in connection.execute(query.where(wrong).limit(most)).all():
        where = f"{shop}/{name} {machine}:{seq}"
        yield where, "its links to the entry before and to its lifecycle were changed"


def coverage_astray(connection: Connection, most: int) -> Astray:
    """Yield open parcels that count as looked at when no run was at work in their shop.

    By index the last run that began before is found, which is nearly always the one; all of them
    are asked only of what that one does not explain.
    """
    f, r = fulfillments.c, runs.c
    before = and_(r.shop == f.shop, r.started_at <= f.verified_at)
    last = select(func.coalesce(r.ended_at, f.verified_at)).where(before)
    last = last.order_by(r.started_at.desc()).limit(1)
    until = last.correlate(fulfillments).scalar_subquery()
    doubtful = and_(f.open, f.verified_at.is_not(None), or_(until.is_(None), until < f.verified_at))
    anyone = exists().where(before, or_(r.ended_at.is_(None), r.ended_at >= f.verified_at))
    what = "it counts as looked at when no run was at work there"
    rows = connection.execute(_parcels(f.id, anyone).where(doubtful)).all()
    return islice(((f"{shop}/{name}", what) for shop, name, _, is_so in rows if not is_so), most)


def notes_astray(connection: Connection, most: int) -> Astray:
    """Yield parcels with a note that no entry speaks of, or without one that was not erased."""
    f, a = fulfillments.c, administration.c
    spoken_of = [
        exists().where(table.c.fulfillment == f.id, table.c.note_digest == notes.c.digest)
        for table in (history, evidence)
    ]
    query = _parcels().join(notes, f.id == notes.c.fulfillment).where(~or_(*spoken_of))
    for shop, name in connection.execute(query.limit(most)).all():
        yield f"{shop}/{name}", "it has a note that none of its entries speaks of"
    first = select(func.min(a.recorded_at)).scalar_subquery()
    for table in (history, evidence):
        own = table.c
        erased = exists().where(
            a.kind == AdministrationKind.ERASED,
            a.details.contains('"notes"'),
            a.recorded_at >= own.recorded_at,
            or_(and_(a.shop == shops.c.code, a.subject == f.fulfillment_id), a.subject == ""),
        )
        kept = exists().where(
            notes.c.digest == own.note_digest, notes.c.fulfillment == own.fulfillment
        )
        query = _parcels().join(table, own.fulfillment == f.id)
        query = query.where(own.note_digest.is_not(None), own.recorded_at >= first, ~kept, ~erased)
        for shop, name in connection.execute(query.limit(most)).all():
            yield f"{shop}/{name}", "a note of it is gone, and no act says that it was erased"


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


def incidents_moved(connection: Connection, most: int) -> Astray:
    """Yield incidents that are of another parcel or kind than was decided about."""
    i, d = incidents.c, decisions.c
    names = ("shop", "fulfillment", "subject", "kind")
    other = or_(*(i[name].is_distinct_from(d[name]) for name in names))
    query = select(i.id).where(exists().where(d.incident == i.id, other)).order_by(i.id)
    for number in connection.execute(query.limit(most)).scalars().all():
        yield f"incident {number}", "its decisions are about another parcel, or another kind"


def incidents_gone(connection: Connection, most: int) -> Astray:
    """Yield incidents that were decided about and are not there."""
    there = exists().where(incidents.c.id == decisions.c.incident)
    query = select(decisions.c.incident).distinct().where(~there)
    for number in connection.execute(query.limit(most)).scalars().all():
        yield f"incident {number}", "decisions speak of it, and it is gone"


def approvals_astray(connection: Connection, most: int) -> Astray:
    """Yield the incidents whose approvals are none: of nothing, or of one's own."""
    d, before = decisions.c, decisions.alias()
    proposed = exists().where(
        before.c.incident == d.incident,
        before.c.number < d.number,
        before.c.what == DecisionKind.PROPOSED,
        before.c.actor == d.actor,
        before.c.action == d.action,
    )
    query = select(d.incident, d.approved_by).where(d.approved_by.is_not(None))
    wrong = query.where(or_(d.approved_by == d.actor, ~proposed)).order_by(d.id)
    for number, by in connection.execute(wrong.limit(most)).all():
        yield f"incident {number}", f"{by} approved what nobody proposed, or what was their own"


def runs_astray(connection: Connection, most: int) -> Astray:
    """Yield runs that are over and did not end as was written down, or are gone."""
    columns = ("kind", "shop", "started_at", "ended_at", "end_reason", "counters", "sentence")
    same = [~runs.c[name].is_distinct_from(run_ends.c[name]) for name in columns]
    said = exists().where(run_ends.c.run == runs.c.id, *same)
    over = or_(runs.c.ended_at.is_not(None), runs.c.end_reason.is_not(None))
    query = select(runs.c.id).where(over, ~said).order_by(runs.c.id).limit(most)
    for name in connection.execute(query).scalars().all():
        yield f"run {name}", "it did not end as was written when it ended"
    there = exists().where(runs.c.id == run_ends.c.run)
    for name in connection.execute(select(run_ends.c.run).where(~there).limit(most)).scalars():
        yield f"run {name}", "it is written down how it ended, and it is gone"


def shops_and_acts(connection: Connection) -> Iterator[tuple[str, Mapping[str, Any], list[Act]]]:
    """Yield every shop that there is or was: its code, its row, empty if gone, and its acts."""
    a = administration.c
    acts: dict[str, list[Act]] = defaultdict(list)
    query = select(a.shop, a.kind, a.details).where(a.kind.in_(ACTS), a.shop.is_not(None))
    for code, kind, details in connection.execute(query.order_by(a.id)):
        acts[code].append((kind, json.loads(details)))
    rows = {row["code"]: dict(row) for row in connection.execute(select(shops)).mappings()}
    for code in sorted(acts.keys() | rows.keys()):
        yield code, rows.get(code, {}), acts[code]
