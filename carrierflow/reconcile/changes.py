"""Reading a shop: what changed there, and in which order our own orders are looked at."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count

from carrierflow.domain.model import RemoteOrder
from carrierflow.errors import PlatformUnavailable
from carrierflow.reconcile.ports import OrderWithWork, Platform


__all__ = ["BATCH", "OVERLAP", "OrderQueue", "Unsettled", "changed_orders", "newest"]

BATCH = 50
"""Orders in one request, as the port `Platform` has it."""

OVERLAP = timedelta(minutes=5)
"""How far a sweep goes back before the last change that it saw: changes may surface late."""

CHASED = 10
"""How often all that is known of a shop may change while it is read, before that is given up."""


class Unsettled(PlatformUnavailable):
    """The shop's orders change faster than they can be read."""

    def __init__(self) -> None:
        super().__init__("its orders change faster than they can be read")


def changed_orders(
    platform: Platform, since: datetime, *, whole: bool = False
) -> Iterator[tuple[RemoteOrder, ...]]:
    """Read all orders changed at or after a time, a page at a time, each change once.

    The next page begins at the last change seen, not at a page number: pages shift while
    orders change and go. Only where a whole page bears one time pages are counted, until two
    passes over them saw the same: what shifted between the pages of the one is missing there.

    Orders that change while we read, by our own writes too, come again at the end. A page with
    nothing else ends the sweep, or it would chase its own tail; the next sweep begins before
    it. Where the `whole` shop is wanted there is no next one: that page may be followed by
    orders that never came, so it goes on to the end.

    Raises:
        Unsettled: if the whole is wanted, and changes faster than it can be read.
    """
    seen: set[tuple[str, datetime | None]] = set()
    known: set[str] = set()
    chased = 0
    while True:
        last = since
        for orders in _page_or_crowd(platform, since):
            fresh = tuple(each for each in orders if _change(each) not in seen)
            is_new = any(_name(order) not in known for order in orders)
            is_tail = bool(fresh) and not is_new
            chased = 0 if is_new else chased + is_tail
            seen.update(map(_change, orders))
            known.update(map(_name, orders))
            if fresh:
                yield fresh
            last = newest(orders, since)
        if len(orders) < BATCH or (is_tail and not whole):
            return
        if chased > CHASED * (1 + len(known) // BATCH):
            raise Unsettled
        since = last


def _page_or_crowd(platform: Platform, since: datetime) -> Iterator[tuple[RemoteOrder, ...]]:
    """Read one page; where it bears one time alone, those of that time, till they stand still."""
    before: set[tuple[str, datetime | None]] | None = None
    for _ in range(CHASED):
        here: set[tuple[str, datetime | None]] = set()
        for page in count(1):
            orders = platform.orders_changed(since, page=page)
            yield orders
            here.update(map(_change, orders))
            if len(orders) < BATCH or newest(orders, since) > since:
                break
        if page == 1 or here == before:
            return
        before = here
    raise Unsettled


def _name(order: RemoteOrder) -> str:
    """Return what an order is known again by; one without a readable id by how it looks."""
    return order.order_id or order.unreadable[0].digest


def _change(order: RemoteOrder) -> tuple[str, datetime | None]:
    return _name(order), order.updated_at


def newest(orders: Iterable[RemoteOrder], since: datetime) -> datetime:
    """Return the last change among some orders, as far as it can be read; `since` if none is."""
    return max((order.updated_at for order in orders if order.updated_at), default=since)


class OrderQueue:
    """Orders that are still to be looked at: those with work, and those that are only due.

    While both are left, a batch takes no more work than can be written while its reading is
    young, and is filled up to 50 with orders that only have to be compared. A batch is never
    smaller for it, unless each order costs a request: what grows too old is read again with the
    next ones.

    Orders that are due are taken from their iterator as they are wanted: there may be any
    number of them, and most are in agreement. `expected` says how many there are at first.
    """

    def __init__(
        self, work: Iterable[OrderWithWork], due: Iterable[str], *, expected: int = 0
    ) -> None:
        # A plain dict would pass over all that was taken before at each taking of its first.
        self._again: OrderedDict[str, OrderWithWork] = OrderedDict()
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

    def again(self, work: Iterable[OrderWithWork]) -> None:
        """Take orders that are the next ones: hinted at, or read and grown too old since."""
        for each in work:
            self.drop([each.order_id])
            self._again[each.order_id] = each

    def take(self, *, requests: int, one_by_one: bool = False) -> list[str]:
        """Return the next batch of up to 50 orders, with work for about so many requests.

        Where orders are read one by one, reading costs requests too: a batch with work is then
        no larger than what can be read and written, and is not filled up.
        """
        batch = self._take_work(requests, one_by_one=one_by_one)
        if batch and one_by_one:
            return batch
        while len(batch) < BATCH and (due := self._next_due()):
            self._ahead = None
            self._expected -= 1
            batch.append(due)
        return batch

    def _take_work(self, requests: int, *, one_by_one: bool) -> list[str]:
        batch: list[str] = []
        for waiting in (self._again, self._work):
            while (
                waiting
                and len(batch) < BATCH
                and (requests > 0 or not (batch and (one_by_one or self._next_due())))
            ):
                order_id, each = waiting.popitem(last=False)
                requests -= each.puts + one_by_one
                batch.append(order_id)
                self._otherwise.add(order_id)
        return batch

    def _next_due(self) -> str | None:
        """Return the next order that is only due, without taking it; None if there is none."""
        if self._ahead is None or self._is_otherwise(self._ahead):
            self._ahead = next((o for o in self._due if not self._is_otherwise(o)), None)
        return self._ahead

    def _is_otherwise(self, order_id: str) -> bool:
        return order_id in self._work or order_id in self._otherwise
