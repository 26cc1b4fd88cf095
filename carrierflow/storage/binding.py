"""How many values one statement may bind, and lists cut so that none binds more."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from typing import Any, TypeVar

from sqlalchemy import Connection


__all__ = ["sliced"]

MOST = 32_000
"""Values of a list that any server takes; PostgreSQL counts them in 16 bits."""

OLD_SQLITE = 999
"""What SQLite took before 3.32, and what we take where it does not say."""

SPARE = 99
"""Values that a statement may bind beside its list."""

T = TypeVar("T")


def sliced(
    connection: Connection, values: Collection[T], *, at_once: int = MOST
) -> Iterator[list[T]]:
    """Cut a list into pieces that one statement may bind, and no longer than is wanted.

    There is none if the list is empty.
    """
    listed = list(values)
    most = min(_most(connection), at_once)
    for start in range(0, len(listed), most):
        yield listed[start : start + most]


def _most(connection: Connection) -> int:
    if connection.dialect.name != "sqlite":
        return MOST
    driver: Any = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        return OLD_SQLITE - SPARE
    return min(MOST, driver.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) - SPARE)
