"""A correction that waits for approval: what it is as an incident, and the event that it is."""

from __future__ import annotations

from datetime import UTC, datetime

from carrierflow.domain.approval import CORRECTION
from carrierflow.domain.canonical import stamp
from carrierflow.domain.incident import Finding, Incident
from carrierflow.domain.model import Event, Recorded, Source, Status


__all__ = ["correction_finding", "proposed_event"]


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
