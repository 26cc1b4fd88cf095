"""Onflow as one of the platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.platforms.onflow.onflow_platform import PROJECTION, OnflowPlatform
from carrierflow.platforms.onflow.status_hints import OnflowHints
from carrierflow.platforms.profile import PlatformProfile


if TYPE_CHECKING:
    from carrierflow.platforms.profile import ShopLink
    from carrierflow.reconcile.ports import Platform


__all__ = ["ONFLOW"]


def connect(link: ShopLink) -> Platform:
    """Connect to an account's shipments."""
    return OnflowPlatform(
        shop=link.shop.code,
        base_url=link.shop.base_url,
        token=link.token,
        budget=link.budget,
        limits=link.limits,
        now=link.now,
        sleep=link.sleep,
        idle=link.idle,
    )


ONFLOW = PlatformProfile(
    name="onflow",
    title="Onflow",
    base_url=None,
    token_header=("Authorization", "{token}"),
    connect=connect,
    projection=PROJECTION,
    hints=OnflowHints,
    defaults={
        "remote_ahead": "adopt",
        "merchant_edit": "hold",
        "verify_within_hours": "1",
        "rate_bucket": "40",
        "rate_leak": "0.6667",
    },
)
"""It leads and lists no changes, so every shipment is asked for often, and its word is adopted. No
request rate is documented: 40 a minute is our caution."""
