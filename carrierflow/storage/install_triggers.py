"""Putting the triggers of append-only tables in place, and seeing whether they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.triggers import (
    Trigger,
    enable_always,
    function_statements,
    triggers,
)


__all__ = ["install", "run", "trigger_names"]


def install(connection: Connection) -> Iterator[str]:
    """Create each trigger that is missing, switched off, or not as it must be; say which."""
    dialect = connection.dialect.name
    for statement in function_statements(dialect):
        run(connection, statement)
    found = _found(connection)
    wanted = [t for t in triggers(dialect) if found.get(t.name) != _look(dialect, t)]
    for trigger in wanted:
        of = f" ON {trigger.table}" if dialect == "postgresql" else ""
        run(connection, f"DROP TRIGGER IF EXISTS {trigger.name}{of}")
        run(connection, trigger.create)
        if dialect == "postgresql":
            run(connection, enable_always(trigger))
        yield f"Trigger {trigger.name} was missing or changed; it is installed."
    if not wanted:
        yield "Every trigger is in place."


def run(connection: Connection, statement: str) -> None:
    """Execute a statement that has no parameters, whatever signs stand in it."""
    connection.exec_driver_sql(statement.replace("%", "%%"))


def trigger_names(connection: Connection) -> frozenset[str]:
    """Return the names of all triggers that the present user can see."""
    return frozenset(_found(connection))


def _found(connection: Connection) -> dict[str, tuple[Any, ...]]:
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
