"""The carrier's connections to shops, from install to uninstall."""

from carrierflow.shops.install import Finish, Installer
from carrierflow.shops.registration import Done, Registered, Registrar
from carrierflow.shops.shops import Connections, is_gone
from carrierflow.shops.tokens import ShopToken, TokenKeeper
from carrierflow.shops.webhooks import Subscriber


__all__ = [
    "Connections",
    "Done",
    "Finish",
    "Installer",
    "Registered",
    "Registrar",
    "ShopToken",
    "Subscriber",
    "TokenKeeper",
    "is_gone",
]
