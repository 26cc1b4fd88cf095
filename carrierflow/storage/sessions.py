"""What we see to on a server's connections, whatever the server is set to or stands behind.

Behind a transaction pooler nothing here outlives a transaction on the server: the next one may
run on another connection, and other clients on this one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from carrierflow.storage.timeouts import DatabaseTimeouts


__all__ = [
    "begin_writing",
    "commits_by_itself",
    "error_codes",
    "in_iso",
    "is_plain",
    "is_read_only",
    "prepare_server",
]

READ_ONLY = {
    "25006",  # PostgreSQL: read-only transaction
    1792,  # MariaDB: read-only transaction
    1836,  # MySQL: read-only mode
}
OPTION_PREVENTS = 1290
"""MariaDB's number for what some option of the server forbids; --read-only is one of several."""

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/UCT", "UCT", "Zulu"})
ISO = "SET LOCAL DateStyle TO 'ISO'"
UTC = "SET LOCAL TimeZone TO 'UTC'"
SET_TIMEOUTS = (
    "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"
)


def prepare_server(engine: Engine, timeouts: DatabaseTimeouts) -> None:
    """See to the connections of an engine of ours to a server.

    Whoever listens to an engine makes each of its statements dearer; so that is put off until
    there is a server that is set otherwise.
    """
    event.listen(engine.dialect, "handle_error", _drop_if_read_only)
    if engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg":
        event.listen(engine, "connect", partial(_set_by_ourselves, timeouts))
        event.listen(engine, "connect", partial(_look, engine))
    elif engine.dialect.name != "postgresql":
        event.listen(engine, "connect", partial(_set_utc, timeouts))


def is_read_only(error: BaseException | None) -> bool:
    """Tell whether a server took no write: it is a standby, or has become one."""
    codes = error_codes(error)
    forbidden = OPTION_PREVENTS in codes and "read" in str(error)
    return forbidden or not READ_ONLY.isdisjoint(codes)


def error_codes(error: BaseException | None) -> set[str | int]:
    """Return the codes that a database gave an error: SQLSTATE, and MariaDB's own number.

    MariaDB's SQLSTATE says too little: a lock wait and an unknown failure share one.
    """
    origin: Any = error.orig if isinstance(error, DBAPIError) else error
    number = origin.args[0] if origin is not None and origin.args else None
    return {code for code in (getattr(origin, "sqlstate", None), number) if code is not None}


def _drop_if_read_only(context: ExceptionContext) -> None:
    """Let go of all connections to a server that became read-only; the next may find another."""
    if is_read_only(context.original_exception):
        context.is_disconnect = True


def _set_by_ourselves(timeouts: DatabaseTimeouts, driver: Any, _record: Any) -> None:
    """Set how long PostgreSQL lets a statement and a lock take, where the session is ours alone.

    A pooler may run the next transaction on another connection, and those of others on this one:
    there no statements are prepared either, and time is up where our own patience is. A pooler
    gives its clients numbers of its own for the server's processes.
    """
    if driver.prepare_threshold is None:
        return
    (process,) = driver.execute("SELECT pg_backend_pid()").fetchone()
    if process != driver.info.backend_pid:
        driver.prepare_threshold = None
    else:
        driver.execute(SET_TIMEOUTS, [f"{timeouts.statement:g}s", f"{timeouts.lock:g}s"])
    driver.commit()


def _set_utc(timeouts: DatabaseTimeouts, driver: Any, _record: Any) -> None:
    """Let MariaDB's functions work in UTC, and its locks and statements take so long.

    A pooler in front of it keeps that with its client. MySQL's own limit is for SELECT alone.
    """
    lock = max(1, round(timeouts.lock))
    limits: dict[str, float] = {"innodb_lock_wait_timeout": lock, "lock_wait_timeout": lock}
    if "MariaDB" in driver.get_server_info():
        limits["max_statement_time"] = timeouts.statement
    else:
        limits["max_execution_time"] = round(1000 * timeouts.statement)
    told = ", ".join(f"{name} = {value}" for name, value in limits.items())
    with driver.cursor() as cursor:
        cursor.execute(f"SET time_zone = '+00:00', {told}")


def _look(engine: Engine, driver: Any, _record: Any) -> None:
    if _lacking(driver) and not event.contains(engine, "begin", _set_plain):
        event.listen(engine, "begin", _set_plain)


def is_plain(connection: Connection) -> bool:
    """Tell whether PostgreSQL writes moments as the driver reads them, and in UTC."""
    return not _lacking(_driver(connection))


def _set_plain(connection: Connection) -> None:
    lacking = _lacking(_driver(connection))
    if lacking and connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("; ".join(lacking))


def _driver(connection: Connection) -> Any:
    return connection.connection.driver_connection


def _lacking(driver: Any) -> list[str]:
    """Return what sets a session right; a server tells of each change of these by itself."""
    zone = driver.info.parameter_status("TimeZone") in UTC_NAMES
    return [ISO] * (not _is_iso(driver)) + [UTC] * (not zone)


def _is_iso(driver: Any) -> bool:
    return (driver.info.parameter_status("DateStyle") or "").startswith("ISO")


@contextmanager
def in_iso(connection: Connection) -> Iterator[None]:
    """Let a host's connection write moments as its driver reads them, and then as before.

    Only psycopg reads them as text, and only as ISO 8601. Use it within a savepoint: to go back
    to that undoes it, too.
    """
    if connection.dialect.driver not in {"psycopg", "psycopg_async"} or _is_iso(
        _driver(connection)
    ):
        yield
        return
    before = connection.exec_driver_sql("SHOW DateStyle").scalar_one()
    connection.exec_driver_sql(ISO)
    yield
    connection.exec_driver_sql(f"SET LOCAL DateStyle TO '{before}'")


def commits_by_itself(connection: Connection) -> bool:
    """Tell whether a server's driver is set to commit each statement.

    Most drivers have that as an attribute. MariaDB's have a method, which SQLAlchemy's wrappers
    of the asynchronous ones do not pass on.
    """
    lent: Any = connection.connection
    for driver in (lent.dbapi_connection, lent.driver_connection):
        if asked := getattr(driver, "get_autocommit", None):
            return bool(asked())
    return bool(lent.dbapi_connection.autocommit)


def begin_writing(connection: Connection) -> None:
    """Begin SQLite's transaction as a writer, where the driver put it off until the first write."""
    if not connection.in_transaction():
        connection.begin()
    driver: Any = connection.connection.driver_connection
    if not driver.in_transaction:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
