"""What the platform prints: fulfillments in four shapes, and orders.

Key sets, and which fields are null here and filled there, are those of the documented examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.default_fields import (
    FULFILLMENT_BLANKS,
    LINE_BLANKS,
    NO_MONEY,
    ORDER_BLANKS,
    PLACE,
)
from carrierflow.sandbox.haravan.dotnet_time import (
    printed_fresh,
    printed_milliseconds,
    printed_seconds,
)
from carrierflow.sandbox.haravan.vocabulary import DATE_FIELDS, StatusMachine, name_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.parcels import Order, OrderItem, Recipient, SandboxFulfillment


__all__ = ["EMBEDDED", "READ", "UPDATED", "WRITTEN", "Shape", "fulfillment_body", "order_body"]

_READ_BACK: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How one kind of reply differs from the others."""

    extra: Mapping[str, Any]
    shows_country: bool = False
    lines_have_own_id: bool = True


READ = Shape(
    extra={"carrier_service_package": 0, "is_new_service_package": False},
    shows_country=True,
    lines_have_own_id=False,
)
WRITTEN = Shape(
    extra={
        "carrier_service_package": None,
        "is_new_service_package": False,
        "carrier_shop_id": None,
        "request_mode": None,
    }
)
UPDATED = Shape(extra={}, shows_country=True, lines_have_own_id=False)
EMBEDDED = Shape(
    extra={
        "notify_customer": False,
        "shipping_package": 0,
        "carrier_service_package": 0,
        "is_new_service_package": False,
        "carrier_shop_id": None,
        "request_mode": None,
    }
)


def fulfillment_body(
    parcel: SandboxFulfillment, shape: Shape, fresh: frozenset[str] = _READ_BACK
) -> dict[str, Any]:
    """Print a fulfillment; the fields in `fresh` were written by this very call."""
    return {
        "created_at": _stamp("created_at", parcel.created_at, fresh),
        "id": parcel.ref.fulfillment_id,
        "order_id": parcel.ref.order_id,
        "receipt": None,
        "status": "success",
        **_tracking(parcel),
        "updated_at": _stamp("updated_at", parcel.updated_at, fresh),
        "line_items": [_line(parcel, shape)],
        **PLACE,
        "cod_amount": _money(parcel.cod_amount),
        "carrier_status_name": name_of(StatusMachine.DELIVERY, parcel.carrier_status),
        "carrier_cod_status_name": name_of(StatusMachine.COD, parcel.cod_status),
        "carrier_status_code": parcel.carrier_status,
        "carrier_cod_status_code": parcel.cod_status,
        "location_id": parcel.location_id,
        "note": None,
        "carrier_service_package_name": parcel.package_name,
        "coupon_code": parcel.coupon_code,
        **{name: _date(name, parcel, fresh) for name in DATE_FIELDS},
        **FULFILLMENT_BLANKS,
        **_address(parcel, shape),
        **shape.extra,
    }


def order_body(order: Order, parcels: list[SandboxFulfillment]) -> dict[str, Any]:
    """Print an order with its fulfillments inside."""
    is_cancelled = order.cancelled_at is not None
    return {
        **ORDER_BLANKS,
        "billing_address": _person(order.recipient),
        "cancel_reason": order.cancel_reason,
        "cancelled_at": _read(order.cancelled_at),
        "closed_at": _read(order.closed_at),
        "created_at": _read(order.created_at),
        "customer": _customer(order),
        "email": order.recipient.email,
        "contact_email": order.recipient.email,
        "fulfillments": [fulfillment_body(parcel, EMBEDDED) for parcel in parcels],
        "fulfillment_status": "fulfilled" if parcels else "notfulfilled",
        "id": order.id,
        "line_items": [_order_line(order.item, is_cancelled=is_cancelled)],
        "name": f"#{order.number}",
        "number": order.id,
        "order_number": f"#{order.number}",
        "shipping_address": _person(order.recipient),
        "subtotal_price": _money(order.total),
        "total_line_items_price": _money(order.total),
        "total_price": _money(order.total),
        "updated_at": _read(order.updated_at),
        "closed_status": "closed" if order.closed_at is not None else "unclosed",
        "cancelled_status": "cancelled" if is_cancelled else "uncancelled",
    }


