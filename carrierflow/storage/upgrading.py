"""What an upgrade of the tables needs: to be the only one, and a database that holds every text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from carrierflow.errors import ConfigurationError, DatabaseUnavailable
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.server_lines import allow_more_time
from carrierflow.storage.sessions import begin_writing


__all__ = ["alone", "check_encoding"]

PATIENCE = 60
"""Seconds to wait for another upgrade, or for those who use the tables."""

LONGEST = 3600
"""Seconds that one statement of an upgrade may take: it may copy a whole table."""

LOCK = int.from_bytes(b"carrflow")
"""What PostgreSQL's lock is called; such a lock is for one database."""

NAME = "CONCAT('carrierflow ', MD5(DATABASE()))"
"""What MariaDB's lock is called; such a lock is for a whole server."""


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """Open a transaction beside which no other upgrade changes the same database.

    Raises:
        DatabaseUnavailable: if another one takes too long.
    """
    with engine.begin() as connection:
        allow_more_time(connection, LONGEST)
        name = connection.dialect.name
        _lock = _lock_mysql if is_mysql(name) else _LOCKS[name]
        _lock(connection)
        yield connection


def _lock_postgresql(connection: Connection) -> None:
    """Take a lock that ends with the transaction; a session may be a pooler's, and never end."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}s'")
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _lock_mysql(connection: Connection) -> None:
    """Take a lock that ends with the connection, which nobody is given after us."""
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {PATIENCE}")
    if connection.execute(text(f"SELECT GET_LOCK({NAME}, {PATIENCE})")).scalar() != 1:
        raise DatabaseUnavailable("another `carrierflow db upgrade` is at work on it")


_LOCKS: dict[str, Callable[[Connection], None]] = {
    "postgresql": _lock_postgresql,
    "sqlite": begin_writing,
}


def check_encoding(connection: Connection) -> None:
    """Check that every text can be held and carried.

    Raises:
        ConfigurationError: if some would be refused, or come back as something else.
    """
    name = connection.dialect.name
    if name == "postgresql":
        _check_postgresql(connection)
    elif is_mysql(name):
        _check_mysql(connection)


def _check_postgresql(connection: Connection) -> None:
    found = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if found != "UTF8":
        raise ConfigurationError(
            f"The database keeps text as {found}, which does not hold every name; make another: "
            "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0."
        )
    found = connection.exec_driver_sql("SHOW client_encoding").scalar_one()
    _check_carried(found, "UTF8")


def _check_mysql(connection: Connection) -> None:
    names = ("database", "client", "connection", "results")
    query = ", ".join(f"@@character_set_{name}" for name in names)
    kept, *carried = connection.exec_driver_sql(f"SELECT {query}").one()
    if kept != "utf8mb4":
        raise ConfigurationError(
            f"The database keeps text as {kept}, which does not hold every name; change that: "
            "ALTER DATABASE ... CHARACTER SET utf8mb4."
        )
    for found in carried:
        _check_carried(found, "utf8mb4")


def _check_carried(found: str, wanted: str) -> None:
    if found != wanted:
        raise ConfigurationError(
            f"The connection carries text as {found}, which does not hold every name; "
            f"let the server and the role leave it at {wanted}."
        )
