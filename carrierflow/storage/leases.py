"""Who may work on a shop: leases, with fences."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    or_,
    select,
    update,
)

from carrierflow.domain.shop import Shop
from carrierflow.errors import ShopHeld
from carrierflow.storage.lease_holders import holder_in_words, is_gone, this_holder
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import shops


__all__ = ["SqlLeases"]


log = logging.getLogger(__name__)

LEFT = dict.fromkeys(("lease_owner", "lease_process", "lease_since", "lease_until"))
"""What the row of a shop says that nobody holds."""

IT = shops.c.id == bindparam("this")
CLAIM = (
    update(shops)
    .where(IT)
    .values(
        {name: bindparam(f"new_{name}", type_=shops.c[name].type) for name in LEFT}
        | {"fence": shops.c.fence + 1}
    )
)
FREE = or_(shops.c.lease_until.is_(None), shops.c.lease_until <= bindparam("now"))
CLAIM_FREE = CLAIM.where(FREE)
READ_FENCE = select(shops.c.fence).where(IT)
RELEASE = (
    update(shops)
    .where(IT, shops.c.fence == bindparam("mine"))
    .values(**LEFT, next_due=bindparam("now", type_=shops.c.next_due.type))
)
"""Each run executes these, so they are put together once."""


class SqlLeases:
    """Who may work on a shop: one run at a time, for so long, with a number that only grows."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._clock = store.database_clock

    def claim(self, shop: Shop, owner: str, span: timedelta) -> int:
        """Take a shop for a run and return the fence.

        Raises:
            ShopHeld: if another run holds it.
        """
        return self._store.transact(lambda c: self._claim(c, shop, owner, span))

    def _claim(self, connection: Connection, shop: Shop, owner: str, span: timedelta) -> int:
        now = self._clock.now(connection)
        mine = {
            "this": shop.id,
            "new_lease_owner": owner,
            "new_lease_process": this_holder(connection),
            "new_lease_since": now,
            "new_lease_until": now + span,
        }
        if not connection.execute(CLAIM_FREE, {**mine, "now": now}).rowcount:
            self._take_over(connection, shop, mine)
        return int(connection.execute(READ_FENCE, {"this": shop.id}).scalar_one())

    def _take_over(self, connection: Connection, shop: Shop, mine: Mapping[str, Any]) -> None:
        """Take a shop from a run that is provably gone; its lease need not run out."""
        it = shops.c
        query = select(it.lease_owner, it.lease_process, it.lease_since, it.lease_until, it.fence)
        holder = connection.execute(query.where(it.id == shop.id)).one()
        if is_gone(connection, holder.lease_process):
            taken = connection.execute(CLAIM.where(it.fence == holder.fence), mine)
            if taken.rowcount:
                extra = {"shop": shop.code, "run": holder.lease_owner}
                log.info("carrierflow.shop.taken_over", extra=extra)
                return
        raise ShopHeld(
            shop.code,
            run=holder.lease_owner,
            process=holder_in_words(holder.lease_process),
            since=holder.lease_since,
            until=holder.lease_until,
        )

    def renew(self, shop: Shop, fence: int, span: timedelta) -> bool:
        """Hold on to a shop for longer; False if another run took it meanwhile."""
        return self._store.transact(lambda c: self._renew(c, shop, fence, span))

    def _renew(self, connection: Connection, shop: Shop, fence: int, span: timedelta) -> bool:
        until = self._clock.now(connection) + span
        mine = {"lease_process": this_holder(connection), "lease_until": until}
        kept = connection.execute(update(shops).where(self._held(shop, fence)).values(**mine))
        return bool(kept.rowcount)

    def release(self, shop: Shop, fence: int) -> None:
        """Let a shop go, if it is still ours, and put it at the end of the queue."""
        self._store.transact(lambda c: self._release(c, shop, fence))

    def _release(self, connection: Connection, shop: Shop, fence: int) -> None:
        given = {"this": shop.id, "mine": fence, "now": self._clock.now(connection)}
        connection.execute(RELEASE, given)

    def holds(self, connection: Connection, shop: Shop, fence: int) -> bool:
        """Tell whether no other run has taken the shop since."""
        query = select(shops.c.id).where(self._held(shop, fence))
        return connection.execute(query).scalar() is not None

    @staticmethod
    def _held(shop: Shop, fence: int) -> Any:
        return and_(shops.c.id == shop.id, shops.c.fence == fence)
