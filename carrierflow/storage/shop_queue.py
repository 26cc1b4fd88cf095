"""Which shops want a run: their rows are the queue, and whoever works on them asks here.

A shop is due from `next_due` on. Whoever takes it to a worker says so in `queued_until`, and it is
offered to nobody else until then; the run that begins takes that back. So what a broker loses is
offered again, and what it says twice does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)

from carrierflow.domain.shop import Shop, ShopState
from carrierflow.errors import UnknownShop
from carrierflow.storage.binding import sliced
from carrierflow.storage.database_clock import EPOCH
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.shops import shop_from
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import fulfillments, shops
from carrierflow.storage.types import UtcDateTime


__all__ = ["SqlShopQueue", "wake_shops"]

SKIPS_LOCKED = {"mysql": (8,), "mariadb": (10, 6)}
"""From which version on a server passes over rows that somebody else holds."""

LOOK_FOR_WORK = timedelta(seconds=5)
"""How often a process looks for new work at shops that are not due."""

s, f = shops.c, fulfillments.c

NOW = bindparam("now", type_=UtcDateTime())
OURS = bindparam("ours", type_=UtcDateTime())
"""The moment by the database's clock, and by ours."""

IS_AWAKE = or_(s.retry_at.is_(None), s.retry_at <= OURS)
"""Whether nobody leaves it alone for a while."""
IS_FREE = or_(s.lease_until.is_(None), s.lease_until <= NOW)
IS_DUE = and_(
    s.state == ShopState.ACTIVE,
    s.next_due <= NOW,
    or_(s.queued_until.is_(None), s.queued_until <= NOW),
    IS_FREE,
)
READ_DUE = (
    select(shops).where(IS_DUE).order_by(s.next_due, s.id).limit(bindparam("most", type_=Integer()))
)
QUEUE = (
    update(shops)
    .where(s.id.in_(bindparam("ids", expanding=True)), IS_DUE)
    .values(queued_until=bindparam("until", type_=UtcDateTime()))
)
COUNT_QUEUED = select(func.count()).where(s.state == ShopState.ACTIVE, s.queued_until > NOW)
"""Whoever holds a shop has taken its place in the queue away."""

publishable = and_(
    f.shop == s.id,
    f.unpublished > 0,
    f.frozen.is_(None),
    f.open,
    or_(f.not_before.is_(None), f.not_before <= OURS),
)
some = exists().where(publishable)
how_many = select(func.count()).where(publishable).correlate(shops).scalar_subquery()
HAS_NEW_WORK = or_(
    and_(s.unpublished_left == 0, some), and_(s.unpublished_left > 0, how_many > s.unpublished_left)
)
NOT_YET = and_(s.state == ShopState.ACTIVE, s.next_due > NOW, IS_AWAKE, IS_FREE)
READ_NEW_WORK = select(s.id).where(NOT_YET, HAS_NEW_WORK)
BRING_FORWARD = (
    update(shops).where(s.id.in_(bindparam("ids", expanding=True)), NOT_YET).values(next_due=NOW)
)

IS_TAKEN = s.lease_until.is_not(None)
WAKE = (
    update(shops)
    .where(or_(s.next_due > NOW, IS_TAKEN))
    .values(next_due=case((IS_TAKEN, s.lease_until), else_=NOW))
)
"""A shop that is due keeps its place among those that wait.

One that a run holds is due again: when that run ends, or when its lease does.
"""


