"""What Haravan writes to a carrier, and how it reads the answer.

The bodies are those that carriers in production receive: amounts and weights are floats, and the
link to the shop is spelled out five times.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.default_fields import PLACE
from carrierflow.sandbox.haravan.denials import CarrierDeclined
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.refusals import NoAnswer


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.carrier_registrations import Service
    from carrierflow.sandbox.haravan.parcels import Order, OrderItem, Recipient, SandboxFulfillment
    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.http_client import Answer


__all__ = ["Offer", "create_body", "detail_body", "offers_of", "rates_body", "said", "text_of"]

_LARGEST_INT32 = (1 << 31) - 1
_GRAMS = 500.0
_COUNTRY = {"country": "Vietnam", "country_code": "VN", "country_name": "Vietnam"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One rate that a carrier offers for an order; `carrier` is the id of its registration."""

    carrier: int
    carrier_name: str
    service_id: int
    service_name: str
    service_code: str
    total_price: int
    currency: str
    min_delivery_date: str | None
    max_delivery_date: str | None
    description: str


def rates_body(shop: SandboxShop, order: Order, cod_amount: int) -> bytes:
    """Return the question what it would cost to send an order."""
    return encode(_shipment(shop, order, cod_amount))


def create_body(shop: SandboxShop, order: Order, parcel: SandboxFulfillment) -> bytes:
    """Return the request to take a parcel, which exists in the shop already."""
    order_id, fulfillment_id = parcel.ref.order_id, parcel.ref.fulfillment_id
    return encode(
        {
            **_shipment(shop, order, parcel.cod_amount),
            "external_store_id": shop.org_id,
            "external_order_id": order_id,
            "external_fulfillment_id": fulfillment_id,
            "external_code": f"{shop.org_id}_{order_id}_{fulfillment_id}",
            "note": parcel.note,
            "shipping_rate_id": parcel.shipping_rate_id,
        }
    )


def detail_body(parcel: SandboxFulfillment) -> bytes:
    """Return what both the question for a parcel's state and the wish to cancel it say."""
    return encode({"tracking_number": parcel.tracking_number})


def said(answer: Answer) -> dict[str, Any]:
    """Return the data of an answer.

    Raises:
        Declined: if the carrier says no.
        NoAnswer: if this is no answer to a callback at all.
    """
    if answer.status != HTTPStatus.OK:
        raise NoAnswer(f"The carrier answered with the status {answer.status}.")
    envelope = _object(answer.body)
    if envelope.get("error") is True:
        raise CarrierDeclined(str(envelope.get("message") or "The carrier gave no reason."))
    data = envelope.get("data")
    if envelope.get("error") is not False or not isinstance(data, dict):
        raise NoAnswer("The carrier's answer has no `error` that is true or false, or no `data`.")
    return data


def offers_of(service: Service, data: Mapping[str, Any]) -> list[Offer]:
    """Return the rates that a carrier offers.

    Raises:
        NoAnswer: if one of them is no rate that Haravan could show.
    """
    try:
        return [_offer(service, rate) for rate in data["rates"]]
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer(f"The carrier's rates cannot be read: {error!r}.") from error


def text_of(data: Mapping[str, Any], name: str) -> str:
    """Return a field of an answer that must be there.

    Raises:
        NoAnswer: if it is not.
    """
    value = data.get(name)
    if value is None or value == "":
        raise NoAnswer(f"The carrier's answer has no {name}.")
    return str(value)


def _object(body: bytes) -> dict[str, Any]:
    try:
        envelope = json.loads(body)
    except ValueError as error:
        raise NoAnswer("The carrier's answer is not JSON.") from error
    if not isinstance(envelope, dict):
        raise NoAnswer("The carrier's answer is not a JSON object.")
    return envelope


def _offer(service: Service, rate: Mapping[str, Any]) -> Offer:
    service_id = int(rate["service_id"])
    if abs(service_id) > _LARGEST_INT32:
        raise ValueError(f"service_id {service_id} does not fit into 32 bits")
    return Offer(
        carrier=service.id,
        carrier_name=str(service.fields["name"]),
        service_id=service_id,
        service_name=str(rate["service_name"]),
        service_code=str(rate.get("service_code") or ""),
        total_price=int(float(rate["total_price"])),
        currency=str(rate.get("currency") or "vnd"),
        min_delivery_date=rate.get("min_delivery_date"),
        max_delivery_date=rate.get("max_delivery_date"),
        description=str(rate.get("description") or ""),
    )


def _shipment(shop: SandboxShop, order: Order, cod_amount: int) -> dict[str, Any]:
    return {
        "origin": _address(shop.code, "0000000001", "1 Kho Hàng Không Có Thật"),
        "destination": _destination(order.recipient),
        "cod_amount": float(cod_amount),
        "total_grams": _GRAMS * order.item.quantity,
        "items": [_item(order.item)],
    }


def _destination(recipient: Recipient) -> dict[str, Any]:
    name = f"{recipient.last_name} {recipient.first_name}"
    return _address(name, recipient.phone, recipient.address)


def _address(name: str, phone: str, street: str) -> dict[str, Any]:
    place = {**_COUNTRY, **PLACE, "zip": None, "city": None}
    return {**place, "address1": street, "address2": None, "phone": phone, "name": name}


def _item(item: OrderItem) -> dict[str, Any]:
    return {
        "name": item.title,
        "sku": item.sku,
        "quantity": item.quantity,
        "grams": _GRAMS,
        "price": float(item.price),
        "product_id": 1028183635,
        "variant_id": 1061514635,
    }
