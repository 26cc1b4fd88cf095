"""The store: one database, opened by us, behind the ports of the core."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine

from carrierflow.carrier_service.ports import CallbackTransaction, Delivery
from carrierflow.domain.clock import Clock, Sleep
from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.incident import Finding
from carrierflow.domain.lifecycle import Definition
from carrierflow.domain.publication import Track
from carrierflow.domain.shop import Coverage, Shop
from carrierflow.errors import ConcurrentUpdate, ShopHeld
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.reconcile.ports import Due, Hint, Work, Writing
from carrierflow.storage import callbacks, reconcile, shops
from carrierflow.storage.callbacks import SqlCallbackTransaction
from carrierflow.storage.clock import DatabaseClock
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.engine import commit, translated
from carrierflow.storage.incidents import (
    open_incident,
    parcels_with,
    settle_orders,
    settle_parcels,
    settle_shop,
    unread_orders,
)
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.migrate import require_migrated
from carrierflow.storage.ownership import present_user, ways_around
from carrierflow.storage.sessions import is_plain


__all__ = ["SqlStore"]

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 12
"""How often a transaction is done again that met other writers."""

PAUSE = 0.005
"""Seconds of the first pause before that; each further one is longer."""


class SqlStore:
    """A database of our own transactions.

    The first use checks that the schema is the one of this version, and warns where we connect
    as somebody who could take the triggers of history away.
    """

    def __init__(
        self,
        engine: Engine,
        definition: Definition,
        *,
        clock: Clock,
        sleep: Sleep,
        database_clock: DatabaseClock | None = None,
    ) -> None:
        self.engine = engine
        self.database_clock = database_clock or DatabaseClock()
        self._definition = definition
        self._definitions = Definitions([definition], clock=clock)
        self._clock = clock
        self._sleep = sleep
        self._leases = shops.Leases(self.database_clock)
        self._checked = False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open one transaction that is committed at the end.

        Raises:
            DatabaseUnavailable: if the database does not answer; CommitUnknown, if it was lost
                at the last moment.
            NotMigrated: if its tables are not those of this version.
        """
        with translated():
            self._check_once()
            with self.engine.connect() as connection:
                yield connection
                commit(connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open one transaction that only reads, and lets others write meanwhile."""
        with translated():
            self._check_once()
            with self.engine.connect() as connection:
                yield connection.execution_options(carrierflow_reads_only=True)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open one transaction that only reads, and sees the same moment throughout."""
        with self.reading() as connection:
            if connection.dialect.name != "sqlite":  # where every transaction does
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a transaction, again from the start where it met another writer."""

        def once() -> T:
            with self.begin() as connection:
                return work(connection)

        return self._insist(once)

    def run(self, work: Callable[[LedgerTransaction], T]) -> T:
        """Do some work of the ledger in one transaction."""
        return self.transact(lambda c: work(SqlLedgerTransaction(c, self._definitions)))

    def look(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some reads of a callback, each of which sees what is committed by then.

        So a server need not be told where a transaction begins and ends; that is half of what a
        short look costs.
        """
        with self.reading() as connection:
            if connection.dialect.driver == "psycopg" and is_plain(connection):
                connection.execution_options(isolation_level="AUTOCOMMIT")
            return work(SqlCallbackTransaction(connection, self._definitions))

    def run_callback(self, work: Callable[[CallbackTransaction], T]) -> T:
        """Do some work of a callback and of the ledger in one transaction."""
        return self.transact(lambda c: work(SqlCallbackTransaction(c, self._definitions)))

    def take_in(self, delivery: Delivery, *, acted: bool) -> list[str] | None:
        """Keep a webhook and mark the parcels of its order as due."""
        return self.transact(lambda c: callbacks.take_in(c, delivery, acted=acted))

    def shops_of(self, org_id: str | None) -> list[str]:
        """Return the codes of an organisation's shops."""
        with self.reading() as connection:
            return callbacks.shops_of(connection, org_id)

    def acted(self, delivery: Delivery, *, now: datetime) -> None:
        """Write that a webhook needs nothing more."""
        self.transact(lambda c: callbacks.mark_acted(c, delivery, now))

    def shop(self, code: str) -> Shop:
        """Return a shop by its code."""
        with self.reading() as connection:
            return shops.find_shop(connection, code)

    def claim(self, shop: Shop, owner: str, span: timedelta) -> int:
        """Take a shop for a run and return the fence."""
        return self.transact(lambda c: self._leases.claim(c, shop, owner, span))

    def renew(self, shop: Shop, fence: int, span: timedelta) -> bool:
        """Hold on to a shop; False if another run took it."""
        return self.transact(lambda c: self._leases.renew(c, shop, fence, span))

    def release(self, shop: Shop, fence: int) -> None:
        """Let a shop go."""
        self.transact(lambda c: self._leases.release(c, shop, fence))

    def begin_run(self, run: str, shop: Shop, *, kind: str, now: datetime) -> None:
        """Write that a run began."""
        self.transact(lambda c: shops.begin_run(c, run, shop, kind=kind, now=now))

    def end_run(self, run: str, *, reason: str, counters: Mapping[str, int], now: datetime) -> None:
        """Write how a run ended."""
        self.transact(lambda c: shops.end_run(c, run, reason=reason, counters=counters, now=now))

    def work(self, shop: Shop, *, now: datetime) -> list[Work]:
        """Return the orders with something to publish now."""
        with self.reading() as connection:
            return reconcile.work(connection, shop, now=now)

    def due(
        self, shop: Shop, *, verified_before: datetime, after: Due | None, limit: int
    ) -> list[Due]:
        """Return the next of the open orders not looked at since."""
        with self.reading() as connection:
            return reconcile.due(
                connection, shop, verified_before=verified_before, after=after, limit=limit
            )

    def count_due(self, shop: Shop, *, verified_before: datetime) -> int:
        """Count the open orders not looked at since."""
        with self.reading() as connection:
            return reconcile.count_due(connection, shop, verified_before=verified_before)

    def hints(self, shop: Shop) -> list[Hint]:
        """Return the orders that webhooks named since they were looked at."""
        with self.reading() as connection:
            return reconcile.hints(connection, shop)

    def heard(self, shop: Shop, hints: Collection[Hint]) -> None:
        """Write that some hints were followed."""
        self.transact(lambda c: reconcile.heard(c, shop, hints))

    def hinted_shops(self) -> set[str]:
        """Return the codes of the shops that have hints."""
        with self.reading() as connection:
            return reconcile.hinted_shops(connection)

    def left(self, shop: Shop) -> int:
        """Count the fulfillments with something unpublished that are not frozen."""
        with self.reading() as connection:
            return reconcile.left(connection, shop)

    def coverage(self, shop: Shop, *, since: datetime) -> Coverage:
        """Return how well the open fulfillments of a shop are known."""
        with self.reading() as connection:
            return shops.coverage(connection, shop, since=since)

    def parcels_of(self, shop: Shop, order_ids: Collection[str]) -> list[Parcel]:
        """Return the fulfillments of some orders."""
        with self.reading() as connection:
            return reconcile.parcels_of(connection, shop, order_ids)

    def tracks(self, parcels: Collection[Parcel]) -> dict[int, Track]:
        """Return what was recorded and tried for some fulfillments."""
        with self.reading() as connection:
            return reconcile.tracks(connection, parcels)

    def verified(self, parcels: Collection[Parcel], *, at: datetime) -> None:
        """Write that some fulfillments were looked at and nothing was new."""
        self.transact(lambda c: reconcile.verified(c, parcels, at=at))

    def write(self, writing: Writing, *, fence: tuple[Shop, int] | None) -> tuple[Parcel, int]:
        """Write a turn, where the fence is still valid."""
        with self.begin() as connection:
            if fence is not None and not self._leases.holds(connection, *fence):
                raise ShopHeld(fence[0].code)
            return reconcile.write(connection, writing)

    def report(self, shop: Shop, findings: Collection[Finding], *, now: datetime) -> int:
        """Open incidents for what was found; return how many are new."""

        def work(connection: Connection) -> int:
            return sum(open_incident(connection, shop.id, None, f, now) for f in findings)

        return self.transact(work)

    def settle_shop(self, shop: Shop, kind: str, *, now: datetime) -> None:
        """Close the shop's own incidents of one kind: their cause is gone."""
        self.transact(lambda c: settle_shop(c, shop.id, kind, now=now))

    def unread_orders(self, shop: Shop) -> set[str]:
        """Return the orders with rows that could not be read; the empty one for a nameless row."""
        with self.reading() as connection:
            return unread_orders(connection, shop.id)

    def settle_orders(self, shop: Shop, order_ids: Collection[str], *, now: datetime) -> None:
        """Close what could not be read of some orders: all of it can be read again."""
        self.transact(lambda c: settle_orders(c, shop.id, order_ids, now=now))

    def parcels_with(self, shop: Shop, kind: str) -> set[int]:
        """Return the fulfillments that have an open incident of one kind."""
        with self.reading() as connection:
            return parcels_with(connection, shop.id, kind)

    def settle_parcels(
        self, shop: Shop, kind: str, parcel_ids: Collection[int], *, now: datetime
    ) -> None:
        """Close the incidents of one kind that some fulfillments have: their cause is gone."""
        self.transact(lambda c: settle_parcels(c, shop.id, kind, parcel_ids, now=now))

    def swept(self, shop: Shop, to: datetime) -> None:
        """Write up to which change a shop was read."""
        self.transact(lambda c: shops.change_shop(c, shop.code, swept_to=to))

    def _check_once(self) -> None:
        if not self._checked:
            self._insist(self._check)
            self._checked = True

    def _check(self) -> None:
        with translated(), self.engine.begin() as connection:
            require_migrated(connection)
            definitions = Definitions([self._definition], clock=self._clock)
            definitions.ensure(connection)
            ways = ways_around(connection)
            user = present_user(connection) if ways else ""
        self._definitions = definitions
        if ways:
            log.warning("carrierflow.history_unguarded", extra={"user": user, "why": ways[0]})

    def _insist(self, work: Callable[[], T]) -> T:
        for attempt in range(1, TRIES):
            try:
                return work()
            except ConcurrentUpdate:
                self._sleep(random.uniform(0.5, 1.5) * PAUSE * attempt)  # noqa: S311
        return work()
