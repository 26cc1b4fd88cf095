"""Who holds a shop, and since when, stands beside its lease; a run keeps why it ended."""

from sqlalchemy import Column, String

from carrierflow.storage.migrations.schema_steps import add_column
from carrierflow.storage.types import UtcDateTime


revision = "r0010"
down_revision = "r0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of runs under way and of those that ended it is not known."""
    add_column("carrierflow_shops", Column("lease_process", String(255)))
    add_column("carrierflow_shops", Column("lease_since", UtcDateTime))
    add_column("carrierflow_runs", Column("sentence", String(512)))
