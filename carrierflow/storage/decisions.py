"""What was decided about incidents, one row for each change of one, never changed.

A row is written in the transaction that changes the incident, and after it: whoever changed the
incident's row first holds it until the end, so that numbers are given one after the other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from carrierflow.domain.decision import DecisionKind, IncidentDecision
from carrierflow.storage.binding import sliced
from carrierflow.storage.bulk import insert_many
from carrierflow.storage.tables import decisions, incidents


__all__ = ["OURSELVES", "decisions_of", "write_decisions"]

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


def write_decisions(
    connection: Connection,
    incident_ids: Collection[int],
    what: DecisionKind,
    *,
    now: datetime,
    actor: str | None = OURSELVES,
    reason: str | None = None,
    content_digest: str | None = None,
) -> None:
    """Write what was decided about some incidents, whose rows were changed a moment ago."""
    told: dict[str, Any] = {"what": what, "decided_at": now, "recorded_at": now}
    told |= {"actor": actor, "reason": reason, "content_digest": content_digest}
    for some in sliced(connection, incident_ids):
        query = select(incidents.c.id, LAST.label("last"), *STANDING)
        rows = connection.execute(query.where(incidents.c.id.in_(some)).order_by(incidents.c.id))
        insert_many(
            connection,
            decisions,
            [
                {"incident": number, "number": last + 1, **told}
                | {c.name: value for c, value in zip(STANDING, standing, strict=True)}
                for number, last, *standing in rows
            ],
        )


def decisions_of(connection: Connection, incident_id: int) -> list[IncidentDecision]:
    """Return what was decided about one incident, in its order."""
    d = decisions.c
    query = select(decisions).where(d.incident == incident_id).order_by(d.number)
    return [
        IncidentDecision(
            number=row.number,
            what=DecisionKind(row.what),
            evidence_digest=row.evidence_digest,
            content_digest=row.content_digest,
            action=row.action,
            owner=row.owner,
            actor=row.actor,
            reason=row.reason,
            decided_at=row.decided_at,
        )
        for row in connection.execute(query)
    ]