class SqlShopQueue:
    """The shops that are due, by the database's clock; each call is a transaction of its own."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self._clock = store.database_clock
        self._looked_at = EPOCH

    def due(self, limit: int, hold: timedelta, *, now: datetime) -> list[Shop]:
        """Claim so many of the shops that are due, for somebody who brings them to a worker.

        Those come first that have waited longest. Each is offered again after `hold`, if no run
        of it has begun by then. Whoever claims at the same time gets others.
        """
        if not timedelta(0) <= now - self._looked_at < LOOK_FOR_WORK:
            self.bring_forward(now=now)
            self._looked_at = now
        return self._store.transact(lambda c: self._due(c, limit, hold))

    def _due(self, connection: Connection, limit: int, hold: timedelta) -> list[Shop]:
        present = self._clock.now(connection)
        rows = connection.execute(_locking(connection, READ_DUE), {"now": present, "most": limit})
        found = [shop_from(row) for row in rows]
        for ids in sliced(connection, [shop.id for shop in found]):
            given = {"now": present, "until": present + hold, "ids": ids}
            connection.execute(QUEUE, given)
        return found

    def outstanding(self) -> int:
        """Count the shops that were claimed, and of which no run has begun since."""
        with self._store.reading() as connection:
            now = self._clock.now(connection)
            return int(connection.execute(COUNT_QUEUED, {"now": now}).scalar_one())

    def wake(self, code: str, *, now: datetime) -> None:
        """Let a shop be due now, even one that is left alone for a while.

        Raises:
            UnknownShop: if there is none.
        """

        def work(connection: Connection) -> None:
            free = update(shops).where(s.code == code).values(retry_at=None)
            if not connection.execute(free).rowcount:
                raise UnknownShop(code)
            present = self._clock.now(connection)
            wake_shops(connection, s.code == code, now=now, present=present)

        self._store.transact(work)

    def bring_forward(self, *, now: datetime) -> int:
        """Let shops be due now that have something to publish which their last run did not leave.

        Whoever records needs not touch the shop's row for it, which all of its parcels share.
        Returns how many there were.
        """
        with self._store.reading() as connection:
            present = self._clock.now(connection)
            given = {"now": present, "ours": now}
            found = list(connection.execute(READ_NEW_WORK, given).scalars())

        def work(connection: Connection) -> None:
            for ids in sliced(connection, found):
                connection.execute(BRING_FORWARD, {**given, "ids": ids})

        if found:
            self._store.transact(work)
        return len(found)

    def put_back(self, code: str) -> None:
        """Offer a shop again as soon as the lease that somebody has on it ends.

        Whoever holds it may have died, and nobody else may come for it.
        """
        query = (
            update(shops)
            .where(s.code == code, s.lease_until.is_not(None), s.queued_until > s.lease_until)
            .values(queued_until=s.lease_until)
        )
        self._store.transact(lambda c: c.execute(query))

    def give_back(self, codes: Sequence[str]) -> None:
        """Offer shops again that were claimed, and were brought to nobody."""

        def work(connection: Connection) -> None:
            for some_codes in sliced(connection, codes):
                query = update(shops).where(s.code.in_(some_codes)).values(queued_until=None)
                connection.execute(query)

        self._store.transact(work)


def wake_shops(
    connection: Connection,
    which: ColumnElement[bool],
    *,
    now: datetime,
    present: datetime | None = None,
) -> None:
    """Let some shops be due now, but for those that are left alone for a while.

    `present` is what the database's clock says, where that was asked.
    """
    given = {"now": present or now, "ours": now}
    connection.execute(WAKE.where(which, IS_AWAKE), given)


def _locking(
    connection: Connection, query: Select[tuple[object, ...]]
) -> Select[tuple[object, ...]]:
    """Hold the rows that are found; where it can be, pass over those that somebody else holds.

    Whoever opens a parcel, and has not committed, holds its shop's key on PostgreSQL: that shop is
    not passed over.
    """
    dialect = connection.dialect
    if not is_mysql(dialect.name):
        return query.with_for_update(skip_locked=True, key_share=True)
    kind = "mariadb" if getattr(dialect, "is_mariadb", False) else "mysql"
    version = getattr(dialect, "server_version_info", None) or (0,)
    return query.with_for_update(skip_locked=tuple(version) >= SKIPS_LOCKED[kind])
