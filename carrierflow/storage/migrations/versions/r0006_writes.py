"""An attempt keeps what the platform was told, and what it is expected to show then.

On some platforms several writes lead to one step.
"""

from sqlalchemy import Column, String

from carrierflow.storage.migrations.schema_steps import add_column


revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both columns; of older attempts the step says it."""
    for name in ("expects", "operation"):
        add_column("carrierflow_attempts", Column(name, String(32)))
