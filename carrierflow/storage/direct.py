"""Statements that are made once and handed to the driver, without a round through SQLAlchemy.

Core looks up, for each execution, what a statement was compiled to, makes a context and describes
the result: more work than SQLite has with one parcel. Here the statement is still Core's, each
value goes through its column's type, and an error becomes what Core would raise; only the way
between is short. Where somebody listens to statements, or a driver is none that we know, Core is
asked as everywhere else.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter, itemgetter, methodcaller
from types import MappingProxyType
from typing import Any, Self, TypeVar

from sqlalchemy import CompoundSelect, Connection, Dialect, Insert, Select, Update
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine


__all__ = [
    "KEPT",
    "Prepared",
    "fetch_all",
    "is_direct",
    "prepared",
    "putting",
    "write_few",
    "write_returning",
]

DIRECT = {"pymysql", "psycopg", "pysqlite"}
"""The drivers that are handed statements by us; any other, and an asynchronous one, by Core."""

KEPT = 64
"""Statements that are remembered, for each engine of a process its own."""

Row = Mapping[str, Any]
Put = Callable[[Any], Any]
T = TypeVar("T")

FOUND: Callable[[Any], Sequence[Any]] = methodcaller("fetchall")
MET: Callable[[Any], int] = attrgetter("rowcount")

Query = Select[Any] | CompoundSelect[Any]
Writing = Insert | Update | ReturningInsert[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A statement as the driver takes it, and how each value is put for it."""

    text: str
    names: tuple[str, ...]
    """The values that it takes, in its order."""
    puts: tuple[tuple[int, Put], ...]
    """The places of values that are not handed over as they are, and what they go through."""
    positional: bool
    pick: Callable[[Row], tuple[Any, ...]]
    fixed: Row
    """The values that stand in the statement itself."""

    @classmethod
    def of(
        cls,
        text: str,
        binds: Sequence[tuple[str, Put | None]],
        *,
        positional: bool,
        fixed: Row = MappingProxyType({}),
    ) -> Self:
        """Prepare a statement that takes these values in this order."""
        names = tuple(name for name, _ in binds)
        return cls(
            text=text,
            names=names,
            puts=tuple((place, put) for place, (_, put) in enumerate(binds) if put is not None),
            positional=positional,
            pick=itemgetter(*names) if len(names) > 1 else lambda row: (row[names[0]],),
            fixed=fixed,
        )

    def values(self, row: Row) -> Sequence[Any]:
        """Return the values of a row in the order of the statement."""
        values = list(self.pick({**self.fixed, **row} if self.fixed else row))
        for place, put in self.puts:
            values[place] = put(values[place])
        return values

    def parameters(self, row: Row) -> Sequence[Any] | dict[str, Any]:
        """Return the values of a row as the driver wants them."""
        values = self.values(row)
        return tuple(values) if self.positional else dict(zip(self.names, values, strict=True))


@dataclass(frozen=True, kw_only=True, slots=True)
class _PreparedQuery:
    """A query as the driver takes it, and how what it returns is read."""

    prepared: Prepared
    make: Callable[[Iterable[Any]], Any]
    read: tuple[tuple[int, Put], ...]
    """The places of columns that are not what the driver returns, and how these are read."""

    def row(self, found: Sequence[Any]) -> Any:
        """Return what the driver found as a row, with its columns' names."""
        values = list(found)
        for place, read in self.read:
            values[place] = read(values[place])
        return self.make(values)


def is_direct(connection: Connection) -> bool:
    """Tell whether we may write a statement: not where a host has Core put schemas into it."""
    dialect, options = connection.dialect, connection.get_execution_options()
    translated = options.get("schema_translate_map")
    return dialect.driver in DIRECT and not dialect.is_async and not translated


def fetch_all(connection: Connection, query: Query, values: Row) -> Sequence[Any]:
    """Return all rows of a query that is kept, and that binds no list."""
    if not _is_short(connection):
        return connection.execute(query, values).all()
    ready = _prepared_query(query, connection.dialect)
    text, parameters = ready.prepared.text, ready.prepared.parameters(values)
    return list(map(ready.row, _execute(connection, text, parameters, FOUND)))


