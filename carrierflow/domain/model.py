"""The words of the ledger as frozen data: who, what, when, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from carrierflow.errors import UnknownStatus


__all__ = [
    "OVERTURNABLE",
    "START",
    "Event",
    "FulfillmentRef",
    "HistoryEntry",
    "Machine",
    "Observation",
    "Opening",
    "Reason",
    "Recorded",
    "RemoteOrder",
    "RemoteWord",
    "RequestSketch",
    "ResolvedEvent",
    "Source",
    "Status",
    "Unreadable",
    "Verdict",
    "parse_status",
]

START = "start"
"""The `from` of the first entry of each machine; no fulfillment ever stands there."""


class Machine(StrEnum):
    """The two independent state machines of one fulfillment."""

    DELIVERY = "delivery"
    COD = "cod"


class Status(StrEnum):
    """A state of either machine."""

    PENDING = "pending"
    READYTOPICK = "readytopick"
    PICKING = "picking"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    NOTMEETCUSTOMER = "notmeetcustomer"
    WAITINGFORRETURN = "waitingforreturn"
    RETURN = "return"
    CANCEL = "cancel"

    NONE = "none"
    CODPENDING = "codpending"
    CODPAID = "codpaid"
    CODRECEIPT = "codreceipt"
    CODNOTRECEIPT = "codnotreceipt"

    @property
    def machine(self) -> Machine:
        """The machine that this status belongs to; no word belongs to both."""
        return Machine.COD if self in COD_STATUSES else Machine.DELIVERY


COD_STATUSES = frozenset(
    {Status.NONE, Status.CODPENDING, Status.CODPAID, Status.CODRECEIPT, Status.CODNOTRECEIPT}
)


def parse_status(word: str) -> Status:
    """Return the status that a word names, whatever its case.

    Raises:
        UnknownStatus: for any other word; it is never mapped to a default.
    """
    try:
        return Status(word.strip().lower())
    except ValueError:
        raise UnknownStatus(word, known=tuple(Status)) from None


class Source(StrEnum):
    """Who caused a history entry."""

    CARRIER = "carrier"
    PLATFORM = "platform"
    OPERATOR = "operator"
    RULE = "rule"


class Verdict(StrEnum):
    """What became of a recorded event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    LATE = "late"
    REFUSED = "refused"


class Reason(StrEnum):
    """Why an event got its verdict, as a code that programs may rely on."""

    LEGAL_STEP = "legal_step"
    GAP_FILLED = "gap_filled"
    KEY_SEEN = "key_seen"
    OLDER_THAN_STATE = "older_than_state"
    CONFIRMS_INFERRED = "confirms_inferred"
    SAME_STATUS = "same_status"
    ILLEGAL_STEP = "illegal_step"
    FINAL_STATUS = "final_status"
    COUPLING = "coupling"
    NEVER_WRITTEN = "never_written"
    BEFORE_OPENING = "before_opening"
    BEFORE_COLLECTION = "before_collection"
    AMENDED = "amended"


