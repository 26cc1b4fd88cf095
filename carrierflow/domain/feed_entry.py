"""What happened, as those who follow it are told: a parcel's step, an incident's begin or end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from carrierflow.domain.canonical import stamp
from carrierflow.domain.decision import STATE_AFTER, DecisionKind
from carrierflow.domain.model import FulfillmentRef, HistoryEntry, Machine, Source, Status


__all__ = ["INCIDENT_NEWS", "FeedEntry", "FeedKind"]

INCIDENT_NEWS = tuple(what for what, state in STATE_AFTER.items() if state is not None)
"""The decisions that are told: after each of them it is said anew how the incident stands."""


CANCELLED_IN_TRANSIT = "cancelled_in_transit"
BEGINNINGS = {DecisionKind.OPENED, DecisionKind.REOPENED}


class FeedKind(StrEnum):
    """What an entry of the feed tells of."""

    TRANSITION = "transition"
    """A step of a parcel's delivery or of its cash: an entry of its history."""
    INCIDENT = "incident"
    """An incident that was opened, opened again, or is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedEntry:
    """Something that happened and was committed; both times are aware, UTC.

    What belongs to the other kind of entry is None.
    """

    kind: FeedKind
    shop: str
    order_id: str | None
    """None where an incident is about the whole shop; so is what names the fulfillment."""
    fulfillment_id: str | None
    tracking_number: str | None
    """The number that the fulfillment bears when this is read."""
    occurred_at: datetime
    """When it happened: by the scanner's clock, or when somebody decided."""
    recorded_at: datetime
    """When it was written; the order of places need not be that of this time."""
    actor: str | None = None
    reason: str | None = None
    position: int | None = None
    """Its place in the log; None where it has none yet, as when a handler is told."""
    machine: Machine | None = None
    seq: int | None = None
    """Its number among the steps of this machine, from 1 on; each comes after the one before."""
    from_status: str | None = None
    to_status: str | None = None
    source: Source | None = None
    inferred: bool | None = None
    """Whether the step was concluded, and not told."""
    amends: int | None = None
    """The number of the step that a person corrected by this one."""
    incident: str | None = None
    """The id of the incident."""
    incident_kind: str | None = None
    what: DecisionKind | None = None
    """What was done about the incident: opened, reopened, resolved, resumed or closed."""
    action: str | None = None
    """How a person resolved it."""

    @property
    def cancels(self) -> bool:
        """Tell whether whoever is on the way has to be stopped: the parcel is cancelled.

        That is so where the ledger has it as cancelled, by whoever said it, and where the platform
        cancelled a parcel that is on the road already: then it is frozen, and a person decides. A
        cancel that is taken over after that says so once more.
        """
        held = self.incident_kind == CANCELLED_IN_TRANSIT and self.what in BEGINNINGS
        return held or self.to_status == Status.CANCEL

    @classmethod
    def of_step(
        cls, ref: FulfillmentRef, tracking_number: str | None, entry: HistoryEntry
    ) -> FeedEntry:
        """Return what is told of an entry of a fulfillment's history."""
        return cls(
            kind=FeedKind.TRANSITION,
            shop=ref.shop,
            order_id=ref.order_id,
            fulfillment_id=ref.fulfillment_id,
            tracking_number=tracking_number,
            occurred_at=entry.occurred_at,
            recorded_at=entry.recorded_at,
            actor=entry.actor,
            reason=entry.reason,
            machine=entry.machine,
            seq=entry.seq,
            from_status=entry.from_status,
            to_status=entry.to_status,
            source=entry.source,
            inferred=entry.inferred,
            amends=entry.amends,
        )

    def document(self) -> Mapping[str, Any]:
        """Return it as JSON carries it: what belongs to its kind; times as text, UTC."""
        return {
            "position": self.position,
            "kind": self.kind,
            "shop": self.shop,
            "order_id": self.order_id,
            "fulfillment_id": self.fulfillment_id,
            "tracking_number": self.tracking_number,
            **self._own(),
            "actor": self.actor,
            "reason": self.reason,
            "occurred_at": stamp(self.occurred_at),
            "recorded_at": stamp(self.recorded_at),
        }

    def _own(self) -> dict[str, Any]:
        if self.kind is FeedKind.INCIDENT:
            return {
                "incident": self.incident,
                "incident_kind": self.incident_kind,
                "what": self.what,
                "action": self.action,
            }
        return {
            "machine": self.machine,
            "seq": self.seq,
            "from": self.from_status,
            "to": self.to_status,
            "source": self.source,
            "inferred": self.inferred,
            "amends": self.amends,
        }
