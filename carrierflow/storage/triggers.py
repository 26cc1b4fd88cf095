"""Why history cannot be rewritten: triggers, written once for each of the three databases.

| hole | SQLite | PostgreSQL | MariaDB |
|---|---|---|---|
| UPDATE, DELETE | trigger | trigger, also for replicas (`ENABLE ALWAYS`) | trigger |
| TRUNCATE | none there | statement trigger | the hardened role has no right to |
| INSERT OR REPLACE, upserts | insert trigger, by every key | update trigger | both triggers |
| foreign keys switched off | insert trigger | insert trigger, for replicas | insert trigger |
| checks switched off | insert trigger | cannot be | insert trigger |
| cascades | none are declared | none are declared | none are declared |

The insert trigger says what the table's own constraints say; it is made from them. Where the
database tells a trigger that its constraints are off, it looks at other rows only then.
All SQL here is built from the names of our own tables and columns alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.tables import APPEND_ONLY, PREFIX, metadata


__all__ = [
    "APPEND_ONLY_NAMES",
    "Trigger",
    "enable_always",
    "function_statements",
    "trigger_statements",
    "triggers",
]

APPEND_ONLY_NAMES = tuple(table.name for table in APPEND_ONLY)

REFUSAL = "carrierflow: rows of {table} are never changed"
C = TypeVar("C", CheckConstraint, ForeignKeyConstraint)

REFUSE = f"{PREFIX}refuse_change"
"""PostgreSQL's function that refuses whatever calls it."""

BROKEN = {
    "fk_history_legal": "no such step in this lifecycle",
    "fk_history_continues": "no such entry to continue",
}
"""What breaking a constraint means, where its name alone would not tell a person."""

