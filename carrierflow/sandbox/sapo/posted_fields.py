"""What the bodies of POSTs mean: orders, parcels and prepayments that a client wants made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.sapo.data_errors import NO_SUCH_CARRIER, data_error, message_error
from carrierflow.sandbox.sapo.fulfillment_states import SapoState
from carrierflow.sandbox.sapo.parcel_actions import COURIER
from carrierflow.sandbox.sapo.sapo_numbers import amount, printed
from carrierflow.sandbox.sapo.sapo_orders import (
    PackedLine,
    SapoFulfillment,
    SapoLine,
    SapoOrder,
    SapoShipment,
)
from carrierflow.sandbox.sapo.unset_fields import ADDRESS, LINE, ORDER


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from carrierflow.sandbox.sapo.id_supply import IdSupply
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop


__all__ = ["order_details", "order_lines", "packed_parcel", "refuse_incomplete"]

_OWN_OF_ORDER = frozenset(
    {
        *("id", "tenant_id", "code", "created_on", "modified_on", "issued_on", "status", "total"),
        *("packed_status", "fulfillment_status", "received_status", "payment_status"),
        *("order_line_items", "prepayments", "fulfillments", "finalized_on", "finished_on"),
    }
)
_OWN_OF_LINE = frozenset({"id", "created_on", "modified_on", "price", "quantity", "line_amount"})
_RECEIVER = {
    "first_name": "receiver_name",
    "address1": "destination_address",
    "phone_number": "receiver_phone",
    "country": "destination_country",
    "city": "destination_province",
    "district": "destination_district",
}
_SHIPMENT = ("delivery_service_provider_id", "service_name", "tracking_url", "detail", "note")
_ADDRESSES = ("billing_address", "shipping_address")


def refuse_incomplete(fields: Mapping[str, Any]) -> None:
    """Refuse an order that lacks what the seed's sample of a refusal names.

    Raises:
        SapoRefusal: with a text under the path of each field.
    """
    errors = {}
    address = fields.get("shipping_address")
    if address is not None and not address.get("address1"):
        errors["shipping_address.address1"] = "may not be empty"
    if fields.get("tax_treatment") is None:
        errors["tax_treatment"] = "may not be null"
    if errors:
        raise data_error(errors)


def order_details(fields: Mapping[str, Any], ids: IdSupply) -> dict[str, Any]:
    """Return those fields of an order that no rule looks at; addresses get numbers of their own."""
    kept = {
        name: value for name, value in fields.items() if name in ORDER and name not in _OWN_OF_ORDER
    }
    for name in _ADDRESSES:
        if kept.get(name) is not None:
            kept[name] = {**ADDRESS, **kept[name], "id": ids.address()}
    return kept


def order_lines(
    rows: Iterable[Mapping[str, Any]], ids: IdSupply, at: int, *, keeps_ids: bool = False
) -> tuple[SapoLine, ...]:
    """Return the lines of an order that is being made; a client's own numbers are not kept."""
    return tuple(
        SapoLine(
            id=row["id"] if keeps_ids and "id" in row else ids.order_line(),
            created_on=at,
            modified_on=at,
            price=amount(row.get("price")),
            quantity=amount(row.get("quantity", 1)),
            details={
                name: value
                for name, value in row.items()
                if name in LINE and name not in _OWN_OF_LINE
            },
        )
        for row in rows
    )


def packed_parcel(
    shop: SapoShop, order: SapoOrder, fields: Mapping[str, Any], ids: IdSupply, at: int
) -> SapoFulfillment:
    """Return the parcel that a POST asks for; a parcel for pickup loses the shipment sent with it.

    Raises:
        SapoRefusal: if the carrier is none of the shop's, or a line none of the order's.
    """
    delivery_type = str(fields.get("delivery_type") or COURIER)
    sent = fields.get("shipment") if delivery_type != "pickup" else None
    if sent is not None and sent.get("delivery_service_provider_id") not in shop.carriers:
        raise message_error(422, NO_SUCH_CARRIER)
    before = at - shop.options.parts_early
    lines = _packed_lines(order, fields.get("fulfillment_line_items"), ids, before)
    number, code = ids.parcel(), ids.code("FU", at)
    billing = fields.get("billing_address")
    return SapoFulfillment(
        id=number,
        code=code,
        delivery_type=delivery_type,
        state=SapoState.PACKED,
        lines=lines,
        packed_on=at - shop.options.packed_early,
        created_on=at,
        modified_on=at,
        shipment=_shipment(order, sent, code, ids, before) if sent is not None else None,
        billing_address={**ADDRESS, **billing, "id": ids.address()} if billing else None,
    )


def _packed_lines(
    order: SapoOrder, rows: Iterable[Mapping[str, Any]] | None, ids: IdSupply, at: int
) -> tuple[PackedLine, ...]:
    """Pack what is named, or everything; whether too much is refused is not documented."""
    known = {line.id: line for line in order.lines}
    if rows is None:
        rows = [{"order_line_item_id": line.id, "quantity": line.quantity} for line in order.lines]
    packed = []
    for row in rows:
        line = known.get(row.get("order_line_item_id", 0))
        if line is None:
            raise data_error({"fulfillment_line_items.order_line_item_id": "may not be null"})
        quantity = amount(row.get("quantity"))
        packed.append(PackedLine(id=ids.parcel(), created_on=at, line=line, quantity=quantity))
    return tuple(packed)


def _shipment(
    order: SapoOrder,
    sent: Mapping[str, Any],
    code: str,
    ids: IdSupply,
    at: int,
) -> SapoShipment:
    details = {name: sent[name] for name in _SHIPMENT if name in sent}
    for name in ("freight_amount", "delivery_fee"):
        details[name] = printed(amount(sent.get(name)))
    return SapoShipment(
        cod_amount=amount(sent.get("cod_amount")),
        created_on=at,
        modified_on=at,
        tracking_code=str(sent.get("tracking_code") or code),
        shipping_address=_receiver(sent.get("detail"), ids)
        or order.details.get("shipping_address"),
        details=details,
    )


def _receiver(detail: object, ids: IdSupply) -> dict[str, Any] | None:
    """Return the address that the JSON within the JSON names, as the seed's samples show."""
    try:
        named = json.loads(detail) if isinstance(detail, str) else {}
    except ValueError:
        return None
    if not isinstance(named, dict) or "receiver_name" not in named:
        return None
    address = {ours: named.get(theirs) for ours, theirs in _RECEIVER.items()}
    return {**ADDRESS, **address, "id": ids.address()}
