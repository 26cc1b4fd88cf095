"""The carrier's connections to shops, from install to uninstall."""

from carrierflow.shops.carrier_registration import CarrierRegistration, Done, Registered
from carrierflow.shops.install import AfterInstall, Installer
from carrierflow.shops.shop_check import (
    UNREAD,
    ShopCheck,
    TokenState,
    check_shop,
    require_accepted,
)
from carrierflow.shops.shops import Shops, is_uninstalled
from carrierflow.shops.tokens import ShopToken, TokenKeeper
from carrierflow.shops.webhook_subscription import WebhookSubscription


__all__ = [
    "UNREAD",
    "AfterInstall",
    "CarrierRegistration",
    "Done",
    "Installer",
    "Registered",
    "ShopCheck",
    "ShopToken",
    "Shops",
    "TokenKeeper",
    "TokenState",
    "WebhookSubscription",
    "check_shop",
    "is_uninstalled",
    "require_accepted",
]
