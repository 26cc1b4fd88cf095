"""What every run works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from carrierflow.domain.clock import Clock
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.shop import Shop
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile.pace import Pace
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.ports import ReconcileStore


__all__ = ["Parts"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What every run works with."""

    store: ReconcileStore
    ledger: Ledger
    lifecycle: Lifecycle
    policy_of: Callable[[Shop], Policy]
    """The choices and spans that decisions about a shop are made with."""
    clock: Clock
    pace: Pace
