"""A correction that waits for approval: what it is as an incident, and what it would write."""

from __future__ import annotations

from datetime import UTC, datetime

from carrierflow.domain.approval import CORRECTION
from carrierflow.domain.canonical import stamp
from carrierflow.domain.incident import Finding, Incident
from carrierflow.domain.model import Event, FulfillmentRef, Recorded, Source, Status
from carrierflow.domain.revision import Revised, Revision


__all__ = [
    "correction_finding",
    "proposed_event",
    "proposed_revision",
    "revision_finding",
]

REVISION = "terms"
"""What the evidence of a proposed revision says as its `about`; that of an event has none."""


def correction_finding(event: Event, answer: Recorded, *, now: datetime) -> Finding:
    """Return the incident that a correction is while it waits."""
    status = event.status
    stands = answer.status_of(status.machine)
    at = (event.occurred_at or now).astimezone(UTC)
    return Finding(
        kind=CORRECTION,
        sentence=f"{event.actor} proposes to correct {stands} to {status}: {event.reason}",
        ref=answer.ref,
        evidence={
            "from": stands,
            "status": status,
            "occurred_at": stamp(at),
            "key": event.key or f"{status}@{stamp(at)}",
            "actor": event.actor,
            "reason": event.reason,
            "source": event.source,
            "proposed_at": stamp(now),
        },
    )


def proposed_event(incident: Incident) -> Event:
    """Return the event that an incident like that holds."""
    said = incident.evidence
    return Event(
        shop=incident.shop,
        fulfillment_id=incident.fulfillment_id,
        status=Status(said["status"]),
        occurred_at=datetime.fromisoformat(said["occurred_at"]),
        key=said["key"],
        actor=said["actor"],
        reason=said["reason"],
        source=Source(said["source"]),
    )


def revision_finding(revision: Revision, answer: Revised, *, now: datetime) -> Finding:
    """Return the incident that a revision is while it waits, where it takes more people."""
    before, after = answer.before, answer.after
    told = f"{before.cod_amount} đ to {after.cod_amount} đ"
    return Finding(
        kind=CORRECTION,
        sentence=f"{revision.actor} proposes to correct {told} to collect: {revision.reason}",
        ref=answer.ref,
        evidence={
            "about": REVISION,
            "from": before.cod_amount,
            "cod_amount": revision.cod_amount,
            "tracking_number": revision.tracking_number,
            "correction": revision.correction,
            "actor": revision.actor,
            "reason": revision.reason,
            "revises": answer.number,
            "proposed_at": stamp(now),
        },
    )


def proposed_revision(incident: Incident) -> Revision | None:
    """Return the revision that an incident like that holds; None if it holds an event."""
    said = incident.evidence
    if said.get("about") != REVISION:
        return None
    ref = FulfillmentRef(
        shop=incident.shop,
        order_id=incident.order_id or "",
        fulfillment_id=incident.fulfillment_id or "",
    )
    return Revision(
        ref=ref,
        cod_amount=said["cod_amount"],
        tracking_number=said["tracking_number"],
        actor=said["actor"],
        reason=said["reason"],
        correction=said["correction"],
    )
