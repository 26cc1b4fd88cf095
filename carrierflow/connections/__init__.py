"""The carrier's connections to shops, from install to uninstall."""

from carrierflow.connections.finishing import Finish
from carrierflow.connections.installer import Installer
from carrierflow.connections.leaving import is_gone
from carrierflow.connections.registrar import Done, Registered, Registrar
from carrierflow.connections.shops import Connections
from carrierflow.connections.subscriber import Subscriber
from carrierflow.connections.tokens import ShopToken, TokenKeeper


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
