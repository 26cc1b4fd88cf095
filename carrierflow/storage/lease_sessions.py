"""By which session of a database server a run spoke last, and whether that has provably ended.

A server ends a session when its process is gone, on whatever host, or the network between them
is cut and it notices. A run that lives all the same is stopped by its fence. Only what the server
itself says is proof: another server, somebody in between who lends sessions out, or a role that
does not see the other's sessions know nothing, and a lease has to run out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from carrierflow.storage.engine import is_mysql


__all__ = ["has_ended", "this_session"]

CACHED = "carrierflow_session"

POSTGRESQL_MINE = text(
    "SELECT extract(epoch FROM pg_postmaster_start_time()) AS server, pg_backend_pid() AS number, "
    "(SELECT extract(epoch FROM backend_start) FROM pg_stat_activity WHERE pid = pg_backend_pid())"
    " AS start"
)
POSTGRESQL_OTHER = text(
    "SELECT extract(epoch FROM backend_start) FROM pg_stat_activity WHERE pid = :number"
)
"""Every role sees the row of every session, and when it began of those that are its own."""

MARIADB_MINE = text(
    "SELECT CONCAT_WS('/', @@hostname, @@port, @@server_id) AS server, CONNECTION_ID() AS number, "
    "SUBSTRING_INDEX(USER(), '@', 1) AS start"
)
MARIADB_OTHER = text("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = :number")
"""Every account sees the sessions of its own name. Numbers are not given again while it runs."""


@dataclass(frozen=True, slots=True)
class _Session:
    """One session: of which server, under which number, and what tells it from a later one."""

    server: str
    number: int
    start: str
    """When it began, or where the server does not tell, whose it is."""

    def __str__(self) -> str:
        return f"{self.server}/{self.number}/{self.start}"


def this_session(connection: Connection) -> str:
    """Return what tells a connection's session from every other one; empty where nothing does."""
    found = _mine(connection)
    return str(found) if found else ""


def has_ended(connection: Connection, session: str) -> bool:
    """Tell whether a session has provably ended; False where that cannot be known from here."""
    server, _, rest = session.partition("/")
    number, _, start = rest.partition("/")
    mine = _mine(connection)
    if mine is None or mine.server != server or not number.isdecimal():
        return False
    asked = {"number": int(number)}
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")
        found = connection.execute(POSTGRESQL_OTHER, asked).one_or_none()
        return found is None or (found[0] is not None and str(found[0]) != start)
    if mine.start != start:
        return False
    return not connection.execute(MARIADB_OTHER, asked).scalar_one()


def _mine(connection: Connection) -> _Session | None:
    if CACHED not in connection.info:
        connection.info[CACHED] = _asked(connection)
    mine: _Session | None = connection.info[CACHED]
    return mine


def _asked(connection: Connection) -> _Session | None:
    """Ask the server; nothing where somebody in between lends sessions out.

    He told the driver a number of his own, or we were told of him.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        if getattr(driver, "prepare_threshold", None) is None:
            return None
        told, question = (
            getattr(getattr(driver, "info", None), "backend_pid", None),
            POSTGRESQL_MINE,
        )
    elif is_mysql(connection.dialect.name):
        told, question = getattr(driver, "thread_id", lambda: None)(), MARIADB_MINE
    else:
        return None
    row = connection.execute(question).one()
    if row.number != told or row.start is None:
        return None
    return _Session(_short(str(row.server)), int(row.number), _start(row.start))


def _start(value: object) -> str:
    return _short(value) if isinstance(value, str) else str(value)


def _short(value: str) -> str:
    """Return a name of any length in few letters."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]
