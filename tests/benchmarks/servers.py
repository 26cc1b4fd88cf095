"""The CPU time that a database server on this machine spends for one connection."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import event


__all__ = ["ServerTime", "settle"]

THREAD = {
    "postgresql": "SELECT pg_backend_pid()",
    "mysql": "SELECT tid FROM information_schema.processlist WHERE id = connection_id()",
}
TICKS = os.sysconf("SC_CLK_TCK")


def settle(engine):
    """Let PostgreSQL learn what its tables hold, as it does by itself within a minute.

    Until then it plans as if a shop had few parcels, and goes through all of them.
    """
    if engine.dialect.name == "postgresql":
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


class ServerTime:
    """Sums up what the threads cost that serve an engine's connections; nothing on SQLite.

    Linux says so in `/proc`, to a hundredth of a second. A server on another machine, or in
    another container, cannot be seen: then its time is missing from the busy seconds.
    """

    def __init__(self, engine):
        self._files = {}
        name = "mysql" if engine.dialect.name in {"mysql", "mariadb"} else engine.dialect.name
        self._question = THREAD.get(name)
        if self._question is not None:
            event.listen(engine, "connect", self._connected)

    @property
    def is_seen(self):
        """Tell whether every server thread can be seen."""
        return all(self._files.values())

    def _connected(self, connection, _record):
        with connection.cursor() as cursor:
            cursor.execute(self._question)
            (thread,) = cursor.fetchone()
        connection.rollback()
        found = Path("/proc").glob(f"[0-9]*/task/{thread}/stat")
        self._files[thread] = next(found, None)

    def __call__(self):
        """Return the CPU seconds so far."""
        return sum(_seconds(path) for path in self._files.values() if path is not None)


def _seconds(path):
    fields = path.read_text().rpartition(")")[2].split()
    user, system = fields[11:13]
    return (int(user) + int(system)) / TICKS