def _money(amount: int) -> Decimal:
    return Decimal(amount).quantize(NO_MONEY)


def _read(ticks: int | None) -> str | None:
    return None if ticks is None else printed_milliseconds(ticks)


def _stamp(name: str, ticks: int, fresh: frozenset[str]) -> str:
    return printed_fresh(ticks) if name in fresh else printed_milliseconds(ticks)


def _date(name: str, parcel: SandboxFulfillment, fresh: frozenset[str]) -> str | None:
    ticks = parcel.dates.get(name)
    if ticks is None:
        return None
    return printed_fresh(ticks) if name in fresh else printed_seconds(ticks)


def _tracking(parcel: SandboxFulfillment) -> dict[str, Any]:
    number = parcel.tracking_number
    return {
        "tracking_company": parcel.tracking_company,
        "tracking_company_code": parcel.tracking_company_code,
        "tracking_numbers": [number] if number is not None else [],
        "tracking_number": number,
        "tracking_url": parcel.tracking_url,
        "tracking_urls": list(parcel.tracking_urls),
    }


def _address(parcel: SandboxFulfillment, shape: Shape) -> dict[str, Any]:
    recipient = parcel.recipient
    return {
        "country": "Vietnam" if shape.shows_country else None,
        "country_code": "VN" if shape.shows_country else None,
        "address": recipient.address if shape.shows_country else None,
        "first_name": recipient.first_name,
        "last_name": recipient.last_name,
        "shipping_address": recipient.address,
        "shipping_phone": recipient.phone,
    }


def _line(parcel: SandboxFulfillment, shape: Shape) -> dict[str, Any]:
    own_id = parcel.item.id if shape.lines_have_own_id else parcel.ref.fulfillment_id
    return {
        **_item(parcel.item),
        "id": own_id,
        "fulfillment_service": "Thủ công",
        "fulfillment_status": "Nhập kho" if parcel.is_cancelled else "Đã hoàn thành",
    }


def _order_line(item: OrderItem, *, is_cancelled: bool) -> dict[str, Any]:
    return {
        **_item(item),
        **LINE_BLANKS,
        "id": item.id,
        "fulfillment_service": None,
        "fulfillment_status": "restock" if is_cancelled else None,
        "price_original": _money(item.price),
    }


def _item(item: OrderItem) -> dict[str, Any]:
    return {
        "fulfillable_quantity": 0,
        "fulfillment_service": None,
        "fulfillment_status": None,
        "grams": NO_MONEY,
        "id": item.id,
        "price": _money(item.price),
        "product_id": 1028183635,
        "quantity": item.quantity,
        "requires_shipping": True,
        "sku": item.sku,
        "title": item.title,
        "variant_id": 1061514635,
        "variant_title": "Default Title",
        "vendor": "Khác",
        "name": item.title,
        "variant_inventory_management": None,
        "properties": None,
        "product_exists": True,
    }


def _person(recipient: Recipient) -> dict[str, Any]:
    return {
        "address1": recipient.address,
        "address2": None,
        "city": None,
        "company": None,
        "country": "Vietnam",
        "country_code": "VN",
        "first_name": recipient.first_name,
        "last_name": recipient.last_name,
        "name": f"{recipient.last_name} {recipient.first_name}",
        "phone": recipient.phone,
        "zip": None,
        **PLACE,
    }


def _customer(order: Order) -> dict[str, Any]:
    return {
        "addresses": [_person(order.recipient)],
        "default_address": _person(order.recipient),
        "email": order.recipient.email,
        "first_name": order.recipient.first_name,
        "id": order.id,
        "last_name": order.recipient.last_name,
        "phone": order.recipient.phone,
    }
