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
    "PlatformWrite",
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
class PlatformWrite:
    """One thing that a platform can be told, and where that leads it."""

    name: str
    """In the platform's own words."""
    to: Status
    """The state that it shows then."""
    after: frozenset[Status] | None = None
    """The states in which it takes it; None for any."""
    one_way: bool = False
    """Whether nothing that it can be told takes it back."""
    pays_cash: bool = False
    """Whether it counts pending cash as paid with it."""

    def may_follow(self, shown: Status | None) -> bool:
        """Tell whether the platform takes it in a state."""
        return self.after is None or shown in self.after


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
    inferred: bool = False
    """Whether nobody told it: it was filled in before a step that was."""


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
    """The step that it was made for."""
    expects: Status
    """What the platform shows if it took it: the step, or a state on the way there."""
    operation: str
    """The write, in its own words."""
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
