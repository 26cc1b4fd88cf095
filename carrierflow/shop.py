"""A shop on a platform, as the carrier is connected to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


__all__ = ["Coverage", "Shop", "ShopState"]


class ShopState(StrEnum):
    """Whether runs look after a shop."""

    ACTIVE = "active"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Shop:
    """One connection; the token is sealed and opened only where a request is made."""

    id: int
    code: str
    platform: str
    base_url: str
    carrier_code: str
    state: ShopState
    added_at: datetime
    sealed_token: bytes
    org_id: str | None = None
    swept_to: datetime | None = None
    """Up to which change the sweep has read."""

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
