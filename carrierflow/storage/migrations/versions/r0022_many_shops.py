"""What is asked of all shops at once is read off indexes: open parcels alone, and the last runs."""

from alembic import op

from carrierflow.storage.migrations.schema_steps import create_index, drop_index


revision = "r0022"
down_revision = "r0021"
branch_labels = None
depends_on = None

FULFILLMENTS, RUNS = "carrierflow_fulfillments", "carrierflow_runs"


def upgrade() -> None:
    """Put an index that holds all of a coverage in the place of a narrower one; add those of runs.

    The new one serves what the old one did: whoever asks of a shop's open parcels says both.
    """
    columns = ["open", "shop", "verified_at", "opened_at", "unpublished", "frozen"]
    create_index("ix_carrierflow_fulfillments_coverage", FULFILLMENTS, columns)
    drop_index(op.f("ix_carrierflow_fulfillments_shop_open_verified_at"), FULFILLMENTS)
    create_index(op.f("ix_carrierflow_runs_started_at"), RUNS, ["started_at"])
    create_index(op.f("ix_carrierflow_runs_ended_at"), RUNS, ["ended_at"])