def write_few(connection: Connection, statement: Insert | Update, rows: Sequence[Row]) -> int:
    """Execute a statement that is kept for some rows; return how many of the table it met.

    All of them name the same columns. Of more than one not every driver counts what they met.
    """
    if not _is_short(connection):
        return connection.execute(statement, rows[0] if len(rows) == 1 else rows).rowcount
    ready = prepared(statement, tuple(rows[0]), connection.dialect)
    parameters = [ready.parameters(row) for row in rows]
    if len(rows) == 1:
        return _execute(connection, ready.text, parameters[0], MET)
    return _execute(connection, ready.text, parameters, MET, many=True)


def write_returning(
    connection: Connection, statement: ReturningInsert[Any], row: Row
) -> Sequence[Sequence[Any]]:
    """Execute a statement that is kept for one row; return what the driver says of those made."""
    if not _is_short(connection):
        return connection.execute(statement, row).all()
    ready = prepared(statement, tuple(row), connection.dialect)
    return _execute(connection, ready.text, ready.parameters(row), FOUND)


def _is_short(connection: Connection) -> bool:
    """Tell whether a statement may go past Core: nobody would miss it, and a transaction stands.

    What becomes of a transaction that is broken, Core says.
    """
    transaction = connection.get_nested_transaction() or connection.get_transaction()
    heard: Any = connection.dispatch
    return (
        is_direct(connection)
        and (transaction is None or transaction.is_active)
        and not (heard.before_cursor_execute or heard.after_cursor_execute)
        and not (heard.before_execute or heard.after_execute)
    )


def _execute(
    connection: Connection,
    text: str,
    parameters: Any,
    take: Callable[[Any], T],
    *,
    many: bool = False,
) -> T:
    """Execute a statement in the present transaction, and return what is taken of its cursor."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()
    try:
        (cursor.executemany if many else cursor.execute)(text, parameters)
        taken = take(cursor)
    except BaseException as error:
        # What Core does about an error has no public name: it wraps it, tells who listens,
        # and lets go of a connection that is lost or was left in the midst of a statement.
        if not isinstance(error, Exception) or isinstance(error, _errors_of(connection)):
            connection._handle_dbapi_exception(error, text, parameters, cursor, None)  # noqa: SLF001
        raise
    cursor.close()
    return taken


def _errors_of(connection: Connection) -> type[Exception]:
    return connection.dialect.loaded_dbapi.Error


@lru_cache(maxsize=KEPT)
def prepared(statement: Writing, names: tuple[str, ...], dialect: Dialect) -> Prepared:
    """Return what a statement becomes for the driver, of rows with these columns."""
    return _prepared(
        statement.compile(dialect=dialect, column_keys=names, for_executemany=True), dialect
    )


@lru_cache(maxsize=KEPT)
def _prepared_query(query: Query, dialect: Dialect) -> _PreparedQuery:
    compiled: Any = query.compile(dialect=dialect)
    columns = [(each.keyname, each.type) for each in compiled._result_columns]  # noqa: SLF001
    reading = [each.dialect_impl(dialect).result_processor(dialect, None) for _, each in columns]
    row: Any = namedtuple("Row", [name for name, _ in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024 - the names are the query's
    return _PreparedQuery(
        prepared=_prepared(compiled, dialect),
        make=row._make,
        read=tuple((place, read) for place, read in enumerate(reading) if read is not None),
    )


def _prepared(compiled: Any, dialect: Dialect) -> Prepared:
    order = compiled.positiontup if compiled.positional else list(compiled.bind_names.values())
    binds = [(name, putting(compiled.binds[name].type, dialect)) for name in order or ()]
    fixed = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared.of(str(compiled), binds, positional=compiled.positional, fixed=fixed)


def putting(column: TypeEngine[Any], dialect: Dialect) -> Put | None:
    """Return what a value of a type goes through on its way to the driver; None for nothing."""
    return column.dialect_impl(dialect).bind_processor(dialect)
