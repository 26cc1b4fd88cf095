"""How often a shop's host did not answer, and when it is asked again, stands in the shop's row."""

from sqlalchemy import Column, Integer

from carrierflow.storage.migrations.schema_steps import add_column
from carrierflow.storage.types import UtcDateTime


revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of shops that are there no silence is known."""
    unanswered = Column("unanswered", Integer, nullable=False, default=0, server_default="0")
    add_column("carrierflow_shops", unanswered)
    add_column("carrierflow_shops", Column("retry_at", UtcDateTime))
