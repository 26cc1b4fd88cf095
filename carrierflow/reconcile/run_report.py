"""What a run tells about itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import Interrupted, PlatformUnavailable, ShopHeld, Throttled
from carrierflow.reconcile.ports import RequestCounts


__all__ = ["FAILURES", "EndReason", "Requests", "RunReport", "StopRun", "ending_of"]

SUMMED = (
    "orders",
    "checked",
    "in_sync",
    "published",
    "adopted",
    "frozen",
    "incidents_opened",
    "stale",
)


NAMED = ("adopted_fulfillments", "frozen_fulfillments")


class EndReason(StrEnum):
    """Why a run at one shop ended."""

    DONE = "done"
    QUANTUM = "quantum"
    """Its share of time or requests was used up; the next run goes on."""
    MAX_WRITES = "max_writes"
    BRAKE = "brake"
    """It would have frozen or cancelled too much, or most orders were missing."""
    ACCESS_DENIED = "access_denied"
    UNAVAILABLE = "unavailable"
    RESTING = "resting"
    """The platform did not answer the last times, and is asked again later; nothing was tried."""
    THROTTLED = "throttled"
    """The platform wants a longer pause than a run waits for; the next run goes on."""
    LEASE_LOST = "lease_lost"
    SHOP_HELD = "shop_held"
    NOT_ACTIVE = "not_active"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


FAILURES = frozenset(
    {EndReason.BRAKE, EndReason.ACCESS_DENIED, EndReason.UNAVAILABLE, EndReason.FAILED}
)
"""After these endings the work is not done, and no other run does it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Requests:
    """Requests that left."""

    get: int = 0
    put: int = 0
    throttled: int = 0
    alone: int = 0
    """Of the GETs, those for one order whose fulfillments a list had left out."""

    @classmethod
    def of(cls, made: RequestCounts) -> Requests:
        """Return what a connection has made so far."""
        return cls(get=made.get, put=made.put, throttled=made.throttled, alone=made.alone)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunReport:
    """What a run at one shop found and did."""

    shop: str
    run: str
    started_at: datetime
    ended_at: datetime
    end_reason: EndReason
    sentence: str | None = None
    """What went wrong, where something did."""
    requests: Requests = field(default_factory=Requests)
    orders: int = 0
    """Orders looked at."""
    checked: int = 0
    """Fulfillments compared."""
    in_sync: int = 0
    published: int = 0
    """Writes that the platform confirmed."""
    adopted: int = 0
    """Steps of the platform's that became history."""
    adopted_fulfillments: tuple[FulfillmentRef, ...] = ()
    """The fulfillments that they belong to."""
    waiting: int = 0
    """Fulfillments with an unanswered write, or another reason to look again later."""
    frozen: int = 0
    """Fulfillments frozen by this run."""
    frozen_fulfillments: tuple[FulfillmentRef, ...] = ()
    """Their names."""
    incidents_opened: int = 0
    awaiting: int = 0
    """Fulfillments whose steps are not told now: the platform leads, the policy holds them, or a
    person was told that it cannot be done."""
    left: int = 0
    """Further ones with steps that the platform is not known to show."""
    left_fulfillments: tuple[FulfillmentRef, ...] = ()
    """Their names, those that were opened first, 100 at most."""
    next_look_at: datetime | None = None
    """When the first of the waiting ones can be decided, or the platform be asked again."""
    stale: int = 0
    """Lines of a plan whose evidence had changed; they were left alone."""
    rows: dict[str, int] = field(default_factory=dict)
    """How often each row of the decision table decided."""

    def then(self, later: RunReport) -> RunReport:
        """Return one report for this run and a later one that went on where it ended."""
        both: dict[str, Any] = {n: getattr(self, n) + getattr(later, n) for n in (*SUMMED, *NAMED)}
        both |= {name: tuple(dict.fromkeys(both[name])) for name in NAMED}
        mine, theirs = asdict(self.requests), asdict(later.requests)
        return replace(
            later,
            started_at=self.started_at,
            requests=Requests(**{name: mine[name] + theirs[name] for name in mine}),
            rows=dict(sorted((Counter(self.rows) + Counter(later.rows)).items())),
            **both,
        )

    @property
    def held(self) -> bool:
        """Tell whether another run has the shop, and does the work: at the begin or since."""
        return self.end_reason in {EndReason.SHOP_HELD, EndReason.LEASE_LOST}

    @property
    def failed(self) -> bool:
        """Tell whether the run could not do its work, and no other does it."""
        return self.end_reason in FAILURES


class StopRun(Exception):  # noqa: N818 - as its sentence says
    """A run ends early, for a reason that is no defect."""

    def __init__(self, reason: EndReason, sentence: str | None = None) -> None:
        self.reason = reason
        self.sentence = sentence
        super().__init__(sentence or reason)


ENDINGS = {
    Interrupted: EndReason.INTERRUPTED,
    Throttled: EndReason.THROTTLED,
    PlatformUnavailable: EndReason.UNAVAILABLE,
    ShopHeld: EndReason.LEASE_LOST,
}
"""What ends a run from outside, the more special before the more general."""


def ending_of(error: Exception) -> EndReason:
    """Return how a run ends that something from outside ended."""
    return next(reason for kind, reason in ENDINGS.items() if isinstance(error, kind))
