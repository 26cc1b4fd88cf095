"""Installing what protects history, and making the role that cannot get around it.

`harden` is the work of whoever owns the tables; `check` (in `holes`) tries what came of it, and
is best run as the role that the library uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import now
from carrierflow.errors import ConfigurationError
from carrierflow.storage.administration import administer
from carrierflow.storage.engine import is_mysql, translated
from carrierflow.storage.foreign_objects import foreign_objects
from carrierflow.storage.grants import grants, is_denied
from carrierflow.storage.install_triggers import install, run
from carrierflow.storage.migrate import VERSION_TABLE, require_migrated
from carrierflow.storage.ownership import postgresql_ways
from carrierflow.storage.tables import APPEND_ONLY, ERASABLE, history, metadata
from carrierflow.storage.tamper_check import Protection, check


__all__ = ["Protection", "check", "harden"]

ROW_RIGHTS = ("SELECT", "INSERT")
HEAD_RIGHTS = ("SELECT", "INSERT", "UPDATE")


def harden(engine: Engine, *, role: str, password: str | None = None) -> list[str]:
    """Install what is missing, make the role that the library should use, and say what was done.

    The role may insert into every table and change those that hold no proof; it deletes only
    what may have to be erased, and owns nothing. Doing it again changes nothing. On MariaDB the
    role is a user, written `name` or `name@host`. A SQLite file has no roles, and gets triggers
    alone.

    Raises:
        ConfigurationError: if the present user may not do this, or the role has wider rights
            already.
        NotMigrated: if the tables are not those of this version.
        DatabaseUnavailable: if the database does not answer.
    """
    with translated(), engine.begin() as connection:
        require_migrated(connection)
        try:
            mended = list(install(connection))
            done = [*mended, *_roles(connection)(connection, role, password), *_left(connection)]
            details = {"installed": str(sum("installed" in line for line in mended))}
            kind = AdministrationKind.HARDENED
            administer(connection, kind, now=now(), subject=role, details=details)
        except DBAPIError as error:
            if is_denied(error):
                raise ConfigurationError(
                    "The present user may not protect these tables; connect as their owner, "
                    "with the right to create roles."
                ) from error
            raise
        return done


def _left(connection: Connection) -> Iterator[str]:
    """Say what is left for a person: what others put there is not ours to take away."""
    for each in foreign_objects(connection):
        of = "" if each.table == "*" else f"{each.table}: "
        yield f"Found, and left as it is: {of}{each.what}."


def _roles(
    connection: Connection,
) -> Callable[[Connection, str, str | None], Iterator[str]]:
    name = connection.dialect.name
    if name == "postgresql":
        return _postgresql_role
    return _mariadb_role if is_mysql(name) else _no_role


def _no_role(_connection: Connection, role: str, _password: str | None) -> Iterator[str]:
    yield (
        f"A SQLite file has no roles, so {role} was not made: let only one account of the "
        "system write the file."
    )


def _rights() -> Iterator[tuple[str, tuple[str, ...]]]:
    for table in metadata.sorted_tables:
        erased = ("DELETE",) if table in ERASABLE else ()
        yield table.name, ROW_RIGHTS if table in APPEND_ONLY else HEAD_RIGHTS + erased
    yield VERSION_TABLE, ("SELECT",)


def _postgresql_role(connection: Connection, role: str, password: str | None) -> Iterator[str]:
    who = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    known = connection.execute(who, {"role": role}).scalar()
    ways = postgresql_ways(connection, role) if known else []
    if ways:
        raise _too_wide(role, ways[0])
    if known is None:
        run(connection, _written(connection, "CREATE ROLE %I LOGIN", role))
        yield f"Role {role} was made."
    if password is not None:
        run(connection, _written(connection, "ALTER ROLE %I PASSWORD %L", role, password))
    name = _written(connection, "%I", role)
    place = "SELECT current_database(), relnamespace::regnamespace::text FROM pg_class "
    where = text(place + "WHERE oid = to_regclass(:table)")
    database, schema = connection.execute(where, {"table": history.name}).one()
    run(connection, _written(connection, f"GRANT CONNECT ON DATABASE %I TO {name}", database))
    run(connection, f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    for table, rights in _rights():
        run(connection, f"REVOKE ALL ON {table} FROM PUBLIC, {name}")
        run(connection, f"GRANT {', '.join(rights)} ON {table} TO {name}")
    for sequence in _sequences(connection):
        run(connection, f"GRANT USAGE ON SEQUENCE {sequence} TO {name}")
    yield f"Role {role} may insert, change what is no proof, and delete what may have to be erased."


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
    wide = [g for g in given if (g.covers(database) and g.is_wide) or g.reaches_everything]
    if wide:
        raise _too_wide(role, f"it may {wide[0]}")
    had = {grant.table for grant in given if grant.covers(database)}
    for table, rights in _rights():
        if table in had:
            connection.execute(text(f"REVOKE ALL PRIVILEGES ON {table} FROM :name@:host"), user)
        connection.execute(text(f"GRANT {', '.join(rights)} ON {table} TO :name@:host"), user)
    yield f"User {role} may insert, change what is no proof, and delete what may have to be erased."


def _too_wide(role: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{role} cannot be held to its rights: {why}; name a role of its own for the library."
    )
