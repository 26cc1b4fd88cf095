"""Tries every way that is known of rewriting history, and says which of them are open.

Everything is tried on rows made for it, with keys that no counter gives out, inside a
transaction that is rolled back: nothing is left behind and nothing is lost, whatever is open.
Only a TRUNCATE on MariaDB, which commits by itself, and the right to change the tables
themselves are read from the privileges instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import now
from carrierflow.errors import ConfigurationError
from carrierflow.storage.administration import administer
from carrierflow.storage.catalogue_check import kept_tables, read_catalogue
from carrierflow.storage.engine import commit, error_codes, is_mysql, translated
from carrierflow.storage.grants import is_denied
from carrierflow.storage.migrate import require_migrated
from carrierflow.storage.protection import EVERY, Protection
from carrierflow.storage.tables import history
from carrierflow.storage.tamper_rows import Values, family


__all__ = ["Protection", "check"]

LOCKED = "55P03"
"""PostgreSQL could not lock a table in the time that it was given."""

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '100ms'"

BROKEN_ENTRIES: Mapping[str, dict[str, Any]] = {
    "illegal step": {"to_status": "delivered"},
    "gap in the numbers": {"seq": 3},
    "gap in the chain": {"seq": 3, "prev_seq": 2},
    "broken link": {"from_status": "picking", "to_status": "delivering"},
    "second start": {"prev_seq": None, "from_status": "start", "to_status": "readytopick"},
    "unsigned amendment": {"edge": None, "amends": 1},
    "step without a lifecycle": {"edge": None},
}
"""What each says wrongly of an entry that would be a legal next step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mode:
    """A state of the session in which everything is tried."""

    name: str = ""
    enter: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    def hole(self, what: str) -> str:
        """Name a hole as it is tried in this state."""
        return f"{what}, {self.name}" if self.name else what


REPLICA = _Mode(
    name="session_replication_role=replica",
    enter=("SET LOCAL session_replication_role = replica",),
)
MYSQL_SWITCHES = ("foreign_key_checks", "unique_checks")
MARIADB_SWITCHES = (*MYSQL_SWITCHES, "check_constraint_checks")


def check(engine: Engine) -> list[Protection]:
    """Try each hole on each append-only table, as the user that the engine connects as.

    Raises:
        ConfigurationError: if the present user cannot even insert, so that nothing can be
            tried, or the engine commits by itself.
        NotMigrated: if the tables are not those of this version.
        DatabaseUnavailable: if the database does not answer.
    """
    with translated(), engine.connect() as connection:
        require_migrated(connection)
        connection.rollback()
        found = [result for mode in _modes(connection) for result in _in_mode(connection, mode)]
        found += read_catalogue(connection)
        connection.rollback()
        details = {"open": str(sum(not protection.protected for protection in found))}
        administer(connection, AdministrationKind.CHECKED, now=now(), details=details)
        commit(connection)
        return found


def _modes(connection: Connection) -> tuple[_Mode, ...]:
    dialect = connection.dialect
    if dialect.name == "postgresql":
        return _Mode(), REPLICA
    if is_mysql(dialect.name):
        switches = MARIADB_SWITCHES if getattr(dialect, "is_mariadb", False) else MYSQL_SWITCHES
        enter = tuple(f"SET SESSION {name} = 0" for name in switches)
        leave = tuple(f"SET SESSION {name} = 1" for name in switches)
    else:
        present = connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one()
        connection.rollback()
        enter = ("PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON")
        leave = (f"PRAGMA foreign_keys = {present}", "PRAGMA ignore_check_constraints = OFF")
    return _Mode(), _Mode(name="constraints off", enter=enter, leave=leave)


