"""What the seller's page shows, as JSON: the shops, one shop's orders, and the last calls."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from carrierflow.sandbox.haravan.dotnet_time import printed_milliseconds
from carrierflow.sandbox.haravan.vocabulary import BY_CODE, StatusMachine, name_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.call_log import CallEntry
    from carrierflow.sandbox.haravan.parcels import Order, SandboxFulfillment
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["shown"]

_ORDERS, _CALLS = 30, 15
_ENGLISH: Mapping[tuple[StatusMachine, str], str] = {
    (StatusMachine.DELIVERY, "pending"): "Waiting",
    (StatusMachine.DELIVERY, "readytopick"): "Ready to pick up",
    (StatusMachine.DELIVERY, "picking"): "Picking up",
    (StatusMachine.DELIVERY, "delivering"): "Out for delivery",
    (StatusMachine.DELIVERY, "delivered"): "Delivered",
    (StatusMachine.DELIVERY, "notmeetcustomer"): "Customer not met",
    (StatusMachine.DELIVERY, "waitingforreturn"): "Waiting for return",
    (StatusMachine.DELIVERY, "return"): "Returned",
    (StatusMachine.DELIVERY, "cancel"): "Cancelled",
    (StatusMachine.COD, "none"): "No cash to collect",
    (StatusMachine.COD, "codpending"): "Cash not collected",
    (StatusMachine.COD, "codpaid"): "Cash collected",
    (StatusMachine.COD, "codreceipt"): "Cash remitted",
    (StatusMachine.COD, "codnotreceipt"): "Cash not received",
}
_BY_DATE_FIELD = {status.date_field: key for key, status in BY_CODE.items() if status.date_field}


def shown(world: World, code: str | None) -> dict[str, Any]:
    """Return everything that the page shows of one shop, the first one unless it is named."""
    shops = list(world.shops.values())
    shop = world.shop(code) if code else next(iter(shops), None)
    return {
        "shops": [each.code for each in shops],
        "shop": _shop(world, shop) if shop is not None else None,
        "orders": _orders(shop) if shop is not None else [],
        "calls": [_call(made) for made in list(world.calls)[: -_CALLS - 1 : -1]],
    }


def _shop(world: World, shop: SandboxShop) -> dict[str, Any]:
    is_installed = world.grants.opens(shop.code)
    address = world.app.install_url
    return {
        "code": shop.code,
        "is_installed": is_installed,
        "install_url": f"{address}?shop={shop.code}&orgid={shop.org_id}" if address else None,
        "has_webhooks": world.webhook_queue.subscription(shop.code) is not None,
        "carriers": [str(service.fields["name"]) for service in shop.services],
    }


def _orders(shop: SandboxShop) -> list[dict[str, Any]]:
    newest = islice(reversed(list(shop.orders.after_id())), _ORDERS)
    return [_order(order, shop.parcels_of(order)) for order in newest]


def _order(order: Order, parcels: list[SandboxFulfillment]) -> dict[str, Any]:
    is_open = order.cancelled_at is None
    return {
        "id": order.id,
        "name": f"#{order.number}",
        "title": order.item.title,
        "total": order.total,
        "recipient": f"{order.recipient.last_name} {order.recipient.first_name}",
        "at": printed_milliseconds(order.created_at),
        "is_cancelled": not is_open,
        "may_ship": is_open and all(parcel.is_cancelled for parcel in parcels),
        "parcels": [_parcel(parcel) for parcel in parcels],
    }


def _parcel(parcel: SandboxFulfillment) -> dict[str, Any]:
    is_handed_over = parcel.tracking_number is not None
    return {
        "id": parcel.ref.fulfillment_id,
        "carrier": parcel.tracking_company,
        "tracking_number": parcel.tracking_number,
        "tracking_url": parcel.tracking_url,
        "delivery": _status(StatusMachine.DELIVERY, parcel.carrier_status),
        "cod": _status(StatusMachine.COD, parcel.cod_status),
        "cod_amount": parcel.cod_amount,
        "may_cancel": is_handed_over and not parcel.is_cancelled,
        "may_retry": not is_handed_over and not parcel.is_cancelled,
        "road": _road(parcel),
    }


def _status(machine: StatusMachine, code: str) -> dict[str, str]:
    english = _ENGLISH.get((machine, code), code)
    return {"code": code, "english": english, "vietnamese": name_of(machine, code)}


def _road(parcel: SandboxFulfillment) -> list[dict[str, str]]:
    """Return every date that the parcel bears, the oldest first; the parcel before its cash."""
    dated = sorted(parcel.dates.items(), key=lambda pair: (pair[1], pair[0].startswith("cod_")))
    return [
        {**_status(*_BY_DATE_FIELD[field]), "at": printed_milliseconds(at)} for field, at in dated
    ]


def _call(made: CallEntry) -> dict[str, Any]:
    return {
        "number": made.number,
        "at": printed_milliseconds(made.at),
        "kind": made.topic or made.kind,
        "method": made.method,
        "path": urlsplit(made.url).path,
        "body": made.body,
        "status": made.status,
        "answer": made.answer,
        "problem": made.problem,
        "is_good": made.is_good,
        "seconds": made.seconds,
    }
