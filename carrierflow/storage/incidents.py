"""Incidents in the database: one row for each cause, however often it is seen."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, insert, select, update

from carrierflow.domain.decision import OPEN, RESOLVED, DecisionKind, IncidentStanding
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import (
    ONE_PER_CAUSE,
    Finding,
    Incident,
    OpenIncidents,
    ResolveAction,
    content_digest,
)
from carrierflow.domain.limits import SENTENCE, cut
from carrierflow.domain.listing import IncidentQuestion, ListedIncidents, cursor_at, place_of
from carrierflow.domain.shop import Shop
from carrierflow.errors import UnknownIncident
from carrierflow.storage.decisions import standings_of, write_decision, write_decisions
from carrierflow.storage.incident_ends import GONE, WHOLE_SHOP, SqlIncidentEnds
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import decisions, evidence, fulfillments, incidents, shops


__all__ = [
    "SqlIncidents",
    "close_incident",
    "incidents_of",
    "open_incident",
    "open_incidents_but",
]

NOT_RESOLVED = dict.fromkeys(("resolved_at", "action", "resolved_by", "resolved_reason"))
"""What an incident that is open says of its end."""

NEVER_PROPOSED = IncidentStanding()

NUMBER = re.compile("[0-9]{1,18}")


class SqlIncidents(SqlIncidentEnds):
    """What a person has to look at; each call is a transaction of its own."""

    _store: SqlStore

    def incidents(self, *, shop: str | None = None, state: str | None = OPEN) -> list[Incident]:
        """Return incidents, oldest first."""
        query = _asked(IncidentQuestion(shop=shop, state=state))
        with self._store.reading() as connection:
            return _incidents_from(connection, connection.execute(query))

    def incident_page(
        self, question: IncidentQuestion, *, after: str | None, limit: int
    ) -> ListedIncidents:
        """Return so many of the incidents that are asked for, oldest first, behind a cursor.

        Raises:
            InvalidInput: if the cursor is none, or of another question.
        """
        query = _asked(question).limit(limit + 1)
        if after is not None:
            (last,) = place_of(question, after, (int,))
            query = query.where(incidents.c.id > last)
        with self._store.reading() as connection:
            found = _incidents_from(connection, connection.execute(query))
        page = tuple(found[:limit])
        more = len(found) > limit
        following = cursor_at(question, (int(page[-1].id),)) if more else None
        return ListedIncidents(incidents=page, next=following)

    def open_by_kind(self) -> list[OpenIncidents]:
        """Return what is open, by shop and kind, oldest first.

        One question, which reads open incidents alone, however many were ever resolved.
        """
        with self._store.reading() as connection:
            return [
                OpenIncidents(
                    shop=row.code,
                    kind=row.kind,
                    count=row.number,
                    first_id=str(row.id),
                    first_sentence=row.sentence,
                )
                for row in connection.execute(_by_kind())
            ]

    def incident(self, incident_id: str) -> Incident:
        """Return one incident.

        Raises:
            UnknownIncident: if no incident bears that number.
        """
        number = int(incident_id) if NUMBER.fullmatch(incident_id) else -1
        with self._store.reading() as connection:
            rows = connection.execute(_query().where(incidents.c.id == number))
            found = _incidents_from(connection, rows)
        if not found:
            raise UnknownIncident(incident_id)
        return found[0]

    def proposed(self, *, shop: str | None = None) -> list[Incident]:
        """Return the open incidents about which a decision waits for approval, oldest first."""
        d, i = decisions.c, incidents.c
        ever = exists().where(d.incident == i.id, d.what == DecisionKind.PROPOSED)
        query = _query().where(i.state == OPEN, ever).order_by(i.id)
        if shop is not None:
            query = query.where(shops.c.code == shop)
        with self._store.reading() as connection:
            found = _incidents_from(connection, connection.execute(query))
        return [each for each in found if each.proposal is not None]

    def assign_incident(self, incident_id: str, owner: str, *, actor: str, now: datetime) -> None:
        """Write who looks after an incident, and who says so."""
        number = int(incident_id)

        def work(connection: Connection) -> None:
            _change(connection, number, {"owner": owner})
            write_decision(connection, number, DecisionKind.ASSIGNED, actor=actor, now=now)

        self._store.transact(work)

    def open_incidents(self, shop: Shop, findings: Collection[Finding], *, now: datetime) -> int:
        """Open incidents for what was found; return how many are new."""

        def work(connection: Connection) -> int:
            return sum(open_incident(connection, shop.id, None, f, now) for f in findings)

        return self._store.transact(work)


def open_incident(
    connection: Connection, shop_id: int, parcel_id: int | None, finding: Finding, now: datetime
) -> bool:
    """Open an incident, or count that its cause was seen again; True if it is open anew.

    There is one open incident of a kind about a fulfillment: another cause of the same kind is
    counted on it, and its evidence is what was found last. A cause that froze its fulfillment
    again after a person resolved it is opened again, and so is one whose incident had closed by
    itself; one that was only reported stays as the person left it.
    """
    subject = finding.ref.fulfillment_id if finding.ref else WHOLE_SHOP
    same = _same_kind(connection, shop_id, subject, finding)
    known = _known_as(same, finding)
    content = cut(finding.sentence, SENTENCE), finding.text
    if known is None:
        row = _new_row(shop_id, parcel_id, subject, finding, now)
        key: Any = connection.execute(insert(incidents).values(row)).inserted_primary_key
        _decide(connection, key.id, DecisionKind.OPENED, now, content)
        return True
    anew = known.state == RESOLVED and (finding.freezes or known.action == GONE)
    said = None
    values: dict[str, Any] = {"times_seen": known.times_seen + 1, "last_seen_at": now}
    if known.evidence_digest != finding.digest:
        said = content if content != _content_of(connection, known.id) else None
        values |= {"sentence": content[0], "evidence": content[1]}
        if all(row.evidence_digest != finding.digest for row in same):
            values["evidence_digest"] = finding.digest
    if anew:
        values |= {"state": OPEN, **NOT_RESOLVED}
    _change(connection, known.id, values)
    if anew or said:
        what = DecisionKind.REOPENED if anew else DecisionKind.SEEN
        _decide(connection, known.id, what, now, said)
    return anew


def _change(connection: Connection, number: int, values: dict[str, Any]) -> None:
    connection.execute(update(incidents).where(incidents.c.id == number).values(**values))


def _decide(
    connection: Connection,
    number: int,
    what: DecisionKind,
    now: datetime,
    content: tuple[str, str] | None,
) -> None:
    """Write what a run made of an incident; `content` is what it says, where that is new."""
    digest = content_digest(*content) if content else None
    write_decisions(connection, [number], what, now=now, content_digest=digest)


def _content_of(connection: Connection, number: int) -> tuple[str, str]:
    i = incidents.c
    row = connection.execute(select(i.sentence, i.evidence).where(i.id == number)).one()
    return row.sentence, row.evidence


def _same_kind(
    connection: Connection, shop_id: int, subject: str, finding: Finding
) -> Sequence[Any]:
    i = incidents.c
    query = (
        select(i.id, i.state, i.action, i.times_seen, i.evidence_digest)
        .where(i.shop == shop_id, i.subject == subject, i.kind == finding.kind)
        .order_by(i.id)
        .with_for_update()
    )
    if finding.kind in ONE_PER_CAUSE:
        query = query.where(i.evidence_digest == finding.digest)
    return connection.execute(query).all()


def _known_as(same: Sequence[Any], finding: Finding) -> Any:
    """Return the row that a finding is counted on: the open one, else that of the same cause."""
    still_open = [row for row in same if row.state == OPEN]
    alike = [row for row in same if row.evidence_digest == finding.digest]
    return next(iter([*still_open[-1:], *alike]), None)


def _new_row(
    shop_id: int, parcel_id: int | None, subject: str, finding: Finding, now: datetime
) -> dict[str, Any]:
    return {
        "shop": shop_id,
        "fulfillment": parcel_id,
        "subject": subject,
        "kind": finding.kind,
        "evidence_digest": finding.digest,
        "sentence": cut(finding.sentence, SENTENCE),
        "evidence": finding.text,
        "opened_at": now,
        "last_seen_at": now,
        "times_seen": 1,
        "state": OPEN,
    }


def incidents_of(connection: Connection, parcel: Fulfillment) -> list[Incident]:
    """Return every incident of one fulfillment, resolved ones too, oldest first."""
    query = _query().where(incidents.c.fulfillment == parcel.id).order_by(incidents.c.id)
    return _incidents_from(connection, connection.execute(query))


def open_incidents_but(connection: Connection, ids: Select[tuple[int]]) -> list[Incident]:
    """Return the open incidents without some of them, oldest first."""
    others = incidents.c.id.not_in(ids)
    query = _query().where(incidents.c.state == OPEN, others).order_by(incidents.c.id)
    return _incidents_from(connection, connection.execute(query))


def close_incident(
    connection: Connection,
    incident: Incident,
    *,
    action: str,
    actor: str,
    reason: str,
    now: datetime,
    approved_by: str | None = None,
) -> None:
    """Resolve an incident, and write that down where it can never be changed."""
    row = connection.execute(
        select(incidents.c.shop, incidents.c.fulfillment).where(incidents.c.id == int(incident.id))
    ).one()
    number = int(incident.id)
    values = {"state": RESOLVED, "resolved_at": now, "action": action}
    _change(connection, number, values | {"resolved_by": actor, "resolved_reason": reason})
    resumes = action == ResolveAction.RESUME
    what = DecisionKind.RESUMED if resumes else DecisionKind.RESOLVED
    told = {"reason": reason, "approved_by": approved_by}
    write_decision(connection, number, what, actor=actor, now=now, **told)
    connection.execute(
        insert(evidence),
        {
            "shop": row.shop,
            "fulfillment": row.fulfillment,
            "kind": "resolution",
            "code": action,
            "sentence": f"Incident {incident.id} ({incident.kind}) was resolved.",
            "actor": actor,
            "reason": reason,
            "details": json.dumps(_approved(incident, approved_by)),
            "recorded_at": now,
            "fill_gaps": False,
        },
    )


def _approved(incident: Incident, last: str | None) -> dict[str, Any]:
    """Say which incident it was, and who approved its end, if anybody had to."""
    waits = incident.proposal.approved_by if incident.proposal else ()
    approved = {} if last is None else {"approved_by": [*waits, last]}
    return {"incident": incident.id, "kind": incident.kind} | approved


def _query() -> Any:
    return (
        select(incidents, shops.c.code, fulfillments.c.order_id, fulfillments.c.fulfillment_id)
        .join(shops, shops.c.id == incidents.c.shop)
        .outerjoin(fulfillments, fulfillments.c.id == incidents.c.fulfillment)
    )


def _asked(question: IncidentQuestion) -> Any:
    """Return a query for some incidents, oldest first; where no shop is named, for those of each.

    The index of states begins with the shop.
    """
    i, query = incidents.c, _query().order_by(incidents.c.id)
    if question.shop is not None:
        query = query.where(shops.c.code == question.shop)
    if question.state is not None:
        query = query.where(i.state == question.state, i.shop.in_(select(shops.c.id)))
    if question.kind is not None:
        query = query.where(i.kind == question.kind)
    if question.opened_before is not None:
        query = query.where(i.opened_at <= question.opened_before)
    return query


def _by_kind() -> Any:
    i = incidents.c
    grouped = (
        select(func.min(i.id).label("first"), func.count().label("number"))
        .where(i.shop.in_(select(shops.c.id)), i.state == OPEN)
        .group_by(i.shop, i.kind)
        .subquery()
    )
    return (
        select(shops.c.code, i.kind, grouped.c.number, i.id, i.sentence)
        .join_from(grouped, incidents, i.id == grouped.c.first)
        .join(shops, shops.c.id == i.shop)
        .order_by(i.id)
    )


def _incidents_from(connection: Connection, rows: Iterable[Row[Any]]) -> list[Incident]:
    rows = list(rows)
    standings = standings_of(connection, [row.id for row in rows])
    return [_incident_from(row, standings.get(row.id) or NEVER_PROPOSED) for row in rows]


def _incident_from(row: Row[Any], standing: IncidentStanding) -> Incident:
    subject = None if row.subject == WHOLE_SHOP else row.subject
    return Incident(
        id=str(row.id),
        shop=row.code,
        fulfillment_id=row.fulfillment_id or subject,
        order_id=row.order_id,
        kind=row.kind,
        sentence=row.sentence,
        evidence=json.loads(row.evidence),
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        times_seen=row.times_seen,
        state=row.state,
        owner=row.owner,
        resolved_at=row.resolved_at,
        action=row.action,
        resolved_by=row.resolved_by,
        resolved_reason=row.resolved_reason,
        evidence_digest=row.evidence_digest,
        proposal=standing.proposal,
        approved_by=standing.approved_by,
    )
