"""Haravan: its spellings, its HTTP API and its signatures."""

from carrierflow.platforms.haravan.platform import HaravanPlatform
from carrierflow.platforms.haravan.signing import is_signed, sign
from carrierflow.platforms.haravan.transport import Limits


__all__ = ["HaravanPlatform", "Limits", "is_signed", "sign"]
