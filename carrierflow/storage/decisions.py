"""What was decided about incidents, one row for each change of one, never changed.

A row is written in the transaction that changes the incident, and after it: whoever changed the
incident's row first holds it until the end, so that numbers are given one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from carrierflow.domain.decision import (
    DecisionKind,
    IncidentDecision,
    IncidentStanding,
    standing_after,
)
from carrierflow.storage.administration import accounts
from carrierflow.storage.binding import sliced
from carrierflow.storage.bulk import insert_many
from carrierflow.storage.feed_entries import news_of_incidents
from carrierflow.storage.listeners import gather, is_heard
from carrierflow.storage.tables import decisions, incidents


__all__ = [
    "OURSELVES",
    "decision_from",
    "decisions_of",
    "standings_of",
    "write_decision",
    "write_decisions",
]

OURSELVES = "carrierflow"
"""Who decides where no person does."""

LAST = (
    select(func.coalesce(func.max(decisions.c.number), 0))
    .where(decisions.c.incident == incidents.c.id)
    .scalar_subquery()
)
STANDING = tuple(
    incidents.c[name]
    for name in ("shop", "fulfillment", "subject", "kind", "evidence_digest", "action", "owner")
)
"""What a decision repeats of its incident, as it stands after it."""

WAITS = (
    DecisionKind.PROPOSED,
    DecisionKind.APPROVED,
    DecisionKind.REJECTED,
    DecisionKind.RESOLVED,
    DecisionKind.RESUMED,
    DecisionKind.CLOSED,
    DecisionKind.REOPENED,
)
"""What tells of an incident whether something waits for approval, and who approved its end."""


def write_decisions(
    connection: Connection,
    incident_ids: Collection[int],
    what: DecisionKind,
    *,
    now: datetime,
    reason: str | None = None,
    content_digest: str | None = None,
) -> None:
    """Write what a run made of some incidents, whose rows were changed a moment ago."""
    told = {"actor": OURSELVES, "reason": reason, "content_digest": content_digest}
    _write(connection, incident_ids, {"what": what, **told}, now=now)


def write_decision(
    connection: Connection,
    incident_id: int,
    what: DecisionKind,
    *,
    actor: str,
    now: datetime,
    **told: Any,
) -> None:
    """Write what a person made of an incident, and by which accounts that was entered.

    `told` goes by the columns' names, and stands above what the incident's own row says.
    """
    told |= {"what": what, "actor": actor, **accounts(connection)}
    _write(connection, [incident_id], told, now=now)


def _write(
    connection: Connection, incident_ids: Collection[int], told: dict[str, Any], *, now: datetime
) -> None:
    for some in sliced(connection, incident_ids):
        query = select(incidents.c.id, LAST.label("last"), *STANDING)
        rows = connection.execute(query.where(incidents.c.id.in_(some)).order_by(incidents.c.id))
        insert_many(
            connection,
            decisions,
            [
                {c.name: value for c, value in zip(STANDING, standing, strict=True)}
                | {"incident": number, "number": last + 1, "decided_at": now, "recorded_at": now}
                | told
                for number, last, *standing in rows
            ],
        )
    if is_heard(connection):
        gather(connection, news_of_incidents(connection, incident_ids))


def decisions_of(connection: Connection, incident_id: int) -> list[IncidentDecision]:
    """Return what was decided about one incident, in its order."""
    d = decisions.c
    query = select(decisions).where(d.incident == incident_id).order_by(d.number)
    return [decision_from(row) for row in connection.execute(query)]


def standings_of(
    connection: Connection, incident_ids: Collection[int]
) -> dict[int, IncidentStanding]:
    """Return how some incidents stand as far as approval goes; those that ever needed any."""
    found: dict[int, list[IncidentDecision]] = defaultdict(list)
    d = decisions.c
    for some in sliced(connection, incident_ids):
        waits = select(d.incident).where(d.incident.in_(some), d.what == DecisionKind.PROPOSED)
        query = select(decisions).where(d.incident.in_(waits), d.what.in_(WAITS))
        for row in connection.execute(query.order_by(d.incident, d.number)):
            found[row.incident].append(decision_from(row))
    return {number: standing_after(each) for number, each in found.items()}


def decision_from(row: Row[Any]) -> IncidentDecision:
    """Build a decision from a row that has the columns of `decisions`."""
    return IncidentDecision(
        number=row.number,
        what=DecisionKind(row.what),
        evidence_digest=row.evidence_digest,
        content_digest=row.content_digest,
        action=row.action,
        owner=row.owner,
        actor=row.actor,
        reason=row.reason,
        decided_at=row.decided_at,
        approved_by=row.approved_by,
        facts_digest=row.facts_digest,
    )
