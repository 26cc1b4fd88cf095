"""Shops that no act speaks of are brought in as they stand, for a shop's row follows from acts.

Those were connected before acts were written down. A shop is brought in once, so this can be done
again.
"""

from __future__ import annotations

import json

from alembic import op
from sqlalchemy import column, exists, insert, select, table

from carrierflow.domain.clock import now
from carrierflow.storage.types import UtcDateTime


revision = "r0020"
down_revision = "r0019"
branch_labels = None
depends_on = None

TOLD = ("platform", "base_url", "org_id", "carrier_code", "state", "options")
SHOPS = table("carrierflow_shops", *map(column, ("id", "code", *TOLD)))
ADMINISTRATION = table(
    "carrierflow_administration",
    *map(column, ("kind", "shop", "subject", "os_user", "db_user", "details")),
    column("recorded_at", UtcDateTime()),
)


def upgrade() -> None:
    """Write down of each such shop what is known of it now."""
    bind, a = op.get_bind(), ADMINISTRATION.c
    told = exists().where(a.shop == SHOPS.c.code, a.kind.in_(("shop_added", "brought_in")))
    query = select(SHOPS).where(~told).order_by(SHOPS.c.id)
    rows = [
        {
            "kind": "brought_in",
            "shop": shop["code"],
            "subject": revision,
            "os_user": "",
            "db_user": "",
            "details": json.dumps({name: shop[name] for name in sorted(TOLD)}),
            "recorded_at": now(),
        }
        for shop in bind.execute(query).mappings()
    ]
    if rows:
        bind.execute(insert(ADMINISTRATION), rows)
