"""The platforms that there are."""

from __future__ import annotations

from collections.abc import Mapping

from carrierflow.errors import InvalidInput
from carrierflow.platforms.haravan.profile import HARAVAN
from carrierflow.platforms.onflow.profile import ONFLOW
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.platforms.sapo.profile import SAPO


__all__ = ["DEFAULT", "PLATFORMS", "profile_of"]

PLATFORMS: Mapping[str, PlatformProfile] = {each.name: each for each in (HARAVAN, SAPO, ONFLOW)}

DEFAULT = HARAVAN
"""The platform of a shop where none is named."""


def profile_of(name: str) -> PlatformProfile:
    """Return a platform by its name; raises `InvalidInput` for one that there is not."""
    if name not in PLATFORMS:
        raise InvalidInput(f"{name!r} is no platform; there are {', '.join(PLATFORMS)}.")
    return PLATFORMS[name]
