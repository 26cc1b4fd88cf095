"""A shop's whole life: installs under way, tokens that expire, what is registered there."""

from alembic import op
from sqlalchemy import Boolean, Column, LargeBinary, PrimaryKeyConstraint, String

from carrierflow.storage.migrations.schema_steps import add_column, create_table
from carrierflow.storage.types import UtcDateTime


revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

ADDED = (
    ("refresh_token", LargeBinary()),
    ("token_expires_at", UtcDateTime()),
    ("refreshing_until", UtcDateTime()),
    ("scopes", String(length=1000)),
    ("carrier_service_id", String(length=64)),
    ("subscribed_at", UtcDateTime()),
    ("subscription_checked_at", UtcDateTime()),
    ("revoked_at", UtcDateTime()),
)


def upgrade() -> None:
    """Add what a shop must remember between install and uninstall."""
    for name, kind in ADDED:
        add_column("carrierflow_shops", Column(name, kind, nullable=True))
    create_table(
        "carrierflow_installs",
        Column("state_digest", String(length=64), nullable=False),
        Column("shop", String(length=64), nullable=False),
        Column("base_url", String(length=255), nullable=False),
        Column("carrier_code", String(length=64), nullable=False),
        Column("invited", Boolean(create_constraint=False), nullable=False),
        Column("org_id", String(length=64), nullable=True),
        Column("expires_at", UtcDateTime(), nullable=False),
        PrimaryKeyConstraint("state_digest", name=op.f("pk_carrierflow_installs")),
    )
