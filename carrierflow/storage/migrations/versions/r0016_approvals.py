"""Decisions say by which accounts they were entered, and what a proposal rests on.

Rows of before say neither, and their bytes stay as they are.
"""

from __future__ import annotations

from sqlalchemy import Column, String

from carrierflow.storage.migrations.schema_steps import add_column


revision = "r0016"
down_revision = "r0014"
branch_labels = None
depends_on = None

ADDED = {"os_user": 128, "db_user": 128, "facts_digest": 64}


def upgrade() -> None:
    """Add the columns."""
    for name, width in ADDED.items():
        add_column("carrierflow_decisions", Column(name, String(length=width), nullable=True))
