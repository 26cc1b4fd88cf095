"""How far each destination of the push has what happened: one row each, found by its address.

Who pushes holds the row for a while, so that of two processes one does; and writes down up to which
place a message goes before it leaves, so that the same message is sent again after a failure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from carrierflow.domain.destination import DestinationStanding
from carrierflow.storage.feed_entries import last_position
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import destinations


__all__ = ["SqlDestinations"]

d = destinations.c


class SqlDestinations:
    """The rows of destinations, each by the digest of its address; each call is a transaction."""

    def __init__(self, store: SqlStore, *, hold: timedelta) -> None:
        """`hold` is how long one that pushes has a row, unless it holds on to it."""
        self._store = store
        self._hold = hold

    def standing(self, digest: str, name: str) -> DestinationStanding:
        """Return how far a destination is, which may be one that nobody pushed to yet."""
        with self._store.reading() as connection:
            return self._standing(connection, digest, name)

    def claim(self, digest: str, name: str, owner: str) -> DestinationStanding | None:
        """Take a destination, and return how far it is; None where another process has it."""

        def work(connection: Connection) -> DestinationStanding | None:
            if not self._held(connection, digest, owner):
                if self._row(connection, digest) is not None:
                    return None
                connection.execute(insert(destinations), {"digest": digest, "failures": 0})
                self._held(connection, digest, owner)
            return self._standing(connection, digest, name)

        return self._store.transact(work)

    def write(self, digest: str, owner: str, **values: Any) -> bool:
        """Write how far it is, and hold on to it; False where another process took it."""
        return self._store.transact(lambda c: self._held(c, digest, owner, taken=True, **values))

    def release(self, digest: str, owner: str) -> None:
        """Let it go, if it is still this owner's."""
        self._store.transact(
            lambda c: c.execute(
                update(destinations)
                .where(d.digest == digest, d.claimed_by == owner)
                .values(claimed_by=None, claimed_until=None)
            )
        )

    def _held(
        self, connection: Connection, digest: str, owner: str, *, taken: bool = False, **values: Any
    ) -> bool:
        now = self._store.database_clock.now(connection)
        free = d.claimed_by == owner
        if not taken:
            free = or_(free, d.claimed_until.is_(None), d.claimed_until <= now)
        found = connection.execute(
            update(destinations)
            .where(d.digest == digest, free)
            .values(claimed_by=owner, claimed_until=now + self._hold, **values)
        )
        return bool(found.rowcount)

    def _standing(self, connection: Connection, digest: str, name: str) -> DestinationStanding:
        row, last = self._row(connection, digest), last_position(connection)
        position = None if row is None else row.position
        behind = max(0, (-1 if last is None else last) - (-1 if position is None else position))
        if row is None:
            return DestinationStanding(destination=name, behind=behind)
        return DestinationStanding(
            destination=name,
            position=position,
            sending=row.sending,
            behind=behind,
            delivered_at=row.delivered_at,
            failures=row.failures,
            failing_since=row.failing_since,
            retry_at=row.retry_at,
            problem=row.problem,
            gone_at=row.gone_at,
        )

    @staticmethod
    def _row(connection: Connection, digest: str) -> Any:
        return connection.execute(select(destinations).where(d.digest == digest)).one_or_none()
