"""Reading a shop: what changed there, and in which order our own orders are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from carrierflow.model import RemoteOrder
from carrierflow.ports import Platform, Work


__all__ = ["BATCH", "OVERLAP", "Pool", "changed_orders", "newest"]

BATCH = 50
"""Orders in one request; Haravan clamps larger pages to this silently."""

OVERLAP = timedelta(minutes=5)
"""How far a sweep goes back before the last change that it saw: changes may surface late."""


def changed_orders(platform: Platform, since: datetime) -> Iterator[tuple[RemoteOrder, ...]]:
    """Read all orders changed at or after a time, a page at a time, each change once.

    The next page begins at the last change seen, not at a page number: pages shift while
    orders change. Only where a whole page bears one time is the page number moved on. Orders
    that change while we read, by our own PUTs too, come again at the end; a page with nothing
    else ends the sweep, or it would chase its own tail. The next sweep begins before them.
    Where pages were counted, an order that went away from them drew others over the edge of a
    page: those pages are read again.
    """
    seen: set[tuple[str, datetime | None]] = set()
    known: dict[str, datetime | None] = {}
    crowded: set[datetime | None] = set()
    page, counted, shifted = 1, None, False
    while True:
        orders = platform.orders_changed(since, page=page)
        fresh = tuple(o for o in orders if (o.order_id, o.updated_at) not in seen)
        seen.update((order.order_id, order.updated_at) for order in orders)
        if fresh:
            yield fresh
        last = newest(orders, since)
        is_tail = bool(fresh) and all(order.order_id in known for order in orders)
        shifted = shifted or any(known.get(order.order_id) in crowded for order in fresh)
        known.update((order.order_id, order.updated_at) for order in orders)
        if len(orders) < BATCH or (is_tail and last > since):
            if counted is None or not shifted:
                return
            since, page, counted, shifted = counted, 1, None, False
        elif last > since:
            since, page = last, 1
        else:
            crowded.add(last)
            counted, page = counted or since, page + 1


def newest(orders: Iterable[RemoteOrder], since: datetime) -> datetime:
    """Return the last change among some orders, as far as it can be read; `since` if none is."""
    return max((order.updated_at for order in orders if order.updated_at), default=since)


class Pool:
    """Orders that are still to be looked at: those with work, and those that are only due.

    While both are left, a batch takes no more work than can be written while its reading is
    young, and is filled up to 50 with orders that only have to be compared. A batch is never
    smaller for it: what grows too old is read again with the next ones.

    Orders that are due are taken from their iterator as they are wanted: there may be any
    number of them, and most are in agreement. `expected` says how many there are at first.
    """

    def __init__(self, work: Iterable[Work], due: Iterable[str], *, expected: int = 0) -> None:
        # A plain dict would pass over all that was taken before at each taking of its first.
        self._again: OrderedDict[str, Work] = OrderedDict()
        self._work = OrderedDict((each.order_id, each) for each in work)
        self._due = iter(due)
        self._ahead: str | None = None
        self._expected = expected
        self._otherwise: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._again or self._work or self._next_due())

    @property
    def has_work(self) -> bool:
        """Tell whether an order is left that may be written to."""
        return bool(self._again or self._work)

    @property
    def left(self) -> int:
        """About how many orders are still to be looked at."""
        return len(self._again) + len(self._work) + max(0, self._expected)

    def drop(self, order_ids: Iterable[str]) -> None:
        """Forget orders that were looked at otherwise."""
        for order_id in order_ids:
            self._again.pop(order_id, None)
            self._work.pop(order_id, None)
            self._otherwise.add(order_id)

    def again(self, work: Iterable[Work]) -> None:
        """Take orders that are the next ones: hinted at, or read and grown too old since."""
        for each in work:
            self.drop([each.order_id])
            self._again[each.order_id] = each

    def take(self, *, puts: int) -> list[str]:
        """Return the next batch of up to 50 orders, with about so many PUTs in it."""
        batch: list[str] = []
        for waiting in (self._again, self._work):
            while (
                waiting and len(batch) < BATCH and (puts > 0 or not batch or not self._next_due())
            ):
                order_id, each = waiting.popitem(last=False)
                puts -= each.puts
                batch.append(order_id)
                self._otherwise.add(order_id)
        while len(batch) < BATCH and (due := self._next_due()):
            self._ahead = None
            self._expected -= 1
            batch.append(due)
        return batch

    def _next_due(self) -> str | None:
        """Return the next order that is only due, without taking it; None if there is none."""
        if self._ahead is None or self._is_otherwise(self._ahead):
            self._ahead = next((o for o in self._due if not self._is_otherwise(o)), None)
        return self._ahead

    def _is_otherwise(self, order_id: str) -> bool:
        return order_id in self._work or order_id in self._otherwise
