"""What is chosen for one shop stands in its row."""

from sqlalchemy import Column, String

from carrierflow.storage.migrations.schema_steps import add_column


revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; for shops that are there nothing is chosen."""
    add_column("carrierflow_shops", Column("options", String(1000)))
