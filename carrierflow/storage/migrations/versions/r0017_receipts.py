"""What an anchor gave for a checkpoint is kept beside it: a time-stamp, a cosignature."""

from sqlalchemy import Column

from carrierflow.storage.migrations.schema_steps import add_column
from carrierflow.storage.types import LongText


revision = "r0017"
down_revision = "r0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was anchored before has none."""
    add_column("carrierflow_anchorings", Column("receipt", LongText))
