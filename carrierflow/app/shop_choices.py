"""What holds for one shop: what was chosen for it, else the settings, else its platform's way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from carrierflow.app.settings import Settings
from carrierflow.domain.model import Status
from carrierflow.domain.shop import Shop
from carrierflow.platforms.registry import PlatformRegistry
from carrierflow.reconcile import MerchantEdit, Policy, RemoteAhead
from carrierflow.storage import BudgetRate


__all__ = ["ChoiceOrigin", "ShopChoice", "ShopChoices"]


class ChoiceOrigin(StrEnum):
    """Who made a choice."""

    SHOP = "shop"
    SETTINGS = "settings"
    PLATFORM = "platform"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopChoice:
    """One choice as it holds for a shop."""

    value: str
    origin: ChoiceOrigin


class ShopChoices:
    """The choices that hold for each shop."""

    def __init__(self, settings: Settings, platforms: PlatformRegistry) -> None:
        self._settings = settings
        self._platforms = platforms

    def of(self, shop: Shop) -> Mapping[str, ShopChoice]:
        """Return every choice that there is for a shop; raises `InvalidInput` for no platform."""
        return self._chosen(shop.platform, shop.options)

    def _chosen(self, platform: str, options: Mapping[str, str]) -> Mapping[str, ShopChoice]:
        profile = self._platforms.profile_of(platform)
        found = {
            name: ShopChoice(value=value, origin=ChoiceOrigin.PLATFORM)
            for name, value in profile.defaults.items()
        }
        for name, value in self._settings.of_platform(platform).items():
            if name in found:
                found[name] = ShopChoice(value=value, origin=ChoiceOrigin.SETTINGS)
        for name, value in options.items():
            if name in found:
                found[name] = ShopChoice(value=value, origin=ChoiceOrigin.SHOP)
        return found

    def policy(self, shop: Shop) -> Policy:
        """Return the spans and choices by which decisions about a shop are made."""
        settings, chosen = self._settings, self.of(shop)
        holds_return = "cancel_shipped" in chosen and chosen["cancel_shipped"].value == "hold"
        return Policy(
            remote_ahead=RemoteAhead(chosen["remote_ahead"].value),
            merchant_edit=MerchantEdit(chosen["merchant_edit"].value),
            held=frozenset({Status.WAITINGFORRETURN}) if holds_return else frozenset(),
            settle=timedelta(seconds=settings.settle_seconds),
            freshness=timedelta(seconds=settings.freshness_seconds),
            send_deadline=timedelta(seconds=settings.send_deadline_seconds),
            request_timeout=timedelta(seconds=settings.connect_timeout + settings.request_timeout),
            gone_after=timedelta(seconds=settings.gone_after_seconds),
            verify_within=timedelta(hours=float(chosen["verify_within_hours"].value)),
            grace=timedelta(hours=settings.grace_hours),
        )

    def rate(self, shop: Shop) -> BudgetRate:
        """Return how fast a shop may be asked."""
        return self.rate_of(shop.platform, shop.options)

    def rate_of(self, platform: str, options: Mapping[str, str]) -> BudgetRate:
        """Return how fast a shop on some platform may be asked that has made such choices."""
        settings, chosen = self._settings, self._chosen(platform, options)
        return BudgetRate(
            bucket=int(float(chosen["rate_bucket"].value)),
            leak=float(chosen["rate_leak"].value),
            interactive=settings.rate_reserve,
            longest_pause=settings.longest_pause_seconds,
            longest_wait=settings.longest_wait_seconds,
        )