def _in_mode(connection: Connection, mode: _Mode) -> list[Protection]:
    with _rolled_back(connection, mode):
        if mode is REPLICA:
            denied = _refusal(connection, *map(text, mode.enter))
            if denied is not None:
                return [_judged(connection, mode.name, EVERY, denied)]
            connection.exec_driver_sql(mode.enter[0])
        return [
            *(result for table in kept_tables() for result in _rows_of(connection, mode, table)),
            *_links(connection, mode),
        ]


@contextmanager
def _rolled_back(connection: Connection, mode: _Mode) -> Iterator[None]:
    """Begin a transaction that leaves nothing behind.

    SQLite obeys its switches only outside of transactions; PostgreSQL's is part of one.
    """
    outside = mode.enter if mode is not REPLICA else ()
    _raw(connection, outside)
    try:
        with connection.begin() as transaction:
            yield
            transaction.rollback()
    finally:
        _raw(connection, mode.leave)


def _raw(connection: Connection, statements: Sequence[str]) -> None:
    """Give the driver some statements without a transaction around them."""
    if statements and not connection.invalidated:
        with closing(connection.connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)


def _rows_of(connection: Connection, mode: _Mode, table: Table) -> Iterator[Protection]:
    """Try to change one row of a table that no other row refers to."""
    with connection.begin_nested() as planted:
        row = _plant(connection, table)
        yield _kept(connection, mode, table, row)
        yield _each_column(connection, mode, table, row)
        for hole, statements in _attacks(connection, table, row):
            refusal = _refusal(connection, *statements)
            yield _judged(connection, mode.hole(hole), table.name, refusal)
        planted.rollback()


def _each_column(connection: Connection, mode: _Mode, table: Table, row: Values) -> Protection:
    """Try to change each column of a row, and say of which it went through."""
    this = and_(*(column == row[column.name] for column in table.primary_key.columns))
    tried = {
        column.name: _judged(
            connection,
            mode.hole("UPDATE"),
            table.name,
            _refusal(connection, update(table).where(this).values({column: column})),
        )
        for column in table.columns
    }
    open_ = [name for name, each in tried.items() if not each.protected]
    if not open_:
        return next(iter(tried.values()))
    of = f"Of {', '.join(open_)}: " if len(open_) < len(tried) else ""
    first = tried[open_[0]]
    return replace(first, sentence=f"{of}{first.sentence}")


def _kept(connection: Connection, mode: _Mode, table: Table, row: Values) -> Protection:
    """See whether a row stands there as it was inserted: rules and triggers can alter it."""
    same = and_(*(column == row.get(column.name) for column in table.columns))
    there = connection.execute(select(func.count()).select_from(table).where(same)).scalar()
    lost = "What is inserted is lost or altered: a rule or a trigger that is not ours is there."
    return Protection.judged(
        mode.hole("INSERT"),
        table.name,
        wrong=None if there == 1 else lost,
        right="What is inserted is kept as it is.",
    )


def _attacks(
    connection: Connection, table: Table, row: Values
) -> Iterator[tuple[str, Sequence[Executable]]]:
    """Return what would change, remove or replace a row, each as statements."""
    dialect, last = connection.dialect.name, list(table.columns)[-1]
    this = and_(*(column == row[column.name] for column in table.primary_key.columns))
    yield "DELETE", [delete(table).where(this)]
    if dialect == "postgresql":
        yield "TRUNCATE", [text(LOCK_TIMEOUT), text(f"TRUNCATE {table.name} CASCADE")]
    where = this.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    copy = f"INTO {table.name} SELECT * FROM {table.name} WHERE {where}"  # noqa: S608
    if dialect != "postgresql":
        yield "REPLACE INTO", [text(f"REPLACE {copy}")]
    if is_mysql(dialect):
        change = f"ON DUPLICATE KEY UPDATE {last.name} = VALUES({last.name})"
        yield "ON DUPLICATE KEY UPDATE", [text(f"INSERT {copy} {change}")]
        return
    keys = ", ".join(table.primary_key.columns.keys())
    change = f"ON CONFLICT ({keys}) DO UPDATE SET {last.name} = excluded.{last.name}"
    yield "ON CONFLICT DO UPDATE", [text(f"INSERT {copy} {change}")]
    if dialect == "sqlite" and len(table.primary_key.columns) > 1:
        yield "INSERT OR REPLACE by rowid", _by_rowid(table, f"{where}")


