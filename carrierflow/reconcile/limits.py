"""How far one run may go, what it works with, and why it may end early."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from carrierflow.domain.clock import Clock
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.errors import Interrupted, PlatformUnavailable, ShopHeld, Throttled
from carrierflow.ledger.ledger import Ledger
from carrierflow.ports import ReconcileStore
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.report import EndReason


__all__ = ["Limits", "Parts", "StopRun", "ending_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How far one run may go."""

    max_writes: int | None = None
    seconds: float | None = None
    requests: int | None = None
    lease: timedelta = timedelta(seconds=60)
    verify_within: timedelta = timedelta(hours=24)
    freeze_share: float = 0.2
    """A run that would freeze or cancel more of the open fulfillments stops instead."""
    freeze_least: int = 20
    """So many it may always freeze or cancel."""


class StopRun(Exception):  # noqa: N818
    """A run ends early, for a reason that is no defect."""

    def __init__(self, reason: EndReason, sentence: str | None = None) -> None:
        self.reason = reason
        self.sentence = sentence
        super().__init__(sentence or reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What every run works with."""

    store: ReconcileStore
    ledger: Ledger
    lifecycle: Lifecycle
    policy: Policy
    clock: Clock


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
