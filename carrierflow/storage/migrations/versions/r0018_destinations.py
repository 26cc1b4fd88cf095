"""How far each destination of the push has what happened."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, String

from carrierflow.storage.migrations.schema_steps import create_table
from carrierflow.storage.types import UtcDateTime


revision = "r0018"
down_revision = "r0017"
branch_labels = None
depends_on = None

PLACE = BigInteger().with_variant(Integer(), "sqlite")


def upgrade() -> None:
    """Add the table; nothing was pushed yet."""
    create_table(
        "carrierflow_destinations",
        Column("digest", String(length=64), nullable=False),
        Column("position", PLACE, nullable=True),
        Column("sending", PLACE, nullable=True),
        Column("delivered_at", UtcDateTime(), nullable=True),
        Column("failures", Integer(), nullable=False),
        Column("failing_since", UtcDateTime(), nullable=True),
        Column("retry_at", UtcDateTime(), nullable=True),
        Column("problem", String(length=512), nullable=True),
        Column("gone_at", UtcDateTime(), nullable=True),
        Column("claimed_by", String(length=36), nullable=True),
        Column("claimed_until", UtcDateTime(), nullable=True),
        PrimaryKeyConstraint("digest", name=op.f("pk_carrierflow_destinations")),
    )
