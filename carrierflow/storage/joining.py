"""The store inside a host's own transaction: the same ledger, and nothing of the host's touched."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, MissingGreenlet

from carrierflow.domain.clock import Clock
from carrierflow.domain.lifecycle import Definition
from carrierflow.errors import InvalidInput
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.storage.definitions import Definitions
from carrierflow.storage.engine import translated
from carrierflow.storage.ledger import SqlLedgerTransaction
from carrierflow.storage.lending import Lender
from carrierflow.storage.sessions import begin_writing, commits_by_itself, in_iso


if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    Host = Connection | Session | Lender
    """What a host may lend us: its own open connection or session, or what lends one."""
else:
    Host = object  # the ORM is there where somebody has a Session of it, and is not imported here

__all__ = ["Host", "JoinedStore"]

FROM_WITHIN = (
    "is joined from within: await session.run_sync(lambda s: app.joined(s).record(event))."
)

OURS = "carrierflow_joined"
"""The savepoint to which a joined ledger goes back; what is joined joins nothing further."""

T = TypeVar("T")


class JoinedStore:
    """A connection or session of the host's, in the host's own transaction.

    Nothing is committed, rolled back or closed here, and nothing is tried again: where another
    writer was met, the host decides. What ends in an error has written nothing.
    """

    def __init__(self, host: Host, definition: Definition, *, clock: Clock) -> None:
        """Raises `InvalidInput` if it is no host."""
        _require_host(host)
        self._host = host
        self._definition = definition
        self._clock = clock

    def run(self, work: Callable[[LedgerTransaction], T]) -> T:
        """Do some work of the ledger inside the host's transaction, all of it or none."""
        with self.within() as connection:
            definitions = Definitions([self._definition], clock=self._clock)
            return work(SqlLedgerTransaction(connection, definitions))

    @contextmanager
    def within(self) -> Iterator[Connection]:
        """Lend the host's connection, within its transaction."""
        host = self._host
        with (
            _awaited(),
            translated(),
            _lent(host) as lent,
            _all_or_none(lent, host),
            in_iso(lent),
        ):
            yield lent


def _require_host(host: object) -> None:
    if hasattr(host, "run_sync"):
        raise InvalidInput(f"An {type(host).__name__} {FROM_WITHIN}")
    if not isinstance(host, Connection | Lender) and not _is_session(host):
        raise InvalidInput(
            f"What is joined is an open Connection or Session, not {type(host).__name__}."
        )


def _is_session(host: object) -> TypeGuard[Session]:
    orm = sys.modules.get("sqlalchemy.orm")
    return orm is not None and isinstance(host, orm.Session)


@contextmanager
def _awaited() -> Iterator[None]:
    """Tell whoever calls an asynchronous driver outside of `run_sync` how it is called."""
    try:
        yield
    except MissingGreenlet:
        raise InvalidInput(f"A session of an asynchronous engine {FROM_WITHIN}") from None


def _lent(host: Host) -> AbstractContextManager[Connection]:
    if isinstance(host, Lender):
        return host.lend()
    return nullcontext(host if isinstance(host, Connection) else host.connection())


@contextmanager
def _all_or_none(connection: Connection, host: Host) -> Iterator[None]:
    """Take back what was written within a transaction, where its writer raised something.

    Where that cannot be done, the database has already taken back more: a lost connection or a
    deadlock on MariaDB takes the whole transaction away.

    The savepoint is told the driver as it is: Core compiles one anew each time, which takes as long
    as SQLite needs for a parcel.
    """
    _see_it_begun(connection)
    connection.exec_driver_sql(f"SAVEPOINT {OURS}")
    try:
        yield
    except BaseException:
        try:
            if not connection.invalidated:
                connection.exec_driver_sql(f"ROLLBACK TO SAVEPOINT {OURS}")
        except DBAPIError:
            if isinstance(host, Lender):
                host.lost()
        raise
    connection.exec_driver_sql(f"RELEASE SAVEPOINT {OURS}")


def _see_it_begun(connection: Connection) -> None:
    """See to it that there is a transaction; without one, a savepoint keeps nothing together.

    On SQLite it would be committed.
    """
    chosen = connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT"
    sqlite = connection.dialect.name == "sqlite"
    if chosen or (not sqlite and commits_by_itself(connection)):
        raise InvalidInput(
            "A connection in AUTOCOMMIT has no transaction to join; lend one that has."
        )
    if sqlite:
        begin_writing(connection)
