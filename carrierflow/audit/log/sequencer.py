"""The sequencer: committed entries get their places in the log, dense and in commit-safe order.

The ids and times of rows are given before these are committed, so neither is an order in which
somebody could read on: a row may become visible behind one that was read already. A place is given
to what is committed, next to the last place, and only then is there the next one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from carrierflow.audit.log.sql import Log, SealLease, give_places
from carrierflow.audit.log.unplaced import LogEntry, Unplaced, count_waiting
from carrierflow.domain.waiting import unheard
from carrierflow.errors import SealHeld
from carrierflow.storage import Connection, SqlStore


__all__ = ["Placing", "Sequencer"]

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 5_000
"""Places that are given in one transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Placing:
    """What one pass of the sequencer did."""

    count: int
    """Entries that got their place."""
    size: int
    """How many entries have a place now."""
    broken: tuple[str, ...]
    """Those that got one and do not hash to their hash."""


class Sequencer:
    """Gives places, in one process at a time."""

    def __init__(self, store: SqlStore, *, lease: timedelta) -> None:
        self._store = store
        self._span = lease
        self._lease = SealLease(store.database_clock)

    def claim(self, owner: str, also: Callable[[Connection], None]) -> None:
        """Take the lease, and do something else in the same transaction.

        Raises:
            SealHeld: if another process has it.
        """

        def work(connection: Connection) -> None:
            self._lease.claim(connection, owner, self._span)
            also(connection)

        self._store.transact(work)

    def release(self, owner: str) -> None:
        """Let the lease go, if it is still this owner's."""
        self._store.transact(lambda c: self._lease.release(c, owner))

    def place(self, owner: str, progress: Callable[[int], None]) -> Placing:
        """Give every committed entry its place, while the lease is this owner's.

        Raises:
            SealHeld: if another process has the lease.
        """
        return self._place(owner, progress, keeps_lease=True)

    def place_if_free(self) -> None:
        """Give places too, unless another process is at it, and keep the lease no longer than that.

        Whoever wants the lease meanwhile waits for one transaction, and is not refused. Where
        nothing waits, this counts rows and writes nothing.
        """
        try:
            done = self._place(str(uuid.uuid4()), unheard, keeps_lease=False)
        except SealHeld:
            log.debug("carrierflow.seal_held")
            return
        if done.broken:
            log.error("carrierflow.sealed_broken", extra={"entries": len(done.broken)})

    def _place(self, owner: str, progress: Callable[[int], None], *, keeps_lease: bool) -> Placing:
        with Unplaced() as waiting:
            with self._store.snapshot() as connection:
                first = Log(connection).size
                if keeps_lease or count_waiting(connection, size=first):
                    waiting.read(connection)
            count = 0
            for some in waiting.batches(ROWS_AT_ONCE):
                self._give(owner, some, first + count, keeps_lease=keeps_lease)
                count += len(some)
                progress(count)
        return Placing(count=count, size=first + count, broken=tuple(waiting.broken))

    def _give(
        self, owner: str, entries: Sequence[LogEntry], first: int, *, keeps_lease: bool
    ) -> None:
        def work(connection: Connection) -> None:
            self._lease.claim(connection, owner, self._span)
            give_places(connection, entries, first=first)
            if not keeps_lease:
                self._lease.release(connection, owner)

        self._store.transact(work)
