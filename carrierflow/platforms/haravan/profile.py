"""Haravan as one of the platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.platforms.haravan.accounts import HaravanAccounts
from carrierflow.platforms.haravan.callbacks import HaravanDialect
from carrierflow.platforms.haravan.haravan_client import Client
from carrierflow.platforms.haravan.haravan_http import HaravanClient
from carrierflow.platforms.haravan.platform import PROJECTION, HaravanPlatform, ReadThrough
from carrierflow.platforms.haravan.services import HaravanRegistrations
from carrierflow.platforms.haravan.subscriptions import HaravanSubscriptions, Unmetered
from carrierflow.platforms.profile import AppDefaults, PlatformProfile, ShopOption


if TYPE_CHECKING:
    from carrierflow.carrier_service.dialect import Dialect
    from carrierflow.carrier_service.registration import (
        OAuthAccounts,
        Registrations,
        Subscriptions,
    )
    from carrierflow.platforms.http.client import PlatformClient
    from carrierflow.platforms.profile import AppLink, AppSecrets, ShopLink
    from carrierflow.reconcile.ports import Platform


__all__ = ["HARAVAN"]


def connect(link: ShopLink) -> Platform:
    """Connect to a shop's orders."""
    return HaravanPlatform(
        shop=link.shop.code,
        base_url=link.shop.base_url,
        token=link.token,
        budget=link.budget,
        carrier_code=link.shop.carrier_code,
        read_through=ReadThrough(link.chosen["read_through"]),
        limits=link.limits,
        now=link.now,
        sleep=link.sleep,
        idle=link.idle,
    )


def _http(link: ShopLink, **otherwise: Any) -> PlatformClient:
    """Talk to a shop by its link, unless something of it is otherwise."""
    by_link: dict[str, Any] = {"base_url": link.shop.base_url, "budget": link.budget}
    return HaravanClient(
        token=link.token,
        limits=link.limits,
        now=link.now,
        sleep=link.sleep,
        idle=link.idle,
        **by_link | otherwise,
    )


def client(link: ShopLink) -> Client:
    """Connect to a shop's orders for a program of the carrier's own."""
    return Client(link.shop.code, _http(link))


def accounts(link: AppLink) -> OAuthAccounts:
    """Connect to the accounts, once for all shops."""
    return HaravanAccounts(
        url=link.url,
        client_id=link.client_id,
        client_secret=link.client_secret,
        limits=link.limits,
        now=link.now,
    )


def registrations(link: ShopLink) -> Registrations:
    """Connect to the carriers registered in a shop."""
    return HaravanRegistrations(_http(link))


def subscriptions(link: ShopLink, url: str) -> Subscriptions:
    """Connect to a shop's webhooks, on a host of its own that has no bucket."""
    return HaravanSubscriptions(_http(link, base_url=url, folder="/api", budget=Unmetered()))


def dialect(secrets: AppSecrets) -> Dialect:
    """Speak as the carrier service does, to whoever has one of the secrets."""
    return HaravanDialect(
        secrets=secrets.signing,
        webhook_secrets=secrets.webhooks,
        verify_token=secrets.verify_token,
        tracking_url=secrets.tracking_url,
    )


HARAVAN = PlatformProfile(
    name="haravan",
    title="Haravan",
    base_url="https://apis.haravan.com",
    connect=connect,
    projection=PROJECTION,
    defaults={
        "remote_ahead": "hold",
        "merchant_edit": "hold",
        "verify_within_hours": "24",
        "rate_bucket": "80",
        "rate_leak": "4",
        "read_through": "auto",
    },
    app=AppDefaults(
        accounts_url="https://accounts.haravan.com",
        webhook_url="https://webhook.haravan.com",
        scopes=(
            "com.read_orders",
            "com.write_orders",
            "com.read_shippings",
            "com.write_shippings",
            "wh_api",
            "grant_service",
            "offline_access",
        ),
        shop_suffix=".myharavan.com",
    ),
    accounts=accounts,
    registrations=registrations,
    subscriptions=subscriptions,
    dialect=dialect,
    client=client,
    further_options=(
        ShopOption(
            name="read_through",
            words=tuple(ReadThrough),
            says="By lists of orders, by each order's own list of fulfillments, or as it allows.",
        ),
    ),
)
"""Its bucket holds 80 requests and leaks four a second (API call limit page)."""
