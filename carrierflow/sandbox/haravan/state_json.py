"""The sandbox's state as JSON, for control calls and for the seller's page."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.dotnet_time import printed_fresh


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.call_log import CallEntry
    from carrierflow.sandbox.haravan.parcels import Order, SandboxFulfillment
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.webhook_queue import WebhookTarget
    from carrierflow.sandbox.haravan.world import World


__all__ = ["call_state", "order_state", "parcel_state", "shop_state"]


def shop_state(world: World, shop: SandboxShop) -> dict[str, Any]:
    """Return a shop with everything in it as JSON shows it."""
    return {
        "code": shop.code,
        "org_id": shop.org_id,
        "options": asdict(shop.options),
        "bucket": shop.bucket.header(world.now()),
        "is_installed": world.grants.opens(shop.code),
        "carriers": [service.detail() for service in shop.services],
        "subscription": _as_dict(world.webhook_queue.subscription(shop.code)),
        "orders": [order_state(order, shop.parcels_of(order)) for order in shop.orders.after_id()],
    }


def call_state(made: CallEntry) -> dict[str, Any]:
    """Return a call to the carrier as JSON shows it."""
    return {**asdict(made), "at": printed_fresh(made.at)}


def _as_dict(subscription: WebhookTarget | None) -> dict[str, Any] | None:
    return None if subscription is None else asdict(subscription)


def order_state(order: Order, parcels: list[SandboxFulfillment]) -> dict[str, Any]:
    """Return an order with its fulfillments as JSON shows it."""
    return {
        "id": order.id,
        "cancelled": order.cancelled_at is not None,
        "closed": order.closed_at is not None,
        "updated_at": printed_fresh(order.updated_at),
        "fulfillments": [parcel_state(parcel) for parcel in parcels],
    }


def parcel_state(parcel: SandboxFulfillment) -> dict[str, Any]:
    """Return a fulfillment as JSON shows it."""
    return {
        "id": parcel.ref.fulfillment_id,
        "carrier_status": parcel.carrier_status,
        "cod_status": parcel.cod_status,
        "cod_amount": parcel.cod_amount,
        "tracking_number": parcel.tracking_number,
        "updated_at": printed_fresh(parcel.updated_at),
        "dates": {name: printed_fresh(at) for name, at in parcel.dates.items()},
    }
