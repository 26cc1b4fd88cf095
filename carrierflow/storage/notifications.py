"""Which open incidents nobody was told of yet, on each way of telling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from carrierflow.domain.incident import Incident
from carrierflow.storage.incidents import open_incidents_but
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import incidents, notifications


__all__ = ["SqlNotificationStore"]

CLAIM = timedelta(minutes=5)
"""After so long, whoever said that it would tell of an incident has died before it did."""


class SqlNotificationStore:
    """Remembers who was told of what; each call is a transaction of its own.

    What is to be told is claimed first, so that of two processes one tells it.
    """

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def untold(self, channel: str) -> list[Incident]:
        """Return the open incidents that nobody was told of, oldest first."""
        with self._store.reading() as connection:
            return self._untold(connection, channel, self._store.database_clock.now(connection))

    def claim(self, channel: str) -> list[Incident]:
        """Return them too, and give them to nobody else for a while.

        What is over is forgotten: if its cause comes back, it is told again.
        """

        def work(connection: Connection) -> list[Incident]:
            now = self._store.database_clock.now(connection)
            over = select(incidents.c.id).where(incidents.c.state != "open")
            connection.execute(delete(notifications).where(notifications.c.incident.in_(over)))
            found = self._untold(connection, channel, now)
            for incident in found:
                mine = {"incident": int(incident.id), "channel": channel}
                connection.execute(delete(notifications).where(_is(incident, channel)))
                connection.execute(insert(notifications), {**mine, "claimed_at": now})
            return found

        return self._store.transact(work)

    def told(self, channel: str, found: Sequence[Incident]) -> None:
        """Write that somebody was told."""

        def work(connection: Connection) -> None:
            now = self._store.database_clock.now(connection)
            for incident in found:
                mine = update(notifications).where(_is(incident, channel))
                connection.execute(mine.values(told_at=now))

        self._store.transact(work)

    def release(self, channel: str, found: Sequence[Incident]) -> None:
        """Give back what was claimed: nobody was told."""

        def work(connection: Connection) -> None:
            for incident in found:
                connection.execute(delete(notifications).where(_is(incident, channel)))

        self._store.transact(work)

    @staticmethod
    def _untold(connection: Connection, channel: str, now: datetime) -> list[Incident]:
        settled = notifications.c.told_at.is_not(None) | (notifications.c.claimed_at > now - CLAIM)
        told = select(notifications.c.incident).where(notifications.c.channel == channel, settled)
        return open_incidents_but(connection, told)


def _is(incident: Incident, channel: str) -> ColumnElement[bool]:
    mine = notifications.c.incident == int(incident.id)
    return and_(mine, notifications.c.channel == channel)
