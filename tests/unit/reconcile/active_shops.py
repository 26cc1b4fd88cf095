"""Shops that runs look after, of whom no more matters than where they are."""

from __future__ import annotations

from datetime import UTC, datetime

from carrierflow.domain.shop import Shop, ShopState


BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
"""When each was connected."""


def shop(code, host="a.example", **more):
    """Return an active shop at a host."""
    return Shop(
        id=1,
        code=code,
        platform="haravan",
        base_url=f"https://{host}/",
        carrier_code="c",
        state=ShopState.ACTIVE,
        added_at=BEGIN,
        encrypted_token=b"t",
        **more,
    )
