"""An SQLAlchemy connection over a driver's connection that a host has open without SQLAlchemy.

What SQLAlchemy does with a connection that it made itself is harm to one that it did not: it looks
the server over and rolls that back, hangs functions of its own on it, and rolls back and closes it
in the end. So the driver's connection goes through `_Lent`, which ends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from carrierflow.domain.forking import ProcessLock


__all__ = ["DriverConnections", "Lender"]

OPTIONS = {"postgresql": {"use_native_hstore": False}}
"""What keeps a dialect from asking the server for types that we have none of."""


@runtime_checkable
class Lender(Protocol):
    """A host that lends its open transaction for one piece of work after the other."""

    def lend(self) -> AbstractContextManager[Connection]:
        """Return what lends the connection for one piece of work.

        Raises:
            InvalidInput: if there is no transaction to join.
        """
        ...

    def lost(self) -> None:
        """Hear that the database took the whole transaction back, so that it is not gone on with.

        MariaDB does so with a deadlock.
        """
        ...


class DriverConnections:
    """Makes SQLAlchemy's connections over those of one driver to one database."""

    def __init__(self, driver: str) -> None:
        url = make_url(f"{driver}://")
        kind: Any = url.get_dialect()
        dialect = kind(dbapi=kind.import_dbapi(), **OPTIONS.get(url.get_backend_name(), {}))
        pool = NullPool(_present, dialect=dialect, reset_on_return=None)
        self._engine = Engine(pool, dialect, url)
        self._is_looked_over = False
        self._lock = ProcessLock()

    @contextmanager
    def over(self, driver: Any) -> Iterator[Connection]:
        """Lend a connection for one piece of work; it commits, rolls back and closes nothing."""
        with self._connect(driver) as connection:
            self._look_over(connection)
            yield connection

    def _connect(self, driver: Any) -> Connection:
        token = _LENT.set(_Lent(driver))
        try:
            return self._engine.connect()
        finally:
            _LENT.reset(token)

    def _look_over(self, connection: Connection) -> None:
        """Let the dialect ask once what server it has; only the rollback after it is left out."""
        if self._is_looked_over:
            return
        with self._lock:
            if not self._is_looked_over:
                connection.dialect.initialize(connection)
                self._is_looked_over = True


class _Lent:
    """A driver's connection, without what would end a transaction or the connection."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def cursor(self) -> Any:
        """Return a cursor as the driver makes it by itself, whatever the host's are set to."""
        if type(self._driver).__module__.startswith("psycopg"):
            from carrierflow.storage.plain_cursor import PlainCursor  # noqa: PLC0415 - an extra

            return PlainCursor(self._driver)
        return self._driver.cursor()

    def commit(self) -> None:
        """Leave it to the host."""

    rollback = close = commit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)


_LENT: ContextVar[_Lent] = ContextVar("carrierflow_lent")
"""What the pool hands to SQLAlchemy, for as long as that connects."""


def _present() -> _Lent:
    return _LENT.get()
