"""What nobody can try without doing it: whether the present user could take the triggers away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.grants import grants
from carrierflow.storage.tables import APPEND_ONLY


__all__ = ["WayAround", "postgresql_ways", "present_user", "way_around", "ways_around"]

NAMES = tuple(table.name for table in APPEND_ONLY)

POSTGRESQL_WAYS = {
    "it is a superuser": "bool_or(rolsuper) FROM pg_roles JOIN me ON rolname = me.name",
    "it owns them, or may become who does": (
        "bool_or(pg_has_role(me.name, relowner, 'MEMBER')) FROM pg_class JOIN ours USING (oid), me"
    ),
    "it owns their schema, and so may drop them": (
        "bool_or(pg_has_role(me.name, nspowner, 'MEMBER')) FROM pg_class c JOIN ours USING (oid) "
        "JOIN pg_namespace n ON n.oid = c.relnamespace, me"
    ),
    "it owns a function that their triggers call": (
        "bool_or(pg_has_role(me.name, proowner, 'MEMBER')) FROM pg_trigger t "
        "JOIN ours ON ours.oid = tgrelid AND NOT tgisinternal JOIN pg_proc p ON p.oid = tgfoid, me"
    ),
    "it may give itself any role (CREATEROLE)": (
        "bool_or(rolcreaterole AND current_setting('server_version_num')::int < 160000) "
        "FROM pg_roles JOIN me ON rolname = me.name"
    ),
    "it may write the server's own files": (
        "bool_or(pg_has_role(me.name, r.oid, 'MEMBER')) FROM pg_roles r, me "
        "WHERE rolname IN ('pg_write_server_files', 'pg_execute_server_program')"
    ),
}
"""How a PostgreSQL user gets around triggers, each with a question to the catalogue.

`ours` are the tables as the session's path finds them; `me` is who is asked about: a role, or
who the session is, and who it was before SET ROLE, for it may go back.
"""

POSTGRESQL_ANSWERS = ", ".join(f"(SELECT {question})" for question in POSTGRESQL_WAYS.values())

POSTGRESQL_QUESTION = text(
    "WITH me (name) AS (SELECT unnest(COALESCE(CAST(:who AS name[]), "  # noqa: S608
    "ARRAY[current_user, session_user]))), ours (oid) AS "
    "(SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name) "
    f"SELECT {POSTGRESQL_ANSWERS}"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class WayAround:
    """By which name the database knows us, and why that user could take the triggers away."""

    user: str
    why: str


def way_around(connection: Connection) -> WayAround | None:
    """Return the first way in which the present user could take the triggers away, if any."""
    ways = ways_around(connection)
    return WayAround(user=present_user(connection), why=ways[0]) if ways else None


def ways_around(connection: Connection) -> list[str]:
    """Say how the present user could take the triggers away; nothing, where it could not.

    Whoever may write a SQLite file could, and nothing there can say who that is.
    """
    if connection.dialect.name == "postgresql":
        return postgresql_ways(connection)
    if is_mysql(connection.dialect.name):
        return list(dict.fromkeys(_mariadb_ways(connection)))
    return []


def postgresql_ways(connection: Connection, role: str | None = None) -> list[str]:
    """Say how a role of PostgreSQL, by default the present one, could take them away."""
    names = {"who": role and [role], "tables": list(NAMES)}
    answers = connection.execute(POSTGRESQL_QUESTION, names).one()
    found = [why for why, answer in zip(POSTGRESQL_WAYS, answers, strict=True) if answer]
    return found[:1] if answers[0] else found


def present_user(connection: Connection) -> str:
    """Return by which name the database knows us."""
    return str(connection.exec_driver_sql("SELECT CURRENT_USER").scalar())


def _mariadb_ways(connection: Connection) -> Iterator[str]:
    database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    for grant in grants(connection):
        owned = any(grant.owns(database, name) for name in NAMES)
        if owned or grant.reaches_everything:
            yield f"it has the right {grant}"
