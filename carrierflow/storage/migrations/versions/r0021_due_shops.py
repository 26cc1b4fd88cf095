"""When a shop is due is in its row, with who was told of it and how often its runs died.

`next_due` said when the last run had ended, and nothing where a webhook had named a parcel since.
Now it says from when on the shop wants a run: the old moments are past, so all are due at once.
"""

from alembic import op
from sqlalchemy import Column, Integer

from carrierflow.storage.migrations.schema_steps import add_column, create_index
from carrierflow.storage.types import UtcDateTime


revision = "r0021"
down_revision = "r0020"
branch_labels = None
depends_on = None

SHOPS = "carrierflow_shops"

FILL = "UPDATE carrierflow_shops SET next_due = added_at WHERE next_due IS NULL"


def upgrade() -> None:
    """Add the columns and indexes; a shop without a moment of its own is due since it is here."""
    add_column(SHOPS, Column("queued_until", UtcDateTime))
    for name in ("runs_died", "unpublished_left"):
        add_column(SHOPS, Column(name, Integer, nullable=False, default=0, server_default="0"))
    op.execute(FILL)
    create_index(op.f("ix_carrierflow_shops_next_due"), SHOPS, ["next_due"])
    create_index(op.f("ix_carrierflow_shops_queued_until"), SHOPS, ["queued_until"])
