"""What the platform's callbacks leave behind: shipments, webhooks, and hints to look."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import LONGBLOB

from carrierflow.storage.migrations.schema_steps import add_column, create_index, create_table
from carrierflow.storage.types import RowId, UtcDateTime


revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

LONG_BINARY = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    """Add the two tables, and the columns and indexes that finding parcels takes."""
    add_column("carrierflow_fulfillments", Column("hinted_at", UtcDateTime(), nullable=True))
    for column in ("tracking_number", "hinted_at"):
        create_index(
            op.f(f"ix_carrierflow_fulfillments_shop_{column}"),
            "carrierflow_fulfillments",
            ["shop", column],
        )
    create_table(
        "carrierflow_shipments",
        Column("fulfillment", RowId, autoincrement=False, nullable=False),
        Column("shop", Integer(), nullable=False),
        Column("external_code", String(length=128), nullable=False),
        Column("digest", String(length=64), nullable=False),
        Column("tracking_number", String(length=128), nullable=False),
        Column("tracking_url", String(length=512), nullable=True),
        Column("shipping_fee", BigInteger(), nullable=False),
        Column("accepted_at", UtcDateTime(), nullable=False),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_shipments_fulfillment"),
        ),
        ForeignKeyConstraint(
            ["shop"], ["carrierflow_shops.id"], name=op.f("fk_carrierflow_shipments_shop")
        ),
        PrimaryKeyConstraint("fulfillment", name=op.f("pk_carrierflow_shipments")),
        UniqueConstraint(
            "shop", "external_code", name=op.f("uq_carrierflow_shipments_shop_external_code")
        ),
        UniqueConstraint(
            "shop", "tracking_number", name=op.f("uq_carrierflow_shipments_shop_tracking_number")
        ),
    )
    create_table(
        "carrierflow_webhooks",
        Column("digest", String(length=64), nullable=False),
        Column("topic", String(length=96), nullable=False),
        Column("org_id", String(length=64), nullable=True),
        Column("order_id", String(length=64), nullable=True),
        Column("sealed", LONG_BINARY, nullable=True),
        Column("received_at", UtcDateTime(), nullable=False),
        Column("acted_at", UtcDateTime(), nullable=True),
        PrimaryKeyConstraint("digest", name=op.f("pk_carrierflow_webhooks")),
    )
    create_index(
        op.f("ix_carrierflow_webhooks_received_at"), "carrierflow_webhooks", ["received_at"]
    )
