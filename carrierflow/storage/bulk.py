"""One statement for many rows, without a round through SQLAlchemy for each of them.

Core makes, for every row of an `executemany`, a dictionary of parameters, looked through, copied
and put in order: more work than SQLite has with the row. Here the statement is still Core's,
and each value goes through its column's type; only the loop is ours. PostgreSQL takes new rows
by `COPY`, under the same keys, checks and triggers as any other.

Rows are taken one by one, as they are made: a mapping is let go once its values are taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Table, Update, func, insert, select
from sqlalchemy.exc import DBAPIError

from carrierflow.storage.direct import KEPT, Prepared, is_direct, prepared, putting, write_few


__all__ = ["execute_many", "insert_many"]

FEW = 20
"""Rows up to which the plain statement is as good, and what is sent is easier to read."""

Row = Mapping[str, Any]


def insert_many(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    """Insert some rows, all of which name the same columns."""
    first, rows = _begun(rows)
    if len(first) > FEW and _takes_copy(connection, table):
        _copy(connection, _copying(table, tuple(first[0]), connection.dialect), rows)
    elif first:
        execute_many(connection, _inserting(table), rows)


def execute_many(connection: Connection, statement: Insert | Update, rows: Iterable[Row]) -> int:
    """Execute a statement for some rows, and return how many rows of the table it met.

    The statement is one that is kept: what it becomes for the driver is made once. Not every
    driver counts what many rows met; where ours is none that does, each is counted alone.
    """
    first, rows = _begun(rows)
    if len(first) == 1 or (len(first) <= FEW and _counts(connection)):
        return write_few(connection, statement, first)
    if not _counts(connection):
        return sum(connection.execute(statement, row).rowcount for row in rows)
    ready = prepared(statement, tuple(first[0]), connection.dialect)
    parameters = [ready.parameters(row) for row in rows]
    return connection.exec_driver_sql(ready.text, parameters).rowcount


def _begun(rows: Iterable[Row]) -> tuple[list[Row], Iterator[Row]]:
    """Take up to one row more than a few, to see how many there are; return all of them, too."""
    remaining = iter(rows)
    first = list(islice(remaining, FEW + 1))
    return first, chain(first, remaining)


def _counts(connection: Connection) -> bool:
    """Tell whether a driver is one that is known to count the rows that many statements met."""
    return is_direct(connection) and connection.dialect.supports_sane_multi_rowcount


def _takes_copy(connection: Connection, table: Table) -> bool:
    """Tell whether a table takes `COPY`, which PostgreSQL refuses under row-level security.

    To ask also begins the transaction, where nothing else did.
    """
    if connection.dialect.driver != "psycopg" or not is_direct(connection):
        return False
    name = connection.dialect.identifier_preparer.format_table(table)
    return not connection.execute(select(func.row_security_active(name))).scalar_one()


@cache
def _inserting(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=KEPT)
def _copying(table: Table, names: tuple[str, ...], dialect: Dialect) -> Prepared:
    quoted = dialect.identifier_preparer
    into = ", ".join(quoted.quote(name) for name in names)
    return Prepared.of(
        f"COPY {quoted.format_table(table)} ({into}) FROM STDIN",
        [(name, putting(table.c[name].type, dialect)) for name in names],
        positional=True,
    )


def _copy(connection: Connection, copying: Prepared, rows: Iterable[Row]) -> None:
    """Send rows by `COPY`; what the driver raises is wrapped as SQLAlchemy would wrap it."""
    driver: Any = connection.connection.driver_connection
    base = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(copying.text) as copy:
            for row in rows:
                copy.write_row(copying.values(row))
    except base as error:
        if connection.dialect.is_disconnect(error, driver, None):
            connection.exec_driver_sql("SELECT 1")  # fails, too: Core then lets all of them go
        raise DBAPIError.instance(copying.text, None, error, base) from error
