"""Where a shop's orders stand, with every earlier version, in the orders that lists ask for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import TYPE_CHECKING

from carrierflow.sandbox.haravan.dotnet_time import HALF_UP_MILLISECONDS, rounded
from carrierflow.sandbox.versions import Versions


if TYPE_CHECKING:
    from collections.abc import Iterator

    from carrierflow.sandbox.haravan.parcels import Order


__all__ = ["OrderIndex"]


class OrderIndex:
    """The orders of one shop, indexed by id and by `updated_at`.

    The second index holds the rounded time, because that is what a client has read and filters by.
    """

    def __init__(self) -> None:
        self._orders: dict[int, Versions[Order]] = {}
        self._ids: list[int] = []
        self._by_update: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order_id: int) -> bool:
        return order_id in self._orders

    def get(self, order_id: int, as_of: int | None = None) -> Order | None:
        """Return one order as it is, or as it was at a moment."""
        versions = self._orders.get(order_id)
        return versions.as_of(as_of) if versions else None

    def put(self, at: int, order: Order) -> None:
        """Store a new order, or a new version of one."""
        versions = self._orders.get(order.id)
        if versions is None:
            self._orders[order.id] = Versions(at, order)
            insort(self._ids, order.id)
        else:
            self._forget_update(versions.now)
            versions.add(at, order)
        insort(self._by_update, _update_key(order))

    def remove(self, order_id: int) -> None:
        """Take an order away as if it had never been."""
        self._forget_update(self._orders.pop(order_id).now)
        del self._ids[bisect_left(self._ids, order_id)]

    def after_id(self, since_id: int = 0, as_of: int | None = None) -> Iterator[Order]:
        """Yield the orders with a greater id, ascending, as they are or as they were."""
        first = bisect_right(self._ids, since_id)
        for at in range(first, len(self._ids)):
            order = self._orders[self._ids[at]].as_of(as_of)
            if order is not None:
                yield order

    def updated_from(self, moment: int | None) -> Iterator[Order]:
        """Yield the orders updated at a moment or later, the earliest first."""
        first = 0 if moment is None else bisect_left(self._by_update, (moment, 0))
        places = range(first, len(self._by_update))
        return (self._orders[self._by_update[at][1]].now for at in places)

    def _forget_update(self, order: Order) -> None:
        del self._by_update[bisect_left(self._by_update, _update_key(order))]


def _update_key(order: Order) -> tuple[int, int]:
    return rounded(order.updated_at, HALF_UP_MILLISECONDS), order.id
