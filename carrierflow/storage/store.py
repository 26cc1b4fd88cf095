"""The store: one database, opened by us, behind the ports of the core."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, false, update

from carrierflow.domain.clock import Clock, Sleep
from carrierflow.domain.forking import in_children
from carrierflow.domain.lifecycle import Definition
from carrierflow.domain.shop import Shop
from carrierflow.errors import ConcurrentUpdate
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.engine import commit, isolate, leave_to_parent, translated
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.listeners import Listeners
from carrierflow.storage.migrate import require_migrated
from carrierflow.storage.server_lines import lines_of
from carrierflow.storage.shops import find_shop
from carrierflow.storage.tables import shops


__all__ = ["SqlStore"]

T = TypeVar("T")

TRIES = 12
"""How often a transaction is done again that met other writers."""

PAUSE = 0.005
"""Seconds of the first pause before that; each further one is longer."""

LONGEST = 30
"""Seconds after which it is not done again: each time may have waited for a lock in vain."""


class SqlStore:
    """A database of our own transactions.

    The first use checks that the schema is the one of this version.
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
        self.definitions = Definitions([definition], clock=clock)
        self.listeners = Listeners()
        self._clock = clock
        self._sleep = sleep
        self._checked = False
        in_children(self._leave_to_parent)

    def _leave_to_parent(self) -> None:
        leave_to_parent(self.engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open one transaction that is committed at the end; then who listens is told of it.

        Raises:
            DatabaseUnavailable: if the database does not answer; CommitUnknown, if it was lost
                at the last moment.
            NotMigrated: if its tables are not those of this version.
        """
        with translated():
            self._check_once()
            with self.engine.connect() as connection:
                news = self.listeners.listen(connection)
                yield connection
                commit(connection)
        self.listeners.tell(news)

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
                isolate(connection, "REPEATABLE READ")
            yield connection

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Do some work in a transaction, again from the start where it met another writer."""

        def once() -> T:
            with self.begin() as connection:
                return work(connection)

        return self._insist(once)

    def run(self, work: Callable[[LedgerTransaction], T]) -> T:
        """Do some work of the ledger in one transaction."""
        return self.transact(lambda c: work(SqlLedgerTransaction(c, self.definitions)))

    def check_writable(self) -> None:
        """Find out whether the database would take a write; none is made.

        Raises:
            DatabaseUnavailable: if it does not answer, or is read-only: a standby, say.
            NotMigrated: if its tables are not those of this version.
        """
        with self.begin() as connection:
            connection.execute(update(shops).where(false()).values(fence=shops.c.fence))

    def hang_up(self, *, since: float, after: float) -> None:
        """Cut the connections that have waited for the server for `after` seconds.

        That is counted from `since`, by the monotonic clock; once one was cut, no other is made.
        For a process that is to end while its database says nothing.
        """
        lines_of(self.engine).hang_up(since=since, after=after)

    def shop(self, code: str) -> Shop:
        """Return a shop by its code; raises `UnknownShop`."""
        with self.reading() as connection:
            return find_shop(connection, code)

    def _check_once(self) -> None:
        if not self._checked:
            self._insist(self._check)
            self._checked = True

    def _check(self) -> None:
        with translated(), self.engine.begin() as connection:
            require_migrated(connection)
            definitions = Definitions([self._definition], clock=self._clock)
            definitions.ensure(connection)
        self.definitions = definitions

    def _insist(self, work: Callable[[], T]) -> T:
        last = time.monotonic() + LONGEST
        for attempt in range(1, TRIES):
            try:
                return work()
            except ConcurrentUpdate:
                if time.monotonic() > last:
                    raise
                self._sleep(random.uniform(0.5, 1.5) * PAUSE * attempt)  # noqa: S311
        return work()
