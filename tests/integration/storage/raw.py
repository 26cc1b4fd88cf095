"""Plain drivers, as another program would use them: none of our engines, none of our store."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pymysql
import pytest
from sqlalchemy.engine import make_url


if TYPE_CHECKING:
    from collections.abc import Iterator


REFUSALS = (sqlite3.DatabaseError, psycopg.Error, pymysql.MySQLError)

MOMENT = {
    "sqlite": "'2026-03-01T08:00:00.000000+00:00'",
    "postgres": "'2026-03-01T08:00:00+00:00'",
    "mariadb": "'2026-03-01 08:00:00'",
}


@contextmanager
def connected(database, *, user=None, password="") -> Iterator[Raw]:
    """Connect to a database by its plain driver; nothing is committed unless it says so."""
    url = make_url(database.url)
    if database.kind == "sqlite":
        made = sqlite3.connect(url.database)
    elif database.kind == "postgres":
        name = user or url.username
        made = psycopg.connect(host=url.host, user=name, password=password, dbname=url.database)
    else:
        made = pymysql.connect(
            host=url.host,
            user=user or url.username,
            password=password,
            database=url.database,
            local_infile=True,
        )
    with closing(made) as connection:
        yield Raw(database.kind, connection)


class Raw:
    """One connection of a plain driver."""

    def __init__(self, kind, connection):
        self.kind = kind
        self.connection = connection

    def run(self, statement):
        """Execute one statement and return its rows, if it has any."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
        finally:
            cursor.close()

    def commit(self):
        """Commit."""
        self.connection.commit()

    def rollback(self):
        """Take back what was not committed."""
        self.connection.rollback()

    def refuses(self, statement):
        """Execute a statement that must be refused, and return why it was."""
        with pytest.raises(REFUSALS) as refusal:
            self.run(statement)
        self.rollback()
        return str(refusal.value)

    def insert(self, table, **values):
        """Return an INSERT of some literal values; times are written for this database."""
        names = ", ".join(values)
        literals = ", ".join(map(self.literal, values.values()))
        return f"INSERT INTO {table} ({names}) VALUES ({literals})"

    def literal(self, value):
        """Write a value as SQL."""
        if value is NOW:
            return MOMENT[self.kind]
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return str(value).upper()
        return repr(value)


NOW = object()
