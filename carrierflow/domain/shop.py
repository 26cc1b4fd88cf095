"""A shop on a platform, as the carrier is connected to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit


__all__ = ["Backlog", "Coverage", "EndedRun", "Shop", "ShopState"]


class ShopState(StrEnum):
    """Whether runs look after a shop."""

    ACTIVE = "active"
    PAUSED = "paused"
    REVOKED = "revoked"
    """Uninstalled: there is no token, and the history is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """One connection; the token is encrypted, and decrypted only where a request is made."""

    id: int
    code: str
    platform: str
    base_url: str
    carrier_code: str
    state: ShopState
    added_at: datetime
    encrypted_token: bytes
    """Empty where there is none: the shop was revoked."""
    org_id: str | None = None
    swept_to: datetime | None = None
    """Up to which change the sweep has read."""
    encrypted_refresh_token: bytes | None = None
    token_expires_at: datetime | None = None
    """When the token ends; None if it does not, as far as we know."""
    scopes: tuple[str, ...] = ()
    """What the platform says that the token may do; empty if it never said."""
    carrier_service_id: str | None = None
    """The platform's id of this carrier's registration there."""
    subscribed_at: datetime | None = None
    """When webhooks were last switched on."""
    revoked_at: datetime | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    """What was chosen for this shop; all else is as the settings and its platform have it."""
    unanswered: int = 0
    """How many runs in a row had no answer from its host."""
    retry_at: datetime | None = None
    """Until when runs leave it alone for that; UTC."""

    @property
    def host(self) -> str:
        """Whom one has to reach to reach the shop."""
        return urlsplit(self.base_url).netloc

    def __repr__(self) -> str:
        return f"Shop({self.code!r}, {self.platform!r}, {self.state!r})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """What is known of a shop's open fulfillments, and how well it is known."""

    shop: str
    open: int
    verified: int
    """Looked at within the span asked about."""
    oldest_verified_at: datetime | None
    """The longest ago that an open fulfillment was looked at."""
    never_verified: int
    unpublished: int
    """Fulfillments with steps that the platform is not known to show; frozen ones count too."""
    frozen: int
    incidents: int
    late: int
    """Open for longer than the span asked about, and not looked at within it."""
    state: ShopState
    unanswered: int = 0
    """How many runs in a row had no answer from the shop's host."""
    retry_at: datetime | None = None
    """Until when runs leave it alone for that."""

    @property
    def needs_somebody(self) -> bool:
        """Tell whether a person is needed: for an incident, or because no run gets to it."""
        return self.incidents > 0 or (self.state is ShopState.ACTIVE and self.late > 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """What waits at a shop: for the platform, for its allowance, for a person."""

    shop: str
    oldest_unpublished_at: datetime | None
    """When the oldest entry was recorded that the platform is not known to show."""
    budget_used: int
    """Requests that have not leaked from the platform's bucket yet, by our count."""
    incidents: Mapping[str, int]
    """Open incidents by kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EndedRun:
    """One run that ended, with its counters."""

    id: str
    shop: str
    ended_at: datetime
    counters: Mapping[str, int]
