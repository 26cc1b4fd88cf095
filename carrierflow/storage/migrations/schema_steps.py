"""Steps of a migration that can be done again.

MariaDB and MySQL commit each change of a table by itself, so an upgrade that is killed leaves
some of its steps done. Each step here looks first whether it is, and the next `db upgrade` goes
on from there. A migration changes the tables through these alone, or by statements that do no
harm when they are repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import Column, inspect, text

from carrierflow.storage.install_triggers import run, trigger_names
from carrierflow.storage.triggers import enable_always, function_statements, triggers


__all__ = ["add_column", "add_row", "create_index", "create_table", "drop_index", "protect"]


OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in {
        "engine": "InnoDB",
        "charset": "utf8mb4",
        "collate": "utf8mb4_bin",
    }.items()
}
"""How every table of ours is kept by MariaDB and MySQL."""


PARTIAL = ("postgresql", "sqlite")
"""The databases that keep an index of some rows alone; on the others it is of all."""


def create_table(name: str, *parts: Any) -> None:
    """Make a table that is not there yet."""
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS)


def add_column(table: str, column: Column[Any]) -> None:
    """Add a column that a table has not got yet."""
    if column.name not in {found["name"] for found in inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def create_index(
    name: str, table: str, columns: Sequence[str], *, where: str | None = None
) -> None:
    """Make an index that a table has not got yet; of the rows of a condition, where it can be."""
    if name not in {found["name"] for found in inspect(op.get_bind()).get_indexes(table)}:
        some: dict[str, Any] = {f"{it}_where": text(where) for it in PARTIAL if where}
        op.create_index(name, table, columns, **some)


def drop_index(name: str, table: str) -> None:
    """Remove an index that a table still has."""
    if name in {found["name"] for found in inspect(op.get_bind()).get_indexes(table)}:
        op.drop_index(name, table)


def add_row(table: str, key: str, values: dict[str, Any]) -> None:
    """Add a row that a table has not got yet, known by one of its columns."""
    bind = op.get_bind()
    found = text(f"SELECT 1 FROM {table} WHERE {key} = :{key}")  # noqa: S608 - names of ours
    if bind.execute(found, {key: values[key]}).scalar() is None:
        names = ", ".join(values)
        holders = ", ".join(f":{name}" for name in values)
        bind.execute(
            text(f"INSERT INTO {table} ({names}) VALUES ({holders})"),  # noqa: S608
            values,
        )


def protect(tables: Sequence[str]) -> None:
    """Make tables append-only by the triggers that they have not got yet.

    A trigger that is there and is not as it must be is mended at the end of an upgrade.
    """
    bind = op.get_bind()
    dialect = bind.dialect.name
    for statement in function_statements(dialect, tables):
        run(bind, statement)
    found = trigger_names(bind)
    for trigger in triggers(dialect, tables):
        if trigger.name not in found:
            run(bind, trigger.create)
        if dialect == "postgresql":
            run(bind, enable_always(trigger))
