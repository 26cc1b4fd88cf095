"""What a run counts while it goes, and how the turns at one fulfillment can end."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import FulfillmentRef
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.evaluate import Evaluation
from carrierflow.reconcile.ports import KnownParcel


__all__ = ["EndState", "PublishResult", "RunCounters", "ending_of"]


class EndState(StrEnum):
    """Why the turns at one fulfillment ended."""

    IN_SYNC = "in_sync"
    NOTED = "noted"
    AWAITING = "awaiting"
    WAITING = "waiting"
    FROZEN = "frozen"
    READ_AGAIN = "read_again"
    CUT_SHORT = "cut_short"


@dataclass(slots=True)
class RunCounters:
    """What a run did so far; every part of the run adds to the same one."""

    since: datetime
    """When the run began: whoever was verified after that was counted already."""
    checked: int = 0
    """The fulfillments compared, each once."""
    out_of_sync: set[int] = field(default_factory=set)
    """Those of them that were not in sync at last, by their own ids."""
    awaiting: set[int] = field(default_factory=set)
    """Those of them whose unpublished steps are not ours to tell now, by their own ids."""
    orders: int = 0
    """The orders looked at, each once."""
    published: int = 0
    adopted: list[FulfillmentRef] = field(default_factory=list)
    """The fulfillments of which a step of the platform's was adopted, once for each step."""
    waiting: int = 0
    frozen: list[FulfillmentRef] = field(default_factory=list)
    """The fulfillments that were frozen."""
    incidents_opened: int = 0
    writes: int = 0
    failures_in_a_row: int = 0
    """Writes without an answer since the platform last took one."""
    refusals_in_a_row: int = 0
    """Writes that were refused since the platform last took one."""
    refuses_writes: bool = False
    """Whether the platform did not accept the token for a write."""
    rows: dict[str, int] = field(default_factory=dict)

    @property
    def in_sync(self) -> int:
        """How many of the fulfillments compared were in sync at last."""
        return self.checked - len(self.out_of_sync)

    def look_at_orders(self, parcels: Collection[KnownParcel]) -> None:
        """Count the orders of some fulfillments, before any of these is looked at."""
        known = {parcel.order_id for parcel in parcels if self._was_counted(parcel)}
        self.orders += len({parcel.order_id for parcel in parcels} - known)

    def look(self, parcel: Fulfillment | KnownParcel, *, in_sync: bool) -> None:
        """Count a fulfillment, as it was before it was looked at, by how the look ended."""
        self.checked += not self._was_counted(parcel)
        (self.out_of_sync.discard if in_sync else self.out_of_sync.add)(parcel.id)

    def _was_counted(self, parcel: Fulfillment | KnownParcel) -> bool:
        """Tell whether this run looked at a fulfillment before; no list of them all is kept."""
        verified_at = parcel.verified_at
        return parcel.id in self.out_of_sync or (
            verified_at is not None and verified_at > self.since
        )

    def count(self, evaluation: Evaluation) -> None:
        """Count the rows that decided a turn."""
        self.count_rows(evaluation.rows)

    def count_rows(self, rows: Iterable[str]) -> None:
        """Count rows that decided."""
        for row in rows:
            self.rows[row] = self.rows.get(row, 0) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishResult:
    """Where the turns at one fulfillment ended."""

    case: Case
    ending: EndState
    found: frozenset[str] = frozenset()
    """The kinds of incidents that the last turn found."""


def ending_of(evaluation: Evaluation) -> EndState:
    """Return how a turn without anything more to do ended."""
    if evaluation.case.parcel.frozen:
        return EndState.FROZEN
    if evaluation.must_read_again or evaluation.discarded:
        return EndState.READ_AGAIN
    if evaluation.wait_until is not None:
        return EndState.WAITING
    if evaluation.awaits:
        return EndState.AWAITING
    return EndState.IN_SYNC if evaluation.in_sync else EndState.NOTED
