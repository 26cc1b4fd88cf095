"""Triggers as a database has them, compared whole with what they must be.

A name proves nothing: a trigger that bears it may be switched off, have a condition, watch one
column only, fire at another moment, or call a function that lets everything pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, text

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.grants import grants
from carrierflow.storage.triggers import (
    APPEND_ONLY_NAMES,
    Trigger,
    function_statements,
    triggers,
)


__all__ = ["MISSING", "State", "faults", "found_triggers", "sees_triggers"]

State = Mapping[str, Any]
"""What makes a trigger what it is, by what a person calls it."""

MISSING = "it is missing"

POSTGRESQL = text("""
SELECT c.relname AS "table", t.tgname AS name, t.tgenabled::text AS enabled, t.tgtype AS fires,
    t.tgattr::text AS columns,
    substring(pg_get_triggerdef(t.oid) from 'WHEN \\((.*)\\) EXECUTE') AS condition,
    p.proname AS function, p.prosrc AS body, l.lanname AS language, p.prosecdef AS definer,
    p.proconfig AS settings, p.pronamespace = c.relnamespace AS beside, t.tgnargs AS arguments
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    JOIN pg_language l ON l.oid = p.prolang
WHERE NOT t.tgisinternal
    AND t.tgrelid IN (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name)
""")

MARIADB = text("""
SELECT event_object_table, trigger_name, action_timing, event_manipulation, action_orientation,
    action_statement
FROM information_schema.triggers
WHERE trigger_schema = DATABASE() AND event_object_schema = DATABASE()
    AND event_object_table IN :tables
""")

SQLITE = "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'"

CONDITION = re.compile(r" WHEN \((.+)\) EXECUTE ")
BODY = re.compile(r"FUNCTION (\w+)\(\).*?\$\$(.*)\$\$", re.DOTALL)

CONDITIONS = {
    "current_setting('session_replication_role') = 'replica'": (
        "(current_setting('session_replication_role'::text) = 'replica'::text)"
    )
}
"""How PostgreSQL's catalogue writes the conditions that ours have."""


def faults(
    connection: Connection, tables: Collection[str] = APPEND_ONLY_NAMES
) -> list[tuple[Trigger, tuple[str, ...]]]:
    """Return the triggers of some tables that are not as they must be, each with what is wrong."""
    found, dialect = found_triggers(connection, tables), connection.dialect.name
    bodies = _bodies(dialect, tables)
    compared = (
        (each, _differences(_wanted(dialect, each, bodies), found.get((each.table, each.name))))
        for each in triggers(dialect, list(tables))
    )
    return [(trigger, wrong) for trigger, wrong in compared if wrong]


def sees_triggers(connection: Connection) -> bool:
    """Tell whether the present user may read how triggers are written: MariaDB asks for a right."""
    if not is_mysql(connection.dialect.name):
        return True
    database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    given = grants(connection)
    return all(
        any(grant.may_see_triggers(database, name) for grant in given) for name in APPEND_ONLY_NAMES
    )


def found_triggers(connection: Connection, tables: Collection[str]) -> dict[tuple[str, str], State]:
    """Return the triggers on some tables that the present user can see, by table and name."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        found = connection.execute(POSTGRESQL, {"tables": list(tables)}).mappings()
        return {(row["table"], row["name"]): _postgresql({**row}) for row in found}
    if is_mysql(dialect):
        names = MARIADB.bindparams(_tables(tables))
        return {(row[0], row[1]): _mariadb(*row[2:]) for row in connection.execute(names)}
    rows = connection.exec_driver_sql(SQLITE)
    return {(row[0], row[1]): {"it has another text": row[2]} for row in rows if row[0] in tables}


def _tables(tables: Collection[str]) -> Any:
    return bindparam("tables", list(tables), expanding=True)


def _postgresql(row: Mapping[str, Any]) -> State:
    return {
        "it is switched off, or not for replicas": row["enabled"] == "A",
        "it fires at other moments": row["fires"],
        "it watches some columns only": row["columns"],
        "it has another condition": row["condition"],
        "it passes arguments": row["arguments"],
        "it calls another function": (row["function"], row["beside"]),
        "its function has another body": (row["body"], row["language"]),
        "its function runs as its owner": row["definer"],
        "its function has settings of its own": row["settings"],
    }


def _mariadb(timing: str, event: str, level: str, body: str) -> State:
    return {"it fires at other moments": (timing, event, level), "it has another body": body}


def _wanted(dialect: str, trigger: Trigger, bodies: Mapping[str, str]) -> State:
    """Return what a trigger is that is as it must be."""
    if dialect == "postgresql":
        condition = CONDITION.search(trigger.create)
        return _postgresql(
            {
                "enabled": "A",
                "fires": trigger.fires,
                "columns": "",
                "condition": CONDITIONS[condition[1]] if condition else None,
                "arguments": 0,
                "function": trigger.function,
                "beside": True,
                "body": bodies[trigger.function],
                "language": "plpgsql",
                "definer": False,
                "settings": None,
            }
        )
    if is_mysql(dialect):
        head, _, body = trigger.create.partition(" FOR EACH ROW ")
        timing, event = head.split()[3:5]
        return _mariadb(timing, event, "ROW", body)
    return {"it has another text": trigger.create}


def _bodies(dialect: str, tables: Collection[str]) -> dict[str, str]:
    """Return the bodies of the functions that triggers call, by name."""
    written = function_statements(dialect, list(tables))
    return {m[1]: m[2] for each in written if (m := BODY.search(each))}


def _differences(wanted: State, found: State | None) -> tuple[str, ...]:
    if found is None:
        return (MISSING,)
    return tuple(what for what, value in wanted.items() if found[what] != value)
