"""Putting the triggers of append-only tables in place, and seeing whether they are."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from carrierflow.storage.tables import metadata
from carrierflow.storage.trigger_state import faults, found_triggers
from carrierflow.storage.triggers import enable_always, function_statements


__all__ = ["install", "run", "trigger_names"]


def install(connection: Connection) -> Iterator[str]:
    """Create each trigger that is missing or not as it must be; say which, and what was wrong."""
    dialect = connection.dialect.name
    wanted = faults(connection)
    for statement in function_statements(dialect):
        run(connection, statement)
    for trigger, wrong in wanted:
        of = f" ON {trigger.table}" if dialect == "postgresql" else ""
        run(connection, f"DROP TRIGGER IF EXISTS {trigger.name}{of}")
        run(connection, trigger.create)
        if dialect == "postgresql":
            run(connection, enable_always(trigger))
        yield f"Trigger {trigger.name}: {', and '.join(wrong)}; it is installed."
    if not wanted:
        yield "Every trigger is in place."


def run(connection: Connection, statement: str) -> None:
    """Execute a statement that has no parameters, whatever signs stand in it."""
    connection.exec_driver_sql(statement.replace("%", "%%"))


def trigger_names(connection: Connection) -> frozenset[str]:
    """Return the names of all triggers on our tables that the present user can see."""
    return frozenset(name for _, name in found_triggers(connection, metadata.tables))
