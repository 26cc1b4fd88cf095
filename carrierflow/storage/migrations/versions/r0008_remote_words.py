"""Beside a platform's word stands the status that it was read as.

A word may be spelled as one of our statuses and mean something else there.
"""

from alembic import op
from sqlalchemy import Column, String

from carrierflow.storage.migrations.schema_steps import add_column


revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None

STATUSES = {
    "carrier": (
        "pending",
        "readytopick",
        "picking",
        "delivering",
        "delivered",
        "notmeetcustomer",
        "waitingforreturn",
        "return",
        "cancel",
    ),
    "cod": ("none", "codpending", "codpaid", "codreceipt", "codnotreceipt"),
}
"""The words that were told from unknown ones so far: those spelled as our statuses."""


def upgrade() -> None:
    """Add both columns; of rows that are there, a word that is one of our statuses is that one."""
    for machine, statuses in STATUSES.items():
        word, status = f"remote_{machine}", f"remote_{machine}_status"
        add_column("carrierflow_fulfillments", Column(status, String(32)))
        cases = " ".join(f"WHEN '{each}' THEN '{each}'" for each in statuses)
        op.execute(
            f"UPDATE carrierflow_fulfillments SET {status} = CASE {word} {cases} END "  # noqa: S608 - words of ours
            f"WHERE {word} IN {statuses} AND {status} IS NULL"
        )
