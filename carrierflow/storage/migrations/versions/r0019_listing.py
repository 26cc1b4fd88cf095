"""Since when a parcel stands where it stands is on its row, and parcels are listed by that."""

from alembic import op
from sqlalchemy import Column

from carrierflow.storage.migrations.schema_steps import add_column, create_index
from carrierflow.storage.types import UtcDateTime


revision = "r0019"
down_revision = "r0018"
branch_labels = None
depends_on = None

FILL = """
UPDATE carrierflow_fulfillments SET entered_at = (
    SELECT h.occurred_at FROM carrierflow_history h
    WHERE h.fulfillment = carrierflow_fulfillments.id
        AND h.machine = 'delivery' AND h.seq = carrierflow_fulfillments.delivery_seq
)
WHERE entered_at IS NULL AND delivery_seq > 0
"""


def upgrade() -> None:
    """Add the column, fill it in from the history, and make the indexes of lists."""
    add_column("carrierflow_fulfillments", Column("entered_at", UtcDateTime(), nullable=True))
    op.execute(FILL)
    create_index(
        op.f("ix_carrierflow_fulfillments_delivery_status_entered_at_id_shop"),
        "carrierflow_fulfillments",
        ["delivery_status", "entered_at", "id", "shop"],
    )
    create_index(
        op.f("ix_carrierflow_fulfillments_frozen"),
        "carrierflow_fulfillments",
        ["frozen"],
        where="frozen IS NOT NULL",
    )
