"""The log over the history: its order, its tree, signed checkpoints, and who keeps them."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)

from carrierflow.storage.migrations.schema_steps import add_row, create_table, protect
from carrierflow.storage.types import RowId, UtcDateTime


revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

PROTECTED = (
    "carrierflow_log_nodes",
    "carrierflow_checkpoints",
    "carrierflow_anchorings",
)


def upgrade() -> None:
    """Make the tables and their protections; the log gets its own in r0014, as it is then."""
    create_table(
        "carrierflow_log",
        Column("position", RowId, autoincrement=False, nullable=False),
        Column("fulfillment", RowId, nullable=False),
        Column("machine", String(length=8), nullable=False),
        Column("seq", Integer(), nullable=False),
        Column("leaf", String(length=64), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment", "machine", "seq"],
            [
                "carrierflow_history.fulfillment",
                "carrierflow_history.machine",
                "carrierflow_history.seq",
            ],
            name="fk_log_entry",
        ),
        PrimaryKeyConstraint("position", name=op.f("pk_carrierflow_log")),
        UniqueConstraint("fulfillment", "machine", "seq", name="uq_log_entry"),
    )
    create_table(
        "carrierflow_log_nodes",
        Column("level", Integer(), autoincrement=False, nullable=False),
        Column("position", RowId, autoincrement=False, nullable=False),
        Column("hash", String(length=64), nullable=False),
        PrimaryKeyConstraint("level", "position", name=op.f("pk_carrierflow_log_nodes")),
    )
    create_table(
        "carrierflow_checkpoints",
        Column("size", RowId, autoincrement=False, nullable=False),
        Column("root", String(length=64), nullable=False),
        Column("sealed_at", UtcDateTime(), nullable=False),
        Column("note", Text(), nullable=False),
        PrimaryKeyConstraint("size", name=op.f("pk_carrierflow_checkpoints")),
    )
    create_table(
        "carrierflow_anchorings",
        Column("size", RowId, autoincrement=False, nullable=False),
        Column("anchor", String(length=32), nullable=False),
        Column("anchored_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["size"],
            ["carrierflow_checkpoints.size"],
            name=op.f("fk_carrierflow_anchorings_size"),
        ),
        PrimaryKeyConstraint("size", "anchor", name=op.f("pk_carrierflow_anchorings")),
    )
    create_table(
        "carrierflow_leases",
        Column("name", String(length=32), nullable=False),
        Column("owner", String(length=36), nullable=True),
        Column("held_until", UtcDateTime(), nullable=True),
        Column("fence", BigInteger(), nullable=False),
        PrimaryKeyConstraint("name", name=op.f("pk_carrierflow_leases")),
    )
    add_row("carrierflow_leases", "name", {"name": "seal", "fence": 0})
    protect(PROTECTED)
