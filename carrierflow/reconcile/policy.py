"""What a carrier may choose about reconciliation: spans, and who wins where no rule says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput


__all__ = [
    "QUANTUM_REQUESTS",
    "QUANTUM_SECONDS",
    "MerchantEdit",
    "Policy",
    "RemoteAhead",
    "RunLimits",
    "check_quantum",
]


class RemoteAhead(StrEnum):
    """What to do where the platform is legally ahead of the ledger."""

    HOLD = "hold"
    ADOPT = "adopt"


class MerchantEdit(StrEnum):
    """What to do where somebody moved the platform back."""

    HOLD = "hold"
    REASSERT = "reassert"


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The choices and the spans that decisions are made with."""

    remote_ahead: RemoteAhead = RemoteAhead.HOLD
    merchant_edit: MerchantEdit = MerchantEdit.HOLD
    settle: timedelta = timedelta(seconds=45)
    """Δ: how long an unanswered request may still take effect."""
    freshness: timedelta = timedelta(seconds=15)
    """How young an observation must be to be acted on."""
    send_deadline: timedelta = timedelta(seconds=2)
    """How long after its intent a write may still leave."""
    request_timeout: timedelta = timedelta(seconds=10)
    verify_within: timedelta = timedelta(hours=24)
    """How old the last look at an open fulfillment may be."""
    grace: timedelta = timedelta(hours=48)
    """How long a fulfillment stays open after its end: late reversals happen."""
    stuck_attempts: int = 8
    refused_times: int = 3
    """So many times the platform must refuse a step before that counts as its word."""
    stuck_after: timedelta = timedelta(hours=24)
    gone_after: timedelta = timedelta(hours=1)
    gone_times: int = 3
    held: frozenset[Status] = frozenset()
    """Statuses that are not told yet, for nothing takes them back on the platform."""
    timeline_tolerance: timedelta = timedelta(hours=6)
    """How much earlier than the carrier the platform may date a status; a forgotten time zone of
    Vietnam is seven hours."""


QUANTUM_SECONDS = 20.0
QUANTUM_REQUESTS = 80
"""What a shop gets before it is the next one's turn: less time than a worker has left that is told
to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLimits:
    """How far one run may go."""

    max_writes: int | None = None
    seconds: float | None = None
    requests: int | None = None
    lease: timedelta = timedelta(seconds=60)
    freeze_share: float = 0.2
    """A run that would freeze or cancel more of the open fulfillments stops instead."""
    freeze_least: int = 20
    """So many it may always freeze or cancel."""


def check_quantum(seconds: float, requests: int) -> None:
    """Raise `InvalidInput` where a share is no time, or no request: a run could do nothing."""
    if not seconds or not requests:
        raise InvalidInput("A share is some seconds and some requests.")
