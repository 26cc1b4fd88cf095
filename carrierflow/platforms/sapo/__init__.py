"""Sapo omnichannel: a shop's orders, its parcel actions, and what its webhooks hint at."""

from carrierflow.platforms.sapo.order_hints import SapoHints, is_signed
from carrierflow.platforms.sapo.sapo_platform import SapoPlatform


__all__ = ["SapoHints", "SapoPlatform", "is_signed"]
