"""What stands between an app and a shop: tokens, the carrier's registration, webhooks.

The data, and what is asked of the platform about them, as Protocols; adapters owe exactly this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol


__all__ = [
    "Install",
    "Installed",
    "Listed",
    "OAuthAccounts",
    "Redirect",
    "Registration",
    "Registrations",
    "Subscription",
    "Subscriptions",
    "Tokens",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A carrier as a shop knows it: its name, and where the platform reaches it."""

    name: str
    active: bool
    rates_url: str
    create_url: str
    detail_url: str
    cancel_url: str
    by_external_code_url: str | None = None
    """None where the platform does not say it back."""
    tracking_url: str | None = None
    """What the platform puts before a tracking number; None for nothing."""
    id: str | None = None
    """The platform's own id, once it has given one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A carrier in a shop's list, where those of everybody stand together."""

    ids: tuple[str, ...]
    """What may be its id, the likeliest first: a list has two that look alike."""
    name: str
    code: str | None
    """The platform's own word for it; the carriers that apps registered share one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """One kind of event that the platform sends by webhook, and where to."""

    id: str
    topic: str
    url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tokens:
    """What the platform's accounts answer; secrets are in no repr."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    lasts: timedelta | None = None
    """How long the access token is good for; None if it was not said."""
    scopes: tuple[str, ...] | None = None
    """What was granted; None if it was not said, which means what was asked for."""
    org_id: str | None = None
    """The platform's own id of the shop that agreed."""
    nonce: str | None = None
    """What ties the answer to the question."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Install:
    """An install under way: what the answer of the platform's accounts will be for."""

    shop: str
    base_url: str
    carrier_code: str
    invited: bool
    """Whether the carrier itself made the link; strangers may do less."""
    expires_at: datetime
    org_id: str | None = None
    """Which shop it is on the platform, once somebody has logged in there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Redirect:
    """Where the browser goes next."""

    url: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A shop that is connected now, and what could not be done there yet."""

    shop: str
    notes: tuple[str, ...] = ()


class Registrations(Protocol):
    """The carriers registered in one shop.

    Every method raises `AccessDenied` where the token is not accepted. Reads raise
    `PlatformUnavailable` when retries did not help; writes are sent once, and raise `NotSent`,
    `OutcomeUnknown` or `Refused`.
    """

    def listed(self) -> list[Listed]:
        """Return every carrier in the shop's list, the platform's own among them."""
        ...

    def read(self, service_id: str) -> Registration | None:
        """Return one registration; None if there is none of this id."""
        ...

    def create(self, wanted: Registration) -> Registration:
        """Register a carrier; the platform would take the same one twice."""
        ...

    def change(self, service_id: str, wanted: Registration) -> Registration:
        """Overwrite a registration."""
        ...

    def remove(self, service_id: str) -> None:
        """Delete a registration; it is no error if there is none."""
        ...

    def close(self) -> None:
        """Close the connections; the object can be used again."""
        ...


class OAuthAccounts(Protocol):
    """Where a shop's owner agrees, and where codes become tokens; nothing is sent twice.

    Requests raise `AccessDenied` where what was sent is not accepted, and `PlatformUnavailable`
    where there is no usable answer: the code or the token may be used up then.
    """

    def authorize_url(
        self,
        *,
        scopes: Sequence[str],
        redirect_uri: str,
        state: str,
        nonce: str,
        org_id: str | None = None,
    ) -> str:
        """Return where a browser is sent to log in and to agree."""
        ...

    def exchange(self, code: str, *, redirect_uri: str) -> Tokens:
        """Return the tokens for a code."""
        ...

    def refresh(self, refresh_token: str) -> Tokens:
        """Return new tokens, the next refresh token among them."""
        ...


class Subscriptions(Protocol):
    """The webhooks of one shop; requests raise as those of `Registrations` do."""

    def listed(self) -> list[Subscription]:
        """Return what is sent by webhook; nothing while the switch is off."""
        ...

    def subscribe(self) -> None:
        """Switch them on."""
        ...

    def unsubscribe(self) -> None:
        """Switch them off."""
        ...

    def close(self) -> None:
        """Close the connections; the object can be used again."""
        ...
