"""One fulfillment as the ledger holds it: both heads, the publication cursor, the last look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from carrierflow.domain.model import (
    START,
    FulfillmentRef,
    HistoryEntry,
    Machine,
    Reason,
    RemoteWord,
    ResolvedEvent,
    Status,
    Verdict,
)
from carrierflow.domain.revision import AgreedTerms


__all__ = [
    "ABANDONED",
    "GENESIS",
    "Change",
    "EvidenceEntry",
    "Fulfillment",
    "MachineHead",
    "PastEvents",
    "RemoteSnapshot",
    "SeenKey",
]

GENESIS = "0" * 64
"""The `prev_hash` of the first entry of each chain."""

ABANDONED = "abandoned"
"""What a fulfillment is frozen by that a person gave up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineHead:
    """Where one machine of one fulfillment stands."""

    status: str = START
    seq: int = 0
    since: datetime | None = None
    """When the last event happened on the road; None while there was none since the opening."""
    hash: str = GENESIS
    confirmed: int = 0
    """The last entry that the platform is known to show; 0 while none is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteSnapshot:
    """What the platform said last that we took for true."""

    carrier: RemoteWord
    cod: RemoteWord
    updated_at: datetime
    dates: Mapping[Status, datetime]
    digest: str

    def word(self, machine: Machine) -> RemoteWord:
        """Return its word for one machine."""
        return self.carrier if machine is Machine.DELIVERY else self.cod

    @property
    def statuses(self) -> tuple[Status | None, Status | None]:
        """What its words for the delivery and the cash were read as; None for an unknown one."""
        return self.carrier.status, self.cod.status


@dataclass(frozen=True, kw_only=True, slots=True)
class Fulfillment:
    """The mutable row of one fulfillment, as read; `version` guards every write to it."""

    id: int
    shop_id: int
    ref: FulfillmentRef
    version: int
    delivery: MachineHead
    cod: MachineHead
    cod_amount: int
    tracking_number: str | None = None
    entered_at: datetime | None = None
    """When the parcel came to the delivery status where it stands, as it was told; aware, UTC."""
    held: int = 0
    """How many refused events are kept that a later step may still make legal."""
    open: bool = True
    settled_at: datetime | None = None
    remote: RemoteSnapshot | None = None
    seen_at: datetime | None = None
    verified_at: datetime | None = None
    not_before: datetime | None = None
    missing: int = 0
    missing_since: datetime | None = None
    frozen: str | None = None
    """Why nothing is PUT any more: the kind of the incident that a person must resolve."""
    reassert: str | None = None
    """The digest of an observation that a person decided to overrule."""

    def head(self, machine: Machine) -> MachineHead:
        """Return the head of one machine."""
        return self.delivery if machine is Machine.DELIVERY else self.cod

    def with_head(self, machine: Machine, head: MachineHead, **changes: Any) -> Fulfillment:
        """Return the same parcel with another head of one machine, and with other changes."""
        if machine is Machine.DELIVERY:
            return replace(self, delivery=head, **changes)
        return replace(self, cod=head, **changes)

    @property
    def unpublished(self) -> int:
        """How many entries the platform is not yet known to show."""
        return self.delivery.seq - self.delivery.confirmed + self.cod.seq - self.cod.confirmed


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenKey:
    """An event that was recorded before, as far as a second one must be compared with it."""

    key: str
    verdict: Verdict
    status: Status
    occurred_at: datetime


@dataclass(kw_only=True, slots=True)
class PastEvents:
    """What a parcel's past says that its heads do not: read by the store, continued by a draft."""

    keys: dict[str, SeenKey] = field(default_factory=dict)
    inferred: dict[Status, int] = field(default_factory=dict)
    """For each status that was inferred or made by rule, its newest entry."""
    passed: set[Status] = field(default_factory=set)
    """Every status that an entry led to."""
    late: set[Status] = field(default_factory=set)
    """Statuses of events that came too late; the parcel may have passed them too."""
    waiting: dict[str, ResolvedEvent] = field(default_factory=dict)
    """Refused events that a later one may make legal, by their keys."""
    opened_at: datetime | None = None
    """When the parcel was taken up, where somebody said so."""
    collected_at: datetime | None = None
    """When its cash was collected at the earliest, whoever entered that."""

    def add_key(self, key: str, verdict: Verdict, status: Status, occurred_at: datetime) -> None:
        """Take in that a key stands for an event."""
        self.keys[key] = SeenKey(key=key, verdict=verdict, status=status, occurred_at=occurred_at)

    def add_opening(self, occurred_at: datetime, *, inferred: bool, dated: bool) -> None:
        """Take in the first entry of the delivery; `dated` is one of another moment than its own.

        What was concluded from a later event, or has no time but that of its recording, says only
        that the parcel was taken up no later.
        """
        self.opened_at = occurred_at if dated and not inferred else None

    def add_late(self, status: Status, occurred_at: datetime) -> None:
        """Take in an event that came too late to move anything."""
        self.late.add(status)
        self._collect(status, occurred_at)

    def _collect(self, status: Status, at: datetime) -> None:
        """Note when cash may have been collected first: at the door, or as was told."""
        if status in {Status.DELIVERED, Status.CODPAID}:
            self.collected_at = min(at, self.collected_at or at)

    def add_entry(self, status: Status, seq: int, *, occurred_at: datetime, untold: bool) -> None:
        """Take in an entry of the history; `untold` is one that was inferred or made by rule."""
        self.passed.add(status)
        self._collect(status, occurred_at)
        if untold:
            self.inferred[status] = max(seq, self.inferred.get(status, 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceEntry:
    """A claim that did not become history: a row of evidence to be."""

    resolved: ResolvedEvent
    verdict: Verdict
    reason: Reason
    sentence: str
    recorded_at: datetime
    confirms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """Everything that is to be written about one parcel, at once or not at all."""

    before: Fulfillment
    after: Fulfillment
    entries: tuple[HistoryEntry, ...] = ()
    kept: tuple[EvidenceEntry, ...] = ()
    agreed: AgreedTerms | None = None
    """What is agreed about it from now on, where it is revised."""
