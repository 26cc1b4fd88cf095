"""Whom a webhook lets be looked at next; nothing else changes by one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, select, update

from carrierflow.domain.shop import ShopState
from carrierflow.storage.binding import sliced
from carrierflow.storage.shop_queue import wake_shops
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import fulfillments, shops


__all__ = ["SqlHintStore", "mark_hinted"]


class SqlHintStore:
    """Hints about the connected shops of one platform; each is a transaction of its own."""

    def __init__(self, store: SqlStore, *, platform: str) -> None:
        self._store = store
        self._platform = platform

    def hint(self, shop: str, order_id: str, *, now: datetime) -> None:
        """Let the parcels of an order be the next ones looked at; none that is not known."""
        s = shops.c
        mine = select(s.id).where(
            s.code == shop, s.platform == self._platform, s.state != ShopState.REVOKED
        )
        self._store.transact(lambda c: mark_hinted(c, mine, order_id, now=now))


def mark_hinted(
    connection: Connection, mine: Select[tuple[int]], order_id: str, *, now: datetime
) -> None:
    """Let the parcels of an order, and their shop among some, be the next ones looked at.

    Nothing else of them changes: neither their version, nor when they were last verified. A shop
    that is left alone for a while stays so: its host says nothing, whoever hints.
    """
    f = fulfillments.c
    named = (f.order_id == order_id) & f.shop.in_(mine)
    found = set(connection.execute(select(f.shop).where(named)).scalars())
    if found:
        connection.execute(update(fulfillments).where(named).values(hinted_at=now))
    for some in sliced(connection, found):
        wake_shops(connection, shops.c.id.in_(some), now=now)
