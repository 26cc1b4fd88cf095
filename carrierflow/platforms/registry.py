"""The platforms that there are: ours, and those that a host brings along."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from carrierflow.errors import ConfigurationError, InvalidInput, UnsupportedByPlatform
from carrierflow.platforms.haravan import (
    Client,
    FulfillmentFilter,
    FulfillmentPage,
    NewFulfillment,
)
from carrierflow.platforms.haravan.profile import HARAVAN
from carrierflow.platforms.onflow.profile import ONFLOW
from carrierflow.platforms.profile import PlatformProfile
from carrierflow.platforms.sapo.profile import SAPO


__all__ = [
    "DEFAULT",
    "PLATFORMS",
    "Client",
    "FulfillmentFilter",
    "FulfillmentPage",
    "NewFulfillment",
    "PlatformRegistry",
]

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

    def checked_choices(self, name: str, choices: Mapping[str, str | None]) -> dict[str, str]:
        """Return what is chosen for a shop of a platform as it is kept, without what is None.

        Raises:
            UnsupportedByPlatform: for a choice that there is on another platform, with those here.
            InvalidInput: for one that there is nowhere, or a value that it cannot have.
        """
        profile = self.profile_of(name)
        elsewhere = {option for each in self for option in each.options}
        for choice in choices:
            if choice in elsewhere - set(profile.options):
                raise UnsupportedByPlatform(
                    profile.title, f"choice of `{choice}`", offers=tuple(profile.options)
                )
        return profile.checked(choices)
