"""Haravan as one of the platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.platforms.haravan.platform import PROJECTION, HaravanPlatform
from carrierflow.platforms.profile import Feature, PlatformProfile


if TYPE_CHECKING:
    from carrierflow.platforms.profile import ShopLink
    from carrierflow.reconcile.ports import Platform


__all__ = ["HARAVAN"]


def connect(link: ShopLink) -> Platform:
    """Connect to a shop's orders."""
    return HaravanPlatform(
        shop=link.shop.code,
        base_url=link.shop.base_url,
        token=link.token,
        budget=link.budget,
        carrier_code=link.shop.carrier_code,
        limits=link.limits,
        now=link.now,
        sleep=link.sleep,
        idle=link.idle,
    )


HARAVAN = PlatformProfile(
    name="haravan",
    title="Haravan",
    base_url="https://apis.haravan.com",
    connect=connect,
    projection=PROJECTION,
    defaults={
        "remote_ahead": "hold",
        "merchant_edit": "hold",
        "verify_within_hours": "24",
        "rate_bucket": "80",
        "rate_leak": "4",
    },
    features=frozenset(Feature),
)
"""Its bucket holds 80 requests and leaks four a second (API call limit page)."""
