"""What others put beside or around our tables, and what of it could change history.

It is read from the catalogue, by what is there and not by what it says: a text can call what it
does not name. Nothing of it is taken away here: somebody made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.grants import TableGrant, grants
from carrierflow.storage.tables import APPEND_ONLY, metadata
from carrierflow.storage.trigger_state import found_triggers
from carrierflow.storage.triggers import triggers


__all__ = ["FOREIGN", "ForeignObject", "foreign_objects"]

NAMES = sorted(metadata.tables)
HISTORY = [table.name for table in APPEND_ONLY]

FOREIGN = {
    "FOREIGN TRIGGER": "No trigger of somebody else's is on our tables.",
    "RULE": "No rule rewrites what is asked of our tables.",
    "INHERITANCE": "No table inherits from ours, and ours from none.",
    "TABLE KIND": "Our tables are plain ones, logged, and show every row.",
    "CONSTRAINT OFF": "No foreign key is switched off.",
    "ROUTINE": "No routine runs with the rights of who could change our tables.",
}
"""What is looked for, and what is said where there is none."""

OURS = (
    "ours (oid) AS (SELECT to_regclass(name) FROM unnest(CAST(:tables AS text[])) AS name), "
    "kept (oid) AS (SELECT to_regclass(name) FROM unnest(CAST(:history AS text[])) AS name)"
)

POSTGRESQL = {
    "RULE": (
        "SELECT c.relname, 'rule ' || r.rulename || ' rewrites what is asked of it' "
        "FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN ours ON ours.oid = c.oid "
        "WHERE r.rulename <> '_RETURN'"
    ),
    "INHERITANCE": (
        "SELECT p.relname, 'table ' || i.inhrelid::regclass::text || ' inherits from it: its "
        "rows are shown as rows of ours, and have no trigger of ours' "
        "FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN ours ON ours.oid = p.oid "
        "UNION ALL SELECT c.relname, 'it inherits from ' || i.inhparent::regclass::text "
        "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN ours ON ours.oid = c.oid"
    ),
    "TABLE KIND": (
        "SELECT c.relname, CASE WHEN c.relkind <> 'r' THEN 'it is no plain table' "
        "WHEN c.relpersistence <> 'p' THEN 'it is not logged, and empty after a crash' "
        "ELSE 'row security hides rows of it' END "
        "FROM pg_class c JOIN ours ON ours.oid = c.oid "
        "WHERE c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.relrowsecurity"
    ),
    "CONSTRAINT OFF": (
        "SELECT DISTINCT c.relname, 'foreign key ' || k.conname || ' is switched off' "
        "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN ours ON ours.oid = c.oid "
        "JOIN pg_constraint k ON k.oid = t.tgconstraint "
        "WHERE t.tgisinternal AND t.tgenabled NOT IN ('O', 'A')"
    ),
    "ROUTINE": (
        "SELECT '*', 'routine ' || p.oid::regprocedure::text || ' runs with the rights of ' "
        "|| quote_ident(o.rolname) || ', who could change them' "
        "FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner "
        "WHERE p.prosecdef "
        "AND p.pronamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)"
        " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass "
        "AND d.objid = p.oid AND d.deptype = 'e') "
        "AND (p.prorettype = 'trigger'::regtype OR p.proacl IS NULL OR EXISTS ("
        "SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee <> p.proowner)) "
        "AND (o.rolsuper OR EXISTS (SELECT 1 FROM kept JOIN pg_class c USING (oid) "
        "WHERE pg_has_role(o.oid, c.relowner, 'MEMBER') "
        "OR has_table_privilege(o.oid, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')))"
    ),
}
"""By what is looked for: which table, and what is wrong there."""

MARIADB_ROUTINES = text("""
SELECT CONCAT(LOWER(routine_type), ' ', routine_schema, '.', routine_name), definer
FROM information_schema.routines
WHERE security_type = 'DEFINER' AND routine_schema NOT IN ('mysql', 'sys')
UNION ALL
SELECT CONCAT('event ', event_schema, '.', event_name), definer FROM information_schema.events
""")


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignObject:
    """Something that others put there, and what it could do."""

    hole: str
    table: str
    """The table that it is on, or an asterisk."""
    what: str


def foreign_objects(connection: Connection) -> list[ForeignObject]:
    """Return what is there; of what is not there nothing is said."""
    return [*_foreign_triggers(connection), *_others(connection)]


def _foreign_triggers(connection: Connection) -> Iterator[ForeignObject]:
    ours = {(each.table, each.name) for each in triggers(connection.dialect.name)}
    for table, name in sorted(found_triggers(connection, NAMES).keys() - ours):
        what = f"trigger {name} is not of ours, and may alter what is written"
        yield ForeignObject(hole="FOREIGN TRIGGER", table=table, what=what)


def _others(connection: Connection) -> Iterator[ForeignObject]:
    dialect = connection.dialect.name
    if dialect == "postgresql":
        names = {"tables": NAMES, "history": HISTORY}
        for hole, question in POSTGRESQL.items():
            for table, what in connection.execute(text(f"WITH {OURS} {question}"), names):
                yield ForeignObject(hole=hole, table=table, what=what)
    elif is_mysql(dialect):
        for name, definer in connection.execute(MARIADB_ROUTINES).all():
            if _is_wide(connection, definer):
                what = f"{name} runs with the rights of {definer}, who could change them"
                yield ForeignObject(hole="ROUTINE", table="*", what=what)


def _is_wide(connection: Connection, definer: str) -> bool:
    """Tell whether who defined a routine could change history; yes, where nobody says so."""
    name, _, host = definer.rpartition("@")
    database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
    try:
        given = grants(connection, {"name": name, "host": host})
    except DBAPIError:
        return True
    return any(_changes(grant, database) for grant in given)


def _changes(grant: TableGrant, database: Any) -> bool:
    return grant.reaches_everything or any(grant.may_change(database, name) for name in HISTORY)
