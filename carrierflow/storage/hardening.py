"""Installing what protects history, and making the role that cannot get around it.

`harden` is the work of whoever owns the tables; `check` (in `holes`) tries what came of it, and
is best run as the role that the library uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from carrierflow.errors import ConfigurationError
from carrierflow.storage.engine import is_mysql, translated
from carrierflow.storage.grants import grants, is_denied
from carrierflow.storage.holes import Protection, check
from carrierflow.storage.migrate import VERSION_TABLE, require_migrated
from carrierflow.storage.protections import (
    Trigger,
    enable_always,
    function_statements,
    triggers,
)
from carrierflow.storage.tables import APPEND_ONLY, history, metadata, notes


__all__ = ["Protection", "check", "harden"]

ROW_RIGHTS = ("SELECT", "INSERT")
HEAD_RIGHTS = ("SELECT", "INSERT", "UPDATE")


def harden(engine: Engine, *, role: str, password: str | None = None) -> list[str]:
    """Install what is missing, make the role that the library should use, and say what was done.

    The role may insert into every table and change those that hold no proof; it deletes notes
    only, and owns nothing. Doing it again changes nothing. On MariaDB the role is a user,
    written `name` or `name@host`. A SQLite file has no roles, and gets triggers alone.

    Raises:
        ConfigurationError: if the present user may not do this, or the role has wider rights
            already.
        NotMigrated: if the tables are not those of this version.
        DatabaseUnavailable: if the database does not answer.
    """
    with translated(), engine.begin() as connection:
        require_migrated(connection)
        try:
            return [*_install(connection), *_roles(connection)(connection, role, password)]
        except DBAPIError as error:
            if is_denied(error):
                raise ConfigurationError(
                    "The present user may not protect these tables; connect as their owner, "
                    "with the right to create roles."
                ) from error
            raise


def _roles(
    connection: Connection,
) -> Callable[[Connection, str, str | None], Iterator[str]]:
    name = connection.dialect.name
    if name == "postgresql":
        return _postgresql_role
    return _mariadb_role if is_mysql(name) else _no_role


def _install(connection: Connection) -> Iterator[str]:
    """Create each trigger that is missing, switched off, or not as it must be."""
    dialect = connection.dialect.name
    for statement in function_statements(dialect):
        _run(connection, statement)
    found = _found_triggers(connection)
    wanted = [t for t in triggers(dialect) if found.get(t.name) != _look(dialect, t)]
    for trigger in wanted:
        of = f" ON {trigger.table}" if dialect == "postgresql" else ""
        _run(connection, f"DROP TRIGGER IF EXISTS {trigger.name}{of}")
        _run(connection, trigger.create)
        if dialect == "postgresql":
            _run(connection, enable_always(trigger))
        yield f"Trigger {trigger.name} was missing or changed; it is installed."
    if not wanted:
        yield "Every trigger is in place."


def _found_triggers(connection: Connection) -> dict[str, tuple[Any, ...]]:
    dialect = connection.dialect.name
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    if dialect == "postgresql":
        query = (
            "SELECT t.tgname, t.tgenabled::text, p.proname, t.tgtype FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid)"
        )
    elif is_mysql(dialect):
        query = (
            "SELECT trigger_name, action_timing, event_manipulation, action_statement "
            "FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
        )
    return {row[0]: tuple(row[1:]) for row in connection.exec_driver_sql(query)}


def _look(dialect: str, trigger: Trigger) -> tuple[Any, ...]:
    """Return what the catalogue says of a trigger that is as it must be."""
    if dialect == "postgresql":
        return "A", trigger.function, trigger.fires
    if is_mysql(dialect):
        head, _, body = trigger.create.partition(" FOR EACH ROW ")
        timing, verb = head.split()[3:5]
        return timing, verb, body
    return (trigger.create,)


def _no_role(_connection: Connection, role: str, _password: str | None) -> Iterator[str]:
    yield (
        f"A SQLite file has no roles, so {role} was not made: let only one account of the "
        "system write the file."
    )


def _rights() -> Iterator[tuple[str, tuple[str, ...]]]:
    for table in metadata.sorted_tables:
        erased = ("DELETE",) if table is notes else ()
        yield table.name, ROW_RIGHTS if table in APPEND_ONLY else HEAD_RIGHTS + erased
    yield VERSION_TABLE, ("SELECT",)


def _postgresql_role(connection: Connection, role: str, password: str | None) -> Iterator[str]:
    known = connection.execute(
        text(
            "SELECT rolsuper OR pg_has_role(r.oid, c.relowner, 'MEMBER') "
            "FROM pg_roles r, pg_class c WHERE rolname = :role AND c.oid = to_regclass(:table)"
        ),
        {"role": role, "table": history.name},
    ).scalar()
    if known:
        raise _too_wide(role, "it owns the tables or stands above their owner")
    if known is None:
        _run(connection, _written(connection, "CREATE ROLE %I LOGIN", role))
        yield f"Role {role} was made."
    if password is not None:
        _run(connection, _written(connection, "ALTER ROLE %I PASSWORD %L", role, password))
    name = _written(connection, "%I", role)
    place = "SELECT current_database(), relnamespace::regnamespace::text FROM pg_class "
    where = text(place + "WHERE oid = to_regclass(:table)")
    database, schema = connection.execute(where, {"table": history.name}).one()
    _run(connection, _written(connection, f"GRANT CONNECT ON DATABASE %I TO {name}", database))
    _run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    for table, rights in _rights():
        _run(connection, f"REVOKE ALL ON {table} FROM PUBLIC, {name}")
        _run(connection, f"GRANT {', '.join(rights)} ON {table} TO {name}")
    for sequence in _sequences(connection):
        _run(connection, f"GRANT USAGE ON SEQUENCE {sequence} TO {name}")
    yield f"Role {role} may insert, and change what is no proof; it deletes notes only."


def _written(connection: Connection, form: str, *values: str) -> str:
    """Let PostgreSQL quote names (%I) and texts (%L)."""
    holders = ", ".join(f"CAST(:v{number} AS text)" for number in range(len(values)))
    parameters = {f"v{number}": value for number, value in enumerate(values)}
    query = text(f"SELECT format(CAST(:form AS text), {holders})")
    return str(connection.execute(query, {"form": form, **parameters}).scalar_one())


def _sequences(connection: Connection) -> Iterator[str]:
    query = text("SELECT pg_get_serial_sequence(:table, :column)")
    for table in metadata.sorted_tables:
        for column in table.primary_key.columns:
            names = {"table": table.name, "column": column.name}
            found = connection.execute(query, names).scalar()
            if found is not None:
                yield str(found)


def _mariadb_role(connection: Connection, role: str, password: str | None) -> Iterator[str]:
    name, _, host = role.partition("@")
    user = {"name": name, "host": host or "%"}
    database = connection.execute(text("SELECT DATABASE()")).scalar_one()
    who = text("SELECT 1 FROM mysql.user WHERE user = :name AND host = :host")
    if connection.execute(who, user).scalar() is None:
        if password is None:
            raise ConfigurationError(f"User {role} is new; give it a password.")
        connection.execute(
            text("CREATE USER :name@:host IDENTIFIED BY :password"), user | {"password": password}
        )
        yield f"User {role} was made."
    elif password is not None:
        connection.execute(
            text("ALTER USER :name@:host IDENTIFIED BY :password"), user | {"password": password}
        )
    given = grants(connection, user)
    wide = [grant for grant in given if grant.covers(database) and grant.is_wide]
    if wide:
        raise _too_wide(role, f"it may {wide[0]}")
    had = {grant.table for grant in given if grant.covers(database)}
    for table, rights in _rights():
        if table in had:
            connection.execute(text(f"REVOKE ALL PRIVILEGES ON {table} FROM :name@:host"), user)
        connection.execute(text(f"GRANT {', '.join(rights)} ON {table} TO :name@:host"), user)
    yield f"User {role} may insert, and change what is no proof; it deletes notes only."


def _too_wide(role: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{role} cannot be held to its rights: {why}; name a role of its own for the library."
    )


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement.replace("%", "%%"))
