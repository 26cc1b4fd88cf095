"""Haravan: its spellings, its HTTP API and its signatures."""

from carrierflow.platforms.haravan.accounts import HaravanAccounts
from carrierflow.platforms.haravan.callbacks import HaravanDialect
from carrierflow.platforms.haravan.haravan_client import (
    Client,
    FulfillmentFilter,
    FulfillmentPage,
    NewFulfillment,
)
from carrierflow.platforms.haravan.haravan_http import HaravanClient
from carrierflow.platforms.haravan.platform import HaravanPlatform
from carrierflow.platforms.haravan.services import HaravanRegistrations
from carrierflow.platforms.haravan.signing import is_signed, sign
from carrierflow.platforms.haravan.subscriptions import HaravanSubscriptions, Unmetered
from carrierflow.platforms.http.transport import HttpLimits


__all__ = [
    "Client",
    "FulfillmentFilter",
    "FulfillmentPage",
    "HaravanAccounts",
    "HaravanClient",
    "HaravanDialect",
    "HaravanPlatform",
    "HaravanRegistrations",
    "HaravanSubscriptions",
    "HttpLimits",
    "NewFulfillment",
    "Unmetered",
    "is_signed",
    "sign",
]
