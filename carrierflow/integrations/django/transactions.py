"""Django's own transactions, lent to the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

from django.db import OperationalError, connections, transaction

from carrierflow.errors import ConfigurationError, DatabaseUnavailable, InvalidInput
from carrierflow.storage import Connection, DriverConnections
from carrierflow.storage.engine import translated
from carrierflow.storage.sessions import in_iso


__all__ = ["DjangoTransaction", "reading", "vendor_of"]

VENDORS = ("postgresql", "mysql", "sqlite")
"""What Django calls the databases that the ledger lives in."""

DRIVERS = {
    "psycopg": "postgresql+psycopg",
    "psycopg_pool": "postgresql+psycopg",
    "pymysql": "mysql+pymysql",
    "MySQLdb": "mysql+mysqldb",
    "sqlite3": "sqlite+pysqlite",
}
"""What SQLAlchemy calls the drivers that Django uses, by the package of their connections."""


class DjangoTransaction:
    """The `atomic()` that the present thread has open on one of Django's databases."""

    def __init__(self, using: str) -> None:
        self._using = using

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend Django's connection for one piece of work.

        Raises:
            InvalidInput: if no `atomic()` is open, or it can only be rolled back by now.
            ConfigurationError: if the database or its driver is none that we know.
        """
        django = connections[self._using]
        if not django.in_atomic_block:
            raise InvalidInput(
                f"No transaction is open on the database {self._using!r}; record inside "
                f"`with transaction.atomic(using={self._using!r})`."
            )
        if django.needs_rollback:
            raise InvalidInput(
                f"The transaction on the database {self._using!r} has failed and can only be "
                "rolled back; leave `atomic()` first."
            )
        with _lent(self._using) as connection:
            yield connection

    def lost(self) -> None:
        """Let Django roll back whatever is open: the database did so already."""
        transaction.set_rollback(True, using=self._using)


@contextmanager
def reading(using: str) -> Iterator[Connection]:
    """Lend Django's connection to what only reads, in the transaction that is open if one is.

    Raises:
        ConfigurationError: if the database or its driver is none that we know.
        DatabaseUnavailable: if it does not answer.
    """
    try:
        with translated(), transaction.atomic(using=using), _lent(using) as lent, in_iso(lent):
            yield lent
    except OperationalError as error:  # Django's, of its own statements
        raise DatabaseUnavailable(" ".join(str(error).split())) from error


def vendor_of(using: str) -> str:
    """Return what Django calls a database; raises `ConfigurationError` if it is none of ours."""
    vendor: str = connections[using].vendor
    if vendor not in VENDORS:
        raise ConfigurationError(
            f"Django's database {using!r} is {vendor}; the ledger lives in PostgreSQL, MariaDB, "
            "MySQL or SQLite."
        )
    return vendor


def _lent(using: str) -> AbstractContextManager[Connection]:
    django = connections[using]
    vendor_of(using)
    django.validate_thread_sharing()
    django.ensure_connection()
    place = using, str(django.settings_dict["NAME"])
    return _drivers(place, _driver_of(django.connection)).over(django.connection)


@cache
def _drivers(_place: tuple[str, str], driver: str) -> DriverConnections:
    """Return what is kept for each database: SQLAlchemy remembers its server and its name."""
    return DriverConnections(driver)


def _driver_of(connection: Any) -> str:
    for kind in type(connection).__mro__:
        if found := DRIVERS.get(kind.__module__.partition(".")[0]):
            return found
    raise ConfigurationError(
        f"Django's driver {type(connection).__module__.partition('.')[0]} is none that the ledger "
        "knows; take psycopg 3, mysqlclient, PyMySQL or sqlite3."
    )