OVERTURNABLE = frozenset(
    {Reason.ILLEGAL_STEP, Reason.SAME_STATUS, Reason.COUPLING, Reason.BEFORE_COLLECTION}
)
"""Reasons of a refusal that a later event may overturn."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class FulfillmentRef:
    """One parcel of one order in one shop; platform ids are kept as text."""

    shop: str
    order_id: str
    fulfillment_id: str

    def __str__(self) -> str:
        return f"{self.shop}/{self.order_id}/{self.fulfillment_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What it takes to start a fulfillment in the ledger."""

    ref: FulfillmentRef
    tracking_number: str | None = None
    cod_amount: int | None = None
    """Cash to collect, in whole đồng; None where the teller does not say, which opens as 0."""
    at: datetime | None = None
    """When the carrier took it up, aware; None stands for the time of the event that opens it,
    or for the moment of recording. Of a parcel whose time is said, what the carrier dates more
    than a day before is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened to a parcel or to its cash, as the carrier tells it.

    It names its parcel by the platform's id or by the waybill, and not by both.
    """

    shop: str
    fulfillment_id: str | None = None
    tracking_number: str | None = None
    """The carrier's own number, the waybill, where it stands for one parcel of the shop."""
    status: Status
    occurred_at: datetime | None = None
    """The scanner's clock, aware; None stands for the moment of recording."""
    key: str | None = None
    """Idempotency key, unique within the fulfillment; without one, status and time are it."""
    actor: str | None = None
    reason: str | None = None
    note: str | None = None
    """Free text about the parcel; encrypted, kept apart, erasable: never part of the history."""
    source: Source = Source.CARRIER
    fill_gaps: bool = False
    inferred: bool = False
    """Concluded from what a platform shows, not told by the carrier."""
    opening: Opening | None = None
    """Opens the fulfillment first where the ledger does not know it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedEvent:
    """An event with everything settled that its teller may leave open."""

    status: Status
    occurred_at: datetime
    key: str
    timed: bool = True
    """Whether the teller gave the time; a repeated claim without one matches any."""
    source: Source = Source.CARRIER
    actor: str | None = None
    reason: str | None = None
    note_digest: str | None = None
    fill_gaps: bool = False
    inferred: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryEntry:
    """One accepted transition; never changed afterwards."""

    machine: Machine
    seq: int
    from_status: str
    to_status: str
    definition: str
    source: Source
    actor: str | None
    reason: str | None
    key: str | None
    occurred_at: datetime
    recorded_at: datetime
    inferred: bool
    cause: str | None
    """The entry that made this one necessary, as `machine:seq`."""
    amends: int | None
    note_digest: str | None
    prev_hash: str
    hash: str = ""

    def with_hash(self, entry_hash: str) -> HistoryEntry:
        """Return this entry, which had no hash yet, bearing it: the last step of making one."""
        if self.hash:
            raise ValueError("this entry bears a hash already")
        object.__setattr__(self, "hash", entry_hash)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """The answer to a recorded event."""

    ref: FulfillmentRef
    """The parcel that it was about, by whichever name the event gave."""
    verdict: Verdict
    reason: Reason
    sentence: str
    carrier_status: Status
    cod_status: Status
    entries: tuple[HistoryEntry, ...] = ()
    first: Verdict | None = None
    """For a duplicate, what the first one got."""

    def status_of(self, machine: Machine) -> Status:
        """Return where one machine of the parcel stands."""
        return self.carrier_status if machine is Machine.DELIVERY else self.cod_status


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteWord:
    """A platform's status word, and our status for it if we know one."""

    raw: str
    status: Status | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """What the platform said about one fulfillment, and when we asked."""

    ref: FulfillmentRef
    asked_at: datetime
    seen_at: datetime
    carrier: RemoteWord
    cod: RemoteWord
    updated_at: datetime
    updated_at_raw: str
    created_at: datetime | None = None
    dates: Mapping[Status, datetime] = field(default_factory=dict)
    """For each status ever entered, when the platform says it was; aware, UTC."""
    dates_raw: Mapping[Status, str] = field(default_factory=dict)
    """The same dates exactly as printed: evidence, never compared."""
    order_cancelled: bool = False
    tracking_number: str | None = None
    tracking_company_code: str | None = None
    cod_amount: int | None = None
    source: str = "orders"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A row of a platform's reply, or a part of one, that cannot be read; nothing of it is kept."""

    place: str
    """Where it stood, as `orders[3].fulfillments[0]`."""
    reason: str
    """What is wrong with it, without a value of it."""
    digest: str
    """Of its canonical JSON."""
    order_id: str | None = None
    fulfillment_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteOrder:
    """One order as the platform shows it, with all of its fulfillments, ours or not.

    What could be read of it is here; what could not be is said beside it.
    """

    order_id: str
    """Empty where it cannot be read."""
    updated_at: datetime | None
    """None where it cannot be read."""
    cancelled: bool
    fulfillments: tuple[Observation, ...]
    unreadable: tuple[Unreadable, ...] = ()
    left_out: bool = False
    """Whether it has fulfillments, or may have, and the reply shows none."""

    def may_hide(self, fulfillment_id: str) -> bool:
        """Tell whether a fulfillment that is not seen may be one of the rows not read."""
        return any(row.fulfillment_id in {None, fulfillment_id} for row in self.unreadable)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSketch:
    """A request as a person could repeat it; it never holds a token."""

    method: str
    url: str
