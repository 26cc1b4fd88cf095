"""What one run shows to be over: the incidents of a shop that close by themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from carrierflow.domain.amounts import AMOUNTS_DIFFER
from carrierflow.domain.clock import Clock
from carrierflow.domain.shop import Shop
from carrierflow.reconcile.ports import ReconcileStore
from carrierflow.reconcile.run_counters import EndState, PublishResult, RunCounters


__all__ = ["Healing"]

AGREEMENT = frozenset({"cannot_be_told", "cash_disputed", "order_cancelled"})
"""What was reported of a fulfillment, and is over once both sides agree about it."""


class Healing:
    """Closes incidents of one shop whose cause a run no longer finds.

    What was open when the run began is asked for once; what it opens itself is for the next one.
    """

    def __init__(self, store: ReconcileStore, shop: Shop, clock: Clock) -> None:
        self._store = store
        self._shop = shop
        self._clock = clock
        self._any = False
        self._unread: set[str] = set()
        self._reported: dict[str, set[int]] = {}

    def begin(self, *, incidents: int) -> None:
        """Ask what is open, where anything is."""
        self._any = bool(incidents)
        if self._any:
            self._unread = self._store.unread_orders(self._shop)
            self._reported = self._store.parcels_with(self._shop, {AMOUNTS_DIFFER, *AGREEMENT})

    def read(self, order_ids: Collection[str]) -> None:
        """Close what could not be read of some orders before; the empty one is of no order."""
        if healed := self._unread & set(order_ids):
            self._store.close_order_incidents(self._shop, healed, now=self._clock())
            self._unread -= healed

    def equal(self, parcel_ids: Collection[int]) -> None:
        """Row 20, the other way round: close what was told of two amounts that are one again."""
        self._over(AMOUNTS_DIFFER, parcel_ids)

    def agreed(self, parcel_ids: Collection[int]) -> None:
        """Close what is over of fulfillments about which both sides agree."""
        for kind in AGREEMENT:
            self._over(kind, parcel_ids)

    def settled(self, result: PublishResult) -> None:
        """Close what is over of a fulfillment after the turns at it, where they ended in sync."""
        if result.ending is EndState.IN_SYNC:
            for kind in AGREEMENT - result.found:
                self._over(kind, {result.case.parcel.id})

    def ended(self, counters: RunCounters, *, asked: bool) -> None:
        """Close what the run as such has shown to be over; `asked` whether anything was."""
        if not self._any:
            return
        now = self._clock()
        if counters.checked or asked:
            written = counters.published > 0 or self._nothing_to_tell(now)
            self._store.close_denials(self._shop, written=written, now=now)
        self._store.close_known(self._shop, now=now)

    def whole(self) -> None:
        """Close what says that too much would be done at once: a run did all there was to do."""
        if self._any:
            self._store.close_shop_incidents(self._shop, "brake", now=self._clock())

    def _nothing_to_tell(self, now: datetime) -> bool:
        """Tell whether no write is wanted at all: what is frozen would want one too."""
        return not self._store.coverage(self._shop, since=now).unpublished

    def _over(self, kind: str, parcel_ids: Collection[int]) -> None:
        reported = self._reported.get(kind, set())
        if over := reported & set(parcel_ids):
            self._store.close_parcel_incidents(self._shop, kind, over, now=self._clock())
            reported -= over
