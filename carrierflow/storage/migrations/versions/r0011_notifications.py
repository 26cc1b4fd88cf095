"""Which incidents somebody was told of, and on which way."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
)

from carrierflow.storage.migrations.schema_steps import create_table
from carrierflow.storage.types import UtcDateTime


revision = "r0011"
down_revision = "r0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nobody was told of anything yet."""
    create_table(
        "carrierflow_notifications",
        Column(
            "incident",
            BigInteger().with_variant(Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        Column("channel", String(length=32), nullable=False),
        Column("claimed_at", UtcDateTime(), nullable=False),
        Column("told_at", UtcDateTime(), nullable=True),
        ForeignKeyConstraint(
            ["incident"],
            ["carrierflow_incidents.id"],
            name=op.f("fk_carrierflow_notifications_incident_carrierflow_incidents"),
        ),
        PrimaryKeyConstraint("incident", "channel", name=op.f("pk_carrierflow_notifications")),
    )
