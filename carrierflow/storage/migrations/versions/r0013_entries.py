"""What an auditor relies on gets rows that are never changed.

What is in the tables already is brought in as it stands at this moment, and marked so; history
is not touched. Each statement looks first for what is there, so it can be done again.
"""

from __future__ import annotations

from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Integer,
    PrimaryKeyConstraint,
    String,
    UniqueConstraint,
    bindparam,
    text,
)

from carrierflow.domain.clock import now
from carrierflow.storage.migrations.schema_steps import create_table, protect
from carrierflow.storage.types import UtcDateTime


revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value
    for dialect in ("mysql", "mariadb")
    for name, value in {
        "engine": "InnoDB",
        "charset": "utf8mb4",
        "collate": "utf8mb4_bin",
    }.items()
}

ROW_ID = BigInteger().with_variant(Integer(), "sqlite")

TERMS_OF_BEFORE = """
INSERT INTO carrierflow_terms
    (fulfillment, number, tracking_number, cod_amount, carrier_code, source, recorded_at)
SELECT f.id, 0, f.tracking_number, f.cod_amount, s.carrier_code, 'upgrade', :now
FROM carrierflow_fulfillments f JOIN carrierflow_shops s ON s.id = f.shop
WHERE (f.delivery_seq > 0 OR f.cod_seq > 0)
    AND NOT EXISTS (SELECT 1 FROM carrierflow_terms t WHERE t.fulfillment = f.id)
ORDER BY f.id
"""


def upgrade() -> None:
    """Add the tables, and bring in what there is."""
    _add_terms()


def _bring_in(statement: str) -> None:
    op.get_bind().execute(text(statement).bindparams(bindparam("now", now(), UtcDateTime())))


def _add_terms() -> None:
    create_table(
        "carrierflow_terms",
        Column("id", ROW_ID, nullable=False),
        Column("fulfillment", ROW_ID, nullable=False),
        Column("number", Integer(), nullable=False),
        Column("tracking_number", String(length=128), nullable=True),
        Column("cod_amount", BigInteger(), nullable=False),
        Column("carrier_code", String(length=64), nullable=False),
        Column("source", String(length=32), nullable=False),
        Column("actor", String(length=128), nullable=True),
        Column("reason", String(length=255), nullable=True),
        Column("recorded_at", UtcDateTime(), nullable=False),
        CheckConstraint("cod_amount >= 0", name=op.f("ck_carrierflow_terms_cod_amount")),
        CheckConstraint(
            "number = 0 OR (number > 0 AND actor IS NOT NULL AND reason IS NOT NULL)",
            name=op.f("ck_carrierflow_terms_revised_by"),
        ),
        ForeignKeyConstraint(
            ["fulfillment"],
            ["carrierflow_fulfillments.id"],
            name=op.f("fk_carrierflow_terms_fulfillment_carrierflow_fulfillments"),
        ),
        PrimaryKeyConstraint("id", name=op.f("pk_carrierflow_terms")),
        UniqueConstraint("fulfillment", "number", name="uq_terms_number"),
        **OPTIONS,
    )
    _bring_in(TERMS_OF_BEFORE)
    protect(("carrierflow_terms",))
