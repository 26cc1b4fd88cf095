"""Parcels are found by their waybills alone, whichever shop they are of."""

from alembic import op

from carrierflow.storage.migrations.schema_steps import create_index, drop_index


revision = "r0012"
down_revision = "r0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes that begin with the number; the one that began with the shop can go."""
    create_index(
        op.f("ix_carrierflow_fulfillments_tracking_number_shop"),
        "carrierflow_fulfillments",
        ["tracking_number", "shop"],
    )
    create_index(
        op.f("ix_carrierflow_shipments_tracking_number"),
        "carrierflow_shipments",
        ["tracking_number"],
    )
    drop_index(op.f("ix_carrierflow_fulfillments_shop_tracking_number"), "carrierflow_fulfillments")