def _by_rowid(table: Table, where: str) -> Sequence[Executable]:
    """Insert another row under the hidden number of the one that is there."""
    *before, (_, other) = family(table)
    names = ", ".join(other)
    values = ", ".join(f":{name}" for name in other)
    statement = text(
        f"INSERT OR REPLACE INTO {table.name} (rowid, {names}) "  # noqa: S608
        f"SELECT rowid, {values} FROM {table.name} WHERE {where}"
    ).bindparams(*(bindparam(name, v, table.c[name].type) for name, v in other.items()))
    return [*(insert(parent).values(row) for parent, row in before), statement]


def _links(connection: Connection, mode: _Mode) -> Iterator[Protection]:
    """Try to enter what does not follow from the entry before it."""
    with connection.begin_nested() as planted:
        first = _plant(connection, history)
        following = first | {"seq": 2, "prev_seq": 1}
        following |= {"from_status": "readytopick", "to_status": "picking"}
        refused = _refusal(connection, insert(history).values(following))
        if refused is not None:
            raise _untried(refused)
        for hole, wrong in BROKEN_ENTRIES.items():
            refusal = _refusal(connection, insert(history).values(following | wrong))
            yield _judged(connection, mode.hole(hole), history.name, refusal)
        planted.rollback()


def _plant(connection: Connection, table: Table) -> Values:
    """Insert a row with everything that it refers to, and return it."""
    rows = family(table)
    try:
        for member, row in rows:
            connection.execute(insert(member), row)
    except DBAPIError as error:
        raise _untried(error) from error
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:
            raise ConfigurationError("This engine commits by itself; build it by its URL.")
    return rows[-1][1]


def _untried(error: DBAPIError) -> ConfigurationError:
    why = "has no right to" if is_denied(error) else f"cannot: {_short(error)}"
    return ConfigurationError(
        f"Nothing can be tried, for it takes inserting rows, and the present user {why}; "
        "connect as the role that carrierflow uses."
    )


def _refusal(connection: Connection, *statements: Executable) -> DBAPIError | None:
    """Execute some statements, take them back, and return the error if there was one."""
    attempt = connection.begin_nested()
    try:
        for statement in statements:
            connection.execute(statement)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        return error
    finally:
        attempt.rollback()
    return None


def _judged(
    connection: Connection, hole: str, table: str, refusal: DBAPIError | None
) -> Protection:
    protected, sentence = True, "A constraint refuses it."
    if refusal is None:
        protected, sentence = False, "It went through; the owner of the tables runs `db harden`."
    elif is_denied(refusal):
        sentence = "The present user has no right to."
    elif "carrierflow:" in str(refusal.orig):
        sentence = "A trigger refuses it."
    elif LOCKED in error_codes(refusal):
        protected = _has_always_trigger(connection, table)
        there = "is there" if protected else "is missing; the owner of the tables runs `db harden`"
        sentence = f"The table is in use, so this was not tried; its trigger {there}."
    elif not isinstance(refusal, IntegrityError):
        protected, sentence = False, f"It could not be tried: {_short(refusal)}."
    return Protection(hole=hole, table=table, protected=protected, sentence=sentence)


def _has_always_trigger(connection: Connection, table: str) -> bool:
    query = text(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = to_regclass(:table) "
        "AND tgname = :name AND tgenabled = 'A'"
    )
    names = {"table": table, "name": f"{table}_no_truncate"}
    return bool(connection.execute(query, names).scalar())


def _short(error: DBAPIError) -> str:
    return " ".join(str(error.orig).split())[:200].rstrip(". ")
