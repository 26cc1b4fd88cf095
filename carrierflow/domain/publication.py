"""What was done to publish a fulfillment's history: the steps, the tries, their outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from carrierflow.domain.model import Machine, Source, Status


__all__ = [
    "Attempt",
    "AttemptResult",
    "Outcome",
    "Publication",
    "PublicationLog",
    "PublicationState",
    "PublishableStep",
]


class PublicationState(StrEnum):
    """Where the duty to show one history entry stands; an entry without a row is still to do."""

    TODO = "todo"
    SENT = "sent"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    SUBSUMED = "subsumed"
    ABANDONED = "abandoned"


class Outcome(StrEnum):
    """What became of one attempt."""

    CONFIRMED = "confirmed"
    OTHER_STATUS = "other_status"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    ACCESS_DENIED = "access_denied"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishableStep:
    """One history entry as something to publish."""

    machine: Machine
    seq: int
    from_status: str
    to_status: Status
    source: Source = Source.CARRIER
    cause: str | None = None
    occurred_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """What was tried so far to show one entry to the platform."""

    machine: Machine
    seq: int
    state: PublicationState
    attempts: int = 0
    first_sent_at: datetime | None = None
    sent_at: datetime | None = None
    """When the last attempt's intent was written."""
    ended_at: datetime | None = None
    """When the last attempt ended, or must have ended if no result is on record."""
    confirmed_at: datetime | None = None
    reasserted: int = 0
    """How often the platform was moved on to this entry again after somebody moved it back."""
    excused: int = 0
    """Attempts that a person let pass when resolving an incident."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try at a publication, as its intent recorded it."""

    machine: Machine
    seq: int
    number: int
    status: Status
    run: str
    fence: int
    intent_at: datetime
    send_deadline: datetime
    outcome: Outcome | None = None
    """What became of it, as far as that is on record."""
    reason: str | None = None
    """What was answered, where that was no success."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationLog:
    """The recorded steps of both machines, in order, and everything that was tried."""

    steps: tuple[PublishableStep, ...] = ()
    publications: Mapping[tuple[Machine, int], Publication] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptResult:
    """What became of an attempt, as its result is recorded."""

    attempt: Attempt
    outcome: Outcome
    recorded_at: datetime
    http_status: int | None = None
    reply_digest: str | None = None
    reply_updated_at: str | None = None
    reason: str | None = None
