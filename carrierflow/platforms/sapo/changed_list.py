"""Sapo's list of changed orders, given oldest change first, whatever order it comes in.

Its order is not documented, nor is the filter `modified_on_min` on this API; a page has up to as
many orders as are asked for, and `metadata` says how many there are on all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import count, pairwise

from carrierflow.domain.model import RemoteOrder
from carrierflow.errors import ReadRefused
from carrierflow.platforms.sapo.order_bodies import OrderPage


__all__ = ["ChangedList"]

_NEVER = datetime.min.replace(tzinfo=UTC)


class ChangedList:
    """The orders that changed, in pages whose first ones hold the oldest changes.

    A page that comes oldest change first is given as it is, once the number of later changes has
    shown that nothing else lies before its end. Where it does not, the first page may hold any
    orders: from then on all pages are read for each that is asked for, which costs a request for
    every fifty orders that changed, each time.

    Args:
        read: reads one page of the list, as it comes.
        size: how many orders are asked for on a page.
    """

    def __init__(self, read: Callable[[datetime, int], OrderPage], *, size: int) -> None:
        self._read = read
        self._size = size
        self._is_sorted = True

    def page(self, since: datetime, number: int) -> tuple[RemoteOrder, ...]:
        """Return one page of the orders that changed at or after a time, oldest change first.

        Raises:
            ReadRefused: what it lists did not change since, and there is more of it.
        """
        since = since.replace(microsecond=0)  # as the filter is printed
        if self._is_sorted:
            found = self._read(since, number)
            if self._can_be_given(found, since, number):
                return _changed(found.orders, since)
            self._is_sorted = False
        return self._all(since)[(number - 1) * self._size : number * self._size]

    def _can_be_given(self, page: OrderPage, since: datetime, number: int) -> bool:
        """Tell whether a page holds what it would hold if the list came oldest change first."""
        size, before = len(page.orders), (number - 1) * self._size
        if size == 0 or (page.total is not None and before + size >= page.total):
            return number == 1 or _is_sorted(page.orders)
        _check_filter(page.orders, since)
        if size != self._size or page.total is None or not _is_sorted(page.orders):
            return False
        # A page may be in order by chance; but then others changed before its last one.
        later = self._read(max(map(_change, page.orders)), 1)
        return later.total is not None and later.total >= page.total - before - size

    def _all(self, since: datetime) -> tuple[RemoteOrder, ...]:
        """Read every page; one that brings nothing new is the end, whatever is said of a total."""
        found: dict[str, RemoteOrder] = {}
        rows = 0
        for number in count(1):
            page = self._read(since, number)
            fresh = {_name(order): order for order in page.orders}
            brings_nothing = fresh.keys() <= found.keys()
            found |= fresh
            rows += len(page.orders)
            if brings_nothing or (page.total is not None and rows >= page.total):
                break
            _check_filter(page.orders, since)
        return _changed(found.values(), since)


def _changed(orders: Iterable[RemoteOrder], since: datetime) -> tuple[RemoteOrder, ...]:
    """Return what changed since, or may have, oldest change first."""
    changed = (each for each in orders if each.updated_at is None or each.updated_at >= since)
    return tuple(sorted(changed, key=_change))


def _is_sorted(orders: Sequence[RemoteOrder]) -> bool:
    changes = [order.updated_at for order in orders if order.updated_at is not None]
    return all(one <= next_one for one, next_one in pairwise(changes))


def _check_filter(orders: Iterable[RemoteOrder], since: datetime) -> None:
    if any(each.updated_at is not None and each.updated_at < since for each in orders):
        raise ReadRefused("it lists orders that did not change since the time asked about")


def _change(order: RemoteOrder) -> datetime:
    return order.updated_at or _NEVER


def _name(order: RemoteOrder) -> str:
    """Return what an order is known again by; one without a readable id by how it looks."""
    return order.order_id or order.unreadable[0].digest
