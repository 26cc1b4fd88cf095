"""Sapo as one of the platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carrierflow.platforms.profile import PlatformProfile, ShopOption
from carrierflow.platforms.sapo.order_hints import SapoHints
from carrierflow.platforms.sapo.sapo_platform import PROJECTION, SapoPlatform


if TYPE_CHECKING:
    from carrierflow.platforms.profile import ShopLink
    from carrierflow.reconcile.ports import Platform


__all__ = ["SAPO"]


def connect(link: ShopLink) -> Platform:
    """Connect to a shop's orders; its carrier code is the id of a delivery service provider."""
    return SapoPlatform(
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


SAPO = PlatformProfile(
    name="sapo",
    title="Sapo",
    base_url=None,
    token_header=("X-Sapo-Access-Token", "{token}"),
    connect=connect,
    projection=PROJECTION,
    hints=SapoHints,
    defaults={
        "remote_ahead": "hold",
        "merchant_edit": "hold",
        "verify_within_hours": "24",
        "rate_bucket": "40",
        "rate_leak": "0.6667",
        "cancel_shipped": "hold",
    },
    further_options=(
        ShopOption(
            name="cancel_shipped",
            words=("hold", "now"),
            says="When a shipped parcel that comes back is cancelled, which is never taken back.",
        ),
    ),
)
"""Its limit is not documented; forty requests a minute is what an integrator's library keeps."""
