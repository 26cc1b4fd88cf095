"""Engines as carrierflow needs them, and the translation of database errors into ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import SQLITE_BUSY
from typing import Any

from sqlalchemy import Connection, Engine, Select, create_engine, event
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DataError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.pool import Pool

from carrierflow.errors import (
    CommitUnknown,
    ConcurrentUpdate,
    ConfigurationError,
    DatabaseUnavailable,
    InvalidInput,
)
from carrierflow.storage.database_urls import read_url
from carrierflow.storage.grants import is_denied
from carrierflow.storage.pings import ping_doubtful
from carrierflow.storage.server_lines import lines_of, prepare_lines
from carrierflow.storage.sessions import error_codes, is_read_only, prepare_server
from carrierflow.storage.sqlite_files import is_anothers, refuse_what_is_none
from carrierflow.storage.timeouts import DatabaseTimeouts


__all__ = [
    "build_engine",
    "commit",
    "error_codes",
    "is_built_here",
    "is_in_memory",
    "is_mysql",
    "isolate",
    "leave_to_parent",
    "require_file",
    "require_plain",
    "streamed",
    "translated",
]

SLICE = 1
"""Seconds that SQLite itself waits for a lock; between two of them we can be stopped."""

POOL = 10
"""Connections to a server that a process keeps, unless it is told; further threads wait for one.

None beyond: each would be made anew and closed again, for more than a whole callback costs.
"""

CONFLICTS = {
    "40001",  # PostgreSQL: serialization failure
    "40P01",  # PostgreSQL: deadlock detected
    "23505",  # PostgreSQL: unique violation; another writer came first
    1062,  # MariaDB: duplicate entry; another writer came first
    1213,  # MariaDB: deadlock found
    1205,  # MariaDB: lock wait timeout
    1020,  # MariaDB: record has changed since last read
}
"""Errors after which the same transaction may simply be done again."""

BUILT = "carrierflow_built"

WRONG_VALUES = {
    1292,  # MariaDB: incorrect value
    1366,  # MariaDB: incorrect value for a column
}
"""What is the value's fault, and yet no `DataError` to the driver."""

UNSTORABLE = (
    "The database cannot hold a value: a text is too long or has characters that cannot be "
    "stored, or a number is too large; nothing was written."
)


def build_engine(
    url: str, timeouts: DatabaseTimeouts | None = None, *, pool_size: int = POOL
) -> Engine:
    """Build an engine for a database URL, with the driver and the settings that we test.

    What the URL itself says about time counts more than `timeouts`. Of a server it keeps up to
    `pool_size` connections; a SQLite file is opened as often as there are threads that use it.

    Raises:
        ConfigurationError: if the URL cannot be read or its driver is not installed.
    """
    timeouts = timeouts or DatabaseTimeouts()
    try:
        parsed, arguments = read_url(url)
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0}
        options["pool_timeout"] = timeouts.pool
        if parsed.get_backend_name() == "sqlite":
            options, arguments = {}, {"timeout": timeouts.lock}
        elif is_mysql(parsed.get_backend_name()):
            options["isolation_level"] = "READ COMMITTED"
        engine = create_engine(parsed, connect_args=arguments, **options)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(
            "The database URL cannot be read; write it like sqlite:///carrierflow.db or "
            "postgresql://user@host/name."
        ) from error
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The driver {error.name} is not installed; install carrierflow[postgres] or "
            "carrierflow[mysql]."
        ) from error
    if engine.dialect.is_async:
        raise ConfigurationError(
            "The database URL names a driver for asynchronous programs; write the URL without it."
        )
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, timeouts.lock)
    else:
        prepare_lines(engine, timeouts)
        prepare_server(engine, timeouts)
        ping_doubtful(engine)
    engine.update_execution_options(**{BUILT: True})
    return engine


def is_built_here(engine: Engine) -> bool:
    """Tell whether an engine is one of `build_engine`, so that its URL says all about it."""
    return bool(engine.get_execution_options().get(BUILT))


def require_plain(engine: Engine) -> None:
    """Refuse a host's engine that puts schemas into statements: not all of ours are SQLAlchemy's.

    Raises:
        ConfigurationError: with what does it.
    """
    if engine.get_execution_options().get("schema_translate_map"):
        raise ConfigurationError(
            "An engine with a schema_translate_map cannot be used; name the schema in the search "
            "path instead: ALTER ROLE ... SET search_path = ..."
        )


def leave_to_parent(engine: Engine) -> None:
    """Let a process that was forked have connections of its own, and the parent keep those it had.

    They are not closed either: a driver may say goodbye on what is the parent's line. A database in
    memory is copied with the process, and is its own.
    """
    if is_in_memory(engine):
        return
    _OF_PARENTS.append(engine.pool)
    engine.dispose(close=False)


_OF_PARENTS: list[Pool] = []
"""Kept, so that nothing in them is ever collected, and thereby closed, in a child."""


def is_in_memory(engine: Engine) -> bool:
    """Tell whether a database is this process's alone."""
    return engine.dialect.name == "sqlite" and _is_in_memory(engine.url.database)


def require_file(engine: Engine) -> None:
    """Refuse a SQLite file that is not there, which the first use would make, empty.

    Raises:
        ConfigurationError: with where it was looked for.
    """
    name = engine.url.database if engine.dialect.name == "sqlite" else None
    if name is None or _is_in_memory(name) or name.startswith("file:"):
        return
    path = Path(name).absolute()
    if path.parent.exists() and not path.exists():
        raise ConfigurationError(
            f"There is no database at {path}; run `carrierflow db upgrade` to make it there."
        )