ROW, BEFORE, INSERT, DELETE, UPDATE, TRUNCATE = 1, 2, 4, 8, 16, 32
"""How PostgreSQL's catalogue says when a trigger fires (`pg_trigger.tgtype`)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trigger:
    """One trigger as it must be, with what a catalogue says about it if it is."""

    name: str
    table: str
    create: str
    function: str = ""
    """On PostgreSQL the function that it calls."""
    fires: int = 0
    """On PostgreSQL when it fires, as a sum of bits."""


def trigger_statements(dialect: str, tables: Sequence[str] = APPEND_ONLY_NAMES) -> list[str]:
    """Return the statements that make some fresh tables append-only."""
    statements = function_statements(dialect, tables)
    for trigger in triggers(dialect, tables):
        statements.append(trigger.create)
        if dialect == "postgresql":
            statements.append(enable_always(trigger))
    return statements


def triggers(dialect: str, tables: Sequence[str] = APPEND_ONLY_NAMES) -> list[Trigger]:
    """Return the triggers that append-only tables bear on one database."""
    make = _sqlite
    if dialect == "postgresql":
        make = _postgresql
    elif is_mysql(dialect):
        make = _mariadb
    return [trigger for name in tables for trigger in make(metadata.tables[name])]


def enable_always(trigger: Trigger) -> str:
    """Return the statement that makes a PostgreSQL trigger fire for replicas too."""
    return f"ALTER TABLE {trigger.table} ENABLE ALWAYS TRIGGER {trigger.name}"


def _sqlite(table: Table) -> Iterator[Trigger]:
    for verb in ("UPDATE", "DELETE"):
        name = f"{table.name}_no_{verb.lower()}"
        yield Trigger(
            name=name,
            table=table.name,
            create=f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL.format(table=table.name)}'); END",
        )
    broken = [(REFUSAL.format(table=table.name), test) for test in _same_row(table, rowid=True)]
    broken += _foreign(table) + _unchecked(table)
    raises = " ".join(f"SELECT RAISE(ABORT, '{text}') WHERE {test};" for text, test in broken)
    name = f"{table.name}_guard"
    yield Trigger(
        name=name,
        table=table.name,
        create=f"CREATE TRIGGER {name} BEFORE INSERT ON {table.name} BEGIN {raises} END",
    )


def _mariadb(table: Table) -> Iterator[Trigger]:
    for verb in ("UPDATE", "DELETE"):
        name = f"{table.name}_no_{verb.lower()}"
        yield Trigger(
            name=name,
            table=table.name,
            create=f"CREATE TRIGGER {name} BEFORE {verb} ON {table.name} "
            f"FOR EACH ROW {_signal(REFUSAL.format(table=table.name))}",
        )
    same = [(REFUSAL.format(table=table.name), test) for test in _same_row(table)]
    body = "".join(_mariadb_if(text, test) for text, test in _unchecked(table))
    for variable, broken in (("unique_checks", same), ("foreign_key_checks", _foreign(table))):
        if broken:
            tests = "".join(_mariadb_if(text, test) for text, test in broken)
            body += f"IF @@{variable} = 0 THEN {tests}END IF; "
    name = f"{table.name}_guard"
    yield Trigger(
        name=name,
        table=table.name,
        create=f"CREATE TRIGGER {name} BEFORE INSERT ON {table.name} FOR EACH ROW BEGIN {body}END",
    )


def _mariadb_if(text: str, test: str) -> str:
    return f"IF {test} THEN {_signal(text)}; END IF; "


def _signal(text: str) -> str:
    return f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{text}'"


def _postgresql(table: Table) -> Iterator[Trigger]:
    for name, verbs, fires, each in (
        ("no_change", "UPDATE OR DELETE", ROW + BEFORE + UPDATE + DELETE, "ROW"),
        ("no_truncate", "TRUNCATE", BEFORE + TRUNCATE, "STATEMENT"),
    ):
        yield Trigger(
            name=f"{table.name}_{name}",
            table=table.name,
            create=f"CREATE TRIGGER {table.name}_{name} BEFORE {verbs} ON {table.name} "
            f"FOR EACH {each} EXECUTE FUNCTION {REFUSE}()",
            function=REFUSE,
            fires=fires,
        )
    if _foreign(table):
        name = f"{table.name}_guard"
        yield Trigger(
            name=name,
            table=table.name,
            create=f"CREATE TRIGGER {name} BEFORE INSERT ON {table.name} FOR EACH ROW "
            "WHEN (current_setting('session_replication_role') = 'replica') "
            f"EXECUTE FUNCTION {name}()",
            function=name,
            fires=ROW + BEFORE + INSERT,
        )


def function_statements(dialect: str, tables: Sequence[str] = APPEND_ONLY_NAMES) -> list[str]:
    """Return the statements that make, or make anew, the functions that triggers call."""
    if dialect != "postgresql":
        return []
    refuse = (
        f"CREATE OR REPLACE FUNCTION {REFUSE}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'carrierflow: rows of % are never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    guards = [_postgresql_guard(metadata.tables[name]) for name in tables]
    return [refuse, *filter(None, guards)]


def _postgresql_guard(table: Table) -> str:
    """Look the parents up in the table's own schema, whatever the session's path says."""
    tests = ""
    for text, test in _foreign(table, row="($1)", schema="%1$I."):
        tests += (
            f"EXECUTE format({_quoted('SELECT ' + test)}, TG_TABLE_SCHEMA) INTO broken USING NEW; "
            f"IF broken THEN RAISE EXCEPTION '{text}' USING ERRCODE = 'foreign_key_violation'; "
            "END IF; "
        )
    return tests and (
        f"CREATE OR REPLACE FUNCTION {table.name}_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ DECLARE broken boolean; BEGIN {tests}RETURN NEW; END $$"
    )


def _same_row(table: Table, *, rowid: bool = False) -> list[str]:
    """Say that a row with one of the new row's unique keys is there already.

    A SQLite table without a number of its own for key has a hidden one, which REPLACE obeys.
    """
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
    ]
    own = [column.type for column in table.primary_key.columns]
    if rowid and not (len(own) == 1 and isinstance(own[0], Integer)):
        keys.append(["rowid"])
    least = [names for names in keys if not any(set(other) < set(names) for other in keys)]
    tests = sorted(" AND ".join(f"{name} = NEW.{name}" for name in names) for names in least)
    return [f"EXISTS (SELECT 1 FROM {table.name} WHERE {test})" for test in tests]  # noqa: S608


def _foreign(table: Table, *, row: str = "NEW", schema: str = "") -> list[tuple[str, str]]:
    """Say for each foreign key what breaking it means, and how to see that a row breaks it."""
    found = []
    for key in _sorted(table, ForeignKeyConstraint):
        pairs = [(element.parent.name, element.column) for element in key.elements]
        parent = pairs[0][1].table.name
        given = " AND ".join(f"{row}.{name} IS NOT NULL" for name, _ in pairs)
        same = " AND ".join(f"p.{column.name} = {row}.{name}" for name, column in pairs)
        text = BROKEN.get(str(key.name), f"no such row of {parent}")
        test = f"{given} AND NOT EXISTS (SELECT 1 FROM {schema}{parent} p WHERE {same})"  # noqa: S608
        found.append((f"carrierflow: {text}", test))
    return found


def _unchecked(table: Table) -> list[tuple[str, str]]:
    """Say for each check what breaking it means, and how to see that a new row breaks it."""
    names = re.compile(rf"\b({'|'.join(table.columns.keys())})\b")
    found = []
    for check in _sorted(table, CheckConstraint):
        test = names.sub(r"NEW.\1", str(check.sqltext))
        found.append((f"carrierflow: this breaks {check.name}", f"NOT ({test})"))
    return found


def _sorted(table: Table, kind: type[C]) -> list[C]:
    found = [constraint for constraint in table.constraints if isinstance(constraint, kind)]
    return sorted(found, key=lambda constraint: str(constraint.name))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
