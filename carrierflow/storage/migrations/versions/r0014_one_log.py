"""The log holds entries of every kind: each place says of which, and the number within its key.

What has a place keeps it, as a step of a parcel, number 0. Rows of other tables refer to history
no longer, so the foreign key ends; that a place has its row is for `audit verify` to see.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    Column,
    Connection,
    Integer,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    inspect,
)

from carrierflow.storage.migrations.schema_steps import create_table, protect
from carrierflow.storage.types import RowId


revision = "r0014"
down_revision = "r0013"
branch_labels = None
depends_on = None

LOG = "carrierflow_log"
OLD = "carrierflow_log_before"
KEY = ("kind", "fulfillment", "machine", "seq", "number")


def upgrade() -> None:
    """Change the log's table, and protect it anew."""
    bind = op.get_bind()
    _drop_triggers(bind)
    if bind.dialect.name == "sqlite":
        _make_anew()
    else:
        _change(bind)
    protect((LOG,))


def _columns() -> tuple[Any, ...]:
    return (
        Column("position", RowId, autoincrement=False, nullable=False),
        Column("kind", String(length=32), nullable=False),
        Column("fulfillment", RowId, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), nullable=False),
        Column("number", RowId, nullable=False),
        Column("leaf", String(length=64), nullable=False),
        PrimaryKeyConstraint("position", name=op.f("pk_carrierflow_log")),
        UniqueConstraint(*KEY, name="uq_log_entry"),
    )


def _make_anew() -> None:
    """Copy the table, for SQLite drops no constraint; all of it is one transaction there."""
    op.rename_table(LOG, OLD)
    create_table(LOG, *_columns())
    op.execute(
        f"INSERT INTO {LOG} SELECT position, 'transition', fulfillment, machine, seq, 0, leaf "  # noqa: S608 - names of ours
        f"FROM {OLD}"
    )
    op.drop_table(OLD)


def _change(bind: Connection) -> None:
    """Change it in place; each step looks first whether it is done."""
    seen = inspect(bind)
    if "fk_log_entry" in {key["name"] for key in seen.get_foreign_keys(LOG)}:
        op.drop_constraint("fk_log_entry", LOG, type_="foreignkey")
    names = {column["name"] for column in seen.get_columns(LOG)}
    for name, kind, default in (("kind", String(length=32), "transition"), ("number", RowId, "0")):
        if name not in names:
            op.add_column(LOG, Column(name, kind, nullable=False, server_default=default))
        op.alter_column(LOG, name, existing_type=kind, existing_nullable=False, server_default=None)
    _change_key(bind)


def _drop_triggers(bind: Connection) -> None:
    """Drop the triggers, of which one looks for the row in the history."""
    name = bind.dialect.name
    on = f" ON {LOG}" if name == "postgresql" else ""
    for verb in ("no_change", "no_truncate", "no_update", "no_delete", "guard"):
        op.execute(f"DROP TRIGGER IF EXISTS {LOG}_{verb}{on}")
    if name == "postgresql":
        op.execute(f"DROP FUNCTION IF EXISTS {LOG}_guard()")


def _change_key(bind: Connection) -> None:
    found = {key["name"]: tuple(key["column_names"]) for key in _unique(bind)}
    if found.get("uq_log_entry") == KEY:
        return
    if "uq_log_entry" in found:
        op.drop_constraint("uq_log_entry", LOG, type_="unique")
    op.create_unique_constraint("uq_log_entry", LOG, list(KEY))


def _unique(bind: Connection) -> list[Any]:
    return list(inspect(bind).get_unique_constraints(LOG))
