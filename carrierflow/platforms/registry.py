"""The platforms that there are: ours, and those that a host brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from carrierflow.errors import ConfigurationError, InvalidInput
from carrierflow.platforms.haravan.profile import HARAVAN
from carrierflow.platforms.onflow.profile import ONFLOW
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.platforms.sapo.profile import SAPO


__all__ = ["DEFAULT", "PLATFORMS", "PlatformRegistry"]

PLATFORMS: Mapping[str, PlatformProfile] = {each.name: each for each in (HARAVAN, SAPO, ONFLOW)}

DEFAULT = HARAVAN
"""The platform of a shop where none is named."""


class PlatformRegistry:
    """The platforms that one carrier's shops may be on.

    Args:
        further: those that are not ours.

    Raises:
        ConfigurationError: one bears a name that another one has.
    """

    def __init__(self, further: Iterable[PlatformProfile] = ()) -> None:
        self._profiles = dict(PLATFORMS)
        for each in further:
            if each.name in self._profiles:
                raise ConfigurationError(f"There is a platform {each.name!r} already.")
            self._profiles[each.name] = each

    def __iter__(self) -> Iterator[PlatformProfile]:
        return iter(self._profiles.values())

    def profile_of(self, name: str) -> PlatformProfile:
        """Return a platform by its name; raises `InvalidInput` for one that there is not."""
        if name not in self._profiles:
            raise InvalidInput(f"{name!r} is no platform; there are {', '.join(self._profiles)}.")
        return self._profiles[name]