def _is_in_memory(database: str | None) -> bool:
    return not database or database.startswith(":memory:") or "mode=memory" in database


def is_mysql(name: str) -> bool:
    """Tell whether a dialect is MariaDB's or MySQL's."""
    return name in {"mysql", "mariadb"}


def _prepare_sqlite(engine: Engine, patience: float) -> None:
    """Turn on what SQLite leaves off, and begin transactions as writers.

    A transaction that begins as a reader and writes later cannot wait for another writer: it
    fails at once. So each one that may write says so when it begins.
    """
    refuse_what_is_none(engine)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        slices = f"busy_timeout={round(1000 * min(SLICE, patience))}"
        form = [] if is_anothers(connection) else ["journal_mode=WAL"]  # which stays in the file
        for pragma in ("foreign_keys=ON", *form, "synchronous=NORMAL", slices):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("carrierflow_reads_only"):
            connection.exec_driver_sql("BEGIN")
        else:
            _wait_to_write(connection, time.monotonic() + patience)


def _wait_to_write(connection: Connection, deadline: float) -> None:
    """Begin as a writer; in slices, so that a signal is heard between two of them."""
    driver: Any = connection.connection.driver_connection
    lines = lines_of(connection.engine)
    while time.monotonic() + SLICE < deadline and not lines.is_cut:
        try:
            driver.execute("BEGIN IMMEDIATE").close()
        except driver.OperationalError as error:
            if error.sqlite_errorcode != SQLITE_BUSY:
                break
        else:
            return
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # SQLAlchemy tells its error as any other


def streamed(
    connection: Connection,
    query: Select[Any],
    values: Mapping[str, Any] | None = None,
    *,
    at_once: int,
) -> Iterator[Sequence[Any]]:
    """Run a query over very many rows; yields them as the driver's own plain tuples, in lists.

    A server is asked for the next rows while the last are worked on. Columns whose types need
    the driver's values converted cannot be read like this.
    """
    options = {"stream_results": True, "max_row_buffer": at_once}
    with connection.execute(query, values, execution_options=options) as result:
        raw: Any = result

        def fetch() -> Any:
            return raw.cursor_strategy.fetchmany(raw, raw.cursor, at_once)

        if connection.dialect.name == "sqlite":
            yield from iter(fetch, [])
        else:
            yield from _ahead(fetch)


def _ahead(fetch: Callable[[], Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield what is fetched until nothing is, always with the next fetch under way."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        coming = worker.submit(fetch)
        while rows := coming.result():
            coming = worker.submit(fetch)
            yield rows


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a driver raises into our errors, with the cause kept.

    Raises:
        ConcurrentUpdate: where the same transaction may be done again.
        ConfigurationError: where the present user has no right to do it.
        DatabaseUnavailable: where the database does not answer or is locked.
        InvalidInput: where a value is none that it holds. Whoever hands one in was asked
            before; this is the last net, and keeps the row's values out of every trace.
    """
    try:
        yield
    except (UnicodeEncodeError, OverflowError):
        raise InvalidInput(UNSTORABLE) from None
    except DBAPIError as error:
        if _is_unstorable(error):
            raise InvalidInput(UNSTORABLE) from None
        if is_conflict(error):
            raise ConcurrentUpdate("A row") from error
        if is_denied(error):
            raise ConfigurationError(
                f"The database does not let the present user do this: {_short(error)}; "
                "`carrierflow db harden`, as the owner of the tables, gives a role its rights."
            ) from error
        if _is_outage(error):
            raise DatabaseUnavailable(_short(error)) from error
        raise
    except PoolExhausted as error:
        raise DatabaseUnavailable("all of this process's connections are in use") from error


def isolate(connection: Connection, level: str) -> None:
    """Have the transaction that is to begin see what its isolation level shows.

    A server is told so past SQLAlchemy, which would leave its driver's error as it is.

    Raises:
        DBAPIError: if the server does not answer; the connection is given up then.
    """
    driver = connection.dialect.loaded_dbapi.Error
    try:
        connection.execution_options(isolation_level=level)
    except driver as error:
        connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, driver, connection_invalidated=True, dialect=connection.dialect
        ) from error


def commit(connection: Connection) -> None:
    """Commit, and tell a failure that is certain from one that is not.

    A server that is lost between our COMMIT and its answer may have done it. A SQLite file has
    no such gap: what its COMMIT reports as failed did not happen.

    Raises:
        CommitUnknown: if nobody can know whether it was done.
    """
    try:
        connection.commit()
    except DBAPIError as error:
        certain = connection.dialect.name == "sqlite" or is_conflict(error) or is_read_only(error)
        if certain or not _is_outage(error):
            raise
        raise CommitUnknown from error


def _is_outage(error: DBAPIError) -> bool:
    """Tell whether it is the database that fails, not the statement: down, locked, read-only.

    SQLite raises the bare class of errors for a file that is broken or no database at all.
    """
    broken = isinstance(error, OperationalError) or type(error) is DatabaseError
    return broken or error.connection_invalidated or is_read_only(error)


def _is_unstorable(error: DBAPIError) -> bool:
    """Tell whether a value is too long or too large, or has characters that are not stored."""
    return isinstance(error, DataError) or not WRONG_VALUES.isdisjoint(error_codes(error))


def is_conflict(error: DBAPIError) -> bool:
    """Tell whether two writers met, and neither is to blame."""
    return not CONFLICTS.isdisjoint(error_codes(error))


def _short(error: DBAPIError) -> str:
    """Say what the driver said in one line, without the statement and its values."""
    text = " ".join(str(error.orig).split())
    return text[:200].rstrip(". ")
