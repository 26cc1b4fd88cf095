"""Many rows into one table at once, without a round through SQLAlchemy for each of them.

Core makes, for every row of an `executemany`, a dictionary of parameters, looked through, copied
and put in order: more work than SQLite has with the row. Here the statement is still Core's,
and each value goes through its column's type; only the loop is ours. PostgreSQL is sent one
statement with an array per column.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    Dialect,
    Executable,
    Table,
    bindparam,
    func,
    insert,
    select,
)


__all__ = ["insert_many"]

FEW = 20
"""Rows up to which the plain statement is as good, and what is sent is easier to read."""


def insert_many(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert some rows, all of which name the same columns."""
    names, dialect = tuple(rows[0]), connection.dialect
    if len(rows) > FEW and dialect.name == "postgresql":
        columns = {name: [row[name] for row in rows] for name in names}
        connection.execute(_from_arrays(table, names), columns)
    elif len(rows) > FEW and dialect.name == "sqlite":
        plain = _plain(table, names, dialect)
        connection.exec_driver_sql(plain.statement, [plain.values(row) for row in rows])
    else:
        connection.execute(_insert(table), list(rows))


@cache
def _insert(table: Table) -> Executable:
    return insert(table)


@cache
def _from_arrays(table: Table, names: tuple[str, ...]) -> Executable:
    arrays = [func.unnest(bindparam(name, type_=ARRAY(table.c[name].type))) for name in names]
    return insert(table).from_select(names, select(*arrays))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plain:
    """A statement as the driver takes it, and how each value is put for it."""

    statement: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the values of a row in the order of the statement."""
        return tuple([row[name] if put is None else put(row[name]) for name, put in self.columns])


@cache
def _plain(table: Table, names: tuple[str, ...], dialect: Dialect) -> _Plain:
    compiled = insert(table).compile(dialect=dialect, column_keys=names)
    return _Plain(
        statement=str(compiled),
        columns=tuple(
            (name, table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup or ()
        ),
    )
