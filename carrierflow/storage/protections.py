"""Why history cannot be rewritten: triggers, written once for each of the three databases.

| hole | SQLite | PostgreSQL | MariaDB |
|---|---|---|---|
| UPDATE, DELETE | trigger | trigger, also for replicas (`ENABLE ALWAYS`) | trigger |
| TRUNCATE | none there | statement trigger | refused: other tables refer to it |
| INSERT OR REPLACE, upserts | insert trigger | update trigger | delete and update triggers |
| foreign keys switched off | insert triggers say the same | only a superuser can | see `db check` |
| cascades | none are declared | none are declared | none are declared |
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint

from carrierflow.storage.engine import is_mysql
from carrierflow.storage.tables import APPEND_ONLY, PREFIX, history, metadata


__all__ = ["trigger_statements"]

APPEND_ONLY_NAMES = tuple(table.name for table in APPEND_ONLY)

REFUSAL = "carrierflow: rows of {table} are never changed"


def trigger_statements(dialect: str, tables: Sequence[str] = APPEND_ONLY_NAMES) -> list[str]:
    """Return the statements that make some fresh tables append-only."""
    protected = [metadata.tables[name] for name in tables]
    if dialect == "postgresql":
        return list(_postgresql(protected))
    if is_mysql(dialect):
        return list(_mariadb(protected))
    return list(_sqlite(protected))


def _sqlite(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        refuse = f"SELECT RAISE(ABORT, '{REFUSAL.format(table=table.name)}');"
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
                f"BEGIN {refuse} END"
            )
        yield (
            f"CREATE TRIGGER {table.name}_no_replace BEFORE INSERT ON {table.name} "
            f"WHEN {_same_row(table)} BEGIN {refuse} END"
        )
    if any(table is history for table in tables):
        yield from _sqlite_links()


def _same_row(table: Table) -> str:
    """Say that a row with one of the new row's unique keys is there already."""
    keys = [
        [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint)
    ]
    tests = sorted(" AND ".join(f"{name} = NEW.{name}" for name in names) for names in keys)
    return " OR ".join(f"EXISTS (SELECT 1 FROM {table.name} WHERE {test})" for test in tests)


def _sqlite_links() -> Iterator[str]:
    """SQLite checks foreign keys only where the connection asks for it; these always hold."""
    entries, edges = f"{PREFIX}history", f"{PREFIX}edges"
    yield (
        f"CREATE TRIGGER {entries}_legal BEFORE INSERT ON {entries} WHEN NEW.edge IS NOT NULL "
        f"AND NOT EXISTS (SELECT 1 FROM {edges} WHERE definition = NEW.edge "
        "AND machine = NEW.machine AND from_status = NEW.from_status "
        "AND to_status = NEW.to_status) "
        "BEGIN SELECT RAISE(ABORT, 'carrierflow: no such step in this lifecycle'); END"
    )
    yield (
        f"CREATE TRIGGER {entries}_continues BEFORE INSERT ON {entries} "
        f"WHEN NEW.prev_seq IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {entries} "
        "WHERE fulfillment = NEW.fulfillment AND machine = NEW.machine "
        "AND seq = NEW.prev_seq AND to_status = NEW.from_status) "
        "BEGIN SELECT RAISE(ABORT, 'carrierflow: no such entry to continue'); END"
    )


def _postgresql(tables: Sequence[Table]) -> Iterator[str]:
    function = f"{PREFIX}refuse_change"
    yield (
        f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'carrierflow: rows of % are never changed', TG_TABLE_NAME "
        "USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in tables:
        row, whole = f"{table.name}_no_change", f"{table.name}_no_truncate"
        yield (
            f"CREATE TRIGGER {row} BEFORE UPDATE OR DELETE ON {table.name} "
            f"FOR EACH ROW EXECUTE FUNCTION {function}()"
        )
        yield (
            f"CREATE TRIGGER {whole} BEFORE TRUNCATE ON {table.name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
        for trigger in (row, whole):
            yield f"ALTER TABLE {table.name} ENABLE ALWAYS TRIGGER {trigger}"


def _mariadb(tables: Sequence[Table]) -> Iterator[str]:
    for table in tables:
        text = REFUSAL.format(table=table.name)
        for verb in ("UPDATE", "DELETE"):
            yield (
                f"CREATE TRIGGER {table.name}_no_{verb.lower()} BEFORE {verb} ON {table.name} "
                f"FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{text}'"
            )
