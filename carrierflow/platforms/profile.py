"""What is known of a platform beside its code: what it can do, and what is chosen for its shops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from carrierflow.carrier_service.dialect import Dialect, HintDialect
from carrierflow.carrier_service.registration import OAuthAccounts, Registrations, Subscriptions
from carrierflow.domain import clock
from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import Idle
from carrierflow.errors import InvalidInput, UnsupportedByPlatform
from carrierflow.platforms.http.transport import HttpLimits, Token
from carrierflow.reconcile.ports import Budget, Platform
from carrierflow.reconcile.projection import Projection


__all__ = [
    "COMMON_OPTIONS",
    "AppDefaults",
    "AppLink",
    "AppSecrets",
    "Feature",
    "PlatformProfile",
    "ShopLink",
    "ShopOption",
]


T = TypeVar("T")


class Feature(StrEnum):
    """What a platform may offer beside reading and writing fulfillments."""

    INSTALL = "installing by an owner's consent"
    REGISTRATION = "registering a carrier"
    SUBSCRIPTION = "switching webhooks on"
    CALLBACKS = "calling the carrier"
    HINTS = "webhooks that only hint"
    CLIENT = "reading and creating fulfillments from a program"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopLink:
    """What it takes to talk to one shop."""

    shop: Shop
    token: Token
    budget: Budget
    limits: HttpLimits
    now: clock.Clock
    sleep: clock.Sleep
    idle: Idle
    chosen: Mapping[str, str]
    """What holds for it of all that may be chosen, by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppLink:
    """What it takes to talk to a platform's accounts."""

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    limits: HttpLimits
    now: clock.Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class AppSecrets:
    """What proves that a platform calls; blank ones prove nothing."""

    signing: Sequence[str] = field(repr=False)
    """The newest first."""
    webhooks: Sequence[str] = field(repr=False)
    """Those of webhooks that were made by hand."""
    verify_token: str = field(repr=False)
    tracking_url: str
    """What stands before a tracking number where the carrier gave no URL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppDefaults:
    """What an app needs of a platform, unless somebody sets it otherwise."""

    accounts_url: str = ""
    """Where shops agree to an install."""
    webhook_url: str = ""
    """Where a shop's webhooks are switched."""
    scopes: tuple[str, ...] = ()
    """What an install asks for."""
    shop_suffix: str = ""
    """What follows a shop's name in its domain."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopOption:
    """Something that may be chosen for one shop: one of some words, or a number between two."""

    name: str
    says: str
    words: tuple[str, ...] = ()
    least: float = 0
    most: float = 0

    def checked(self, text: str) -> str:
        """Return a value as it is kept; raises `InvalidInput` where it cannot be used."""
        value = text.strip()
        if self.words:
            if value not in self.words:
                raise InvalidInput(f"{self.name} is one of {', '.join(self.words)}.")
            return value
        try:
            number = float(value)
        except ValueError:
            number = float("nan")
        if not self.least <= number <= self.most:
            raise InvalidInput(f"{self.name} is a number from {self.least:g} to {self.most:g}.")
        return f"{number:g}"


COMMON_OPTIONS = (
    ShopOption(
        name="remote_ahead", words=("hold", "adopt"), says="Where the platform is ahead of us."
    ),
    ShopOption(name="merchant_edit", words=("hold", "reassert"), says="Where it was moved back."),
    ShopOption(
        name="verify_within_hours",
        least=0.01,
        most=8784,
        says="Within how many hours each open fulfillment is looked at.",
    ),
    ShopOption(name="rate_bucket", least=13, most=1e6, says="The platform's bucket of requests."),
    ShopOption(
        name="rate_leak", least=0.001, most=1e6, says="Requests a second that leak from it."
    ),
)
"""What may be chosen for a shop of any platform."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformProfile:
    """One platform: its names, what it can show, do and be told, and its defaults."""

    name: str
    """As it stands in the database and in settings."""
    title: str
    base_url: str | None
    """The root of its API; None where every shop has its own."""
    connect: Callable[[ShopLink], Platform]
    projection: Projection
    defaults: Mapping[str, str]
    """What is chosen for a shop unless somebody chooses otherwise, for each of its options."""
    token_header: tuple[str, str] = ("Authorization", "Bearer {token}")
    """The header in which it wants a shop's token, and its value."""
    further_options: tuple[ShopOption, ...] = field(default=())
    app: AppDefaults = field(default=AppDefaults())
    accounts: Callable[[AppLink], OAuthAccounts] | None = None
    registrations: Callable[[ShopLink], Registrations] | None = None
    subscriptions: Callable[[ShopLink, str], Subscriptions] | None = None
    """Takes the root of the address where they are switched."""
    dialect: Callable[[AppSecrets], Dialect] | None = None
    client: Callable[[ShopLink], Any] | None = None
    """A client of the platform's own kind, for programs of the carrier's own."""
    hints: Callable[[Sequence[str]], HintDialect] | None = None
    """Takes the secrets that prove a webhook."""

    @property
    def features(self) -> frozenset[Feature]:
        """What the platform offers beside its fulfillments."""
        offered = {
            Feature.INSTALL: self.accounts,
            Feature.REGISTRATION: self.registrations,
            Feature.SUBSCRIPTION: self.subscriptions,
            Feature.CALLBACKS: self.dialect,
            Feature.CLIENT: self.client,
            Feature.HINTS: self.hints,
        }
        return frozenset(feature for feature, made in offered.items() if made is not None)

    @property
    def options(self) -> Mapping[str, ShopOption]:
        """What may be chosen for a shop, by name."""
        return {option.name: option for option in (*COMMON_OPTIONS, *self.further_options)}

    def offered(self, feature: Feature, made: T | None) -> T:
        """Return what makes a feature, which is one of this platform's parts.

        Raises:
            UnsupportedByPlatform: if it is none, with what the platform does offer.
        """
        if made is None:
            raise UnsupportedByPlatform(self.title, feature, offers=tuple(sorted(self.features)))
        return made

    def checked(self, choices: Mapping[str, str | None]) -> dict[str, str]:
        """Return choices as they are kept, those left out that are None.

        Raises:
            InvalidInput: for one that there is not, or a value that it cannot have.
        """
        for name in choices:
            if name not in self.options:
                known = ", ".join(self.options)
                raise InvalidInput(f"{name!r} cannot be chosen for a shop; {known} can.")
        made = {name: value for name, value in choices.items() if value is not None}
        return {name: self.options[name].checked(value) for name, value in made.items()}
