"""Orders and parcels as Sapo prints them.

A reply to an action prints `composite_fulfillment_status` as null; a later read prints the word.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.sapo.fulfillment_states import BEFORE_CANCELLATION, STATUS_WORDS, SapoState
from carrierflow.sandbox.sapo.sapo_numbers import printed, printed_time
from carrierflow.sandbox.sapo.unset_fields import FULFILLMENT, LINE, ORDER, PACKED_LINE, SHIPMENT


if TYPE_CHECKING:
    from carrierflow.sandbox.sapo.sapo_orders import (
        PackedLine,
        Prepayment,
        SapoFulfillment,
        SapoLine,
        SapoOrder,
        SapoPayment,
        SapoShipment,
    )
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop


__all__ = ["fulfillment_json", "order_json", "prepayment_json"]

_COPIED = ("product_id", "product_name", "variant_id", "variant_name", "sku", "barcode", "unit")


def order_json(shop: SapoShop, order: SapoOrder, *, is_read: bool = True) -> dict[str, Any]:
    """Return an order as a read shows it, or as an action's reply does."""
    return {
        **ORDER,
        "tenant_id": shop.tenant_id,
        "location_id": shop.location_id,
        "account_id": shop.account_id,
        "assignee_id": shop.account_id,
        **order.details,
        "id": order.id,
        "code": order.code,
        "created_on": printed_time(order.created_on),
        "modified_on": printed_time(order.modified_on),
        "issued_on": printed_time(order.issued_on),
        "status": order.status,
        "packed_status": "packed" if order.is_packed else "unpacked",
        "fulfillment_status": "shipped" if order.is_shipped else "unshipped",
        "received_status": "received" if order.is_received else "unreceived",
        "payment_status": "paid" if order.is_paid else "unpaid",
        "total": printed(order.total),
        "order_line_items": [_line(line) for line in order.lines],
        "prepayments": [prepayment_json(shop, each) for each in order.prepayments],
        "fulfillments": [
            fulfillment_json(shop, order, each, is_read=is_read) for each in order.fulfillments
        ],
        "finalized_on": printed_time(order.finalized_on),
        "finished_on": printed_time(order.finished_on),
    }


def fulfillment_json(
    shop: SapoShop, order: SapoOrder, parcel: SapoFulfillment, *, is_read: bool = True
) -> dict[str, Any]:
    """Return a parcel as a read shows it, or as an action's reply does."""
    body = {
        **FULFILLMENT,
        "id": parcel.id,
        "tenant_id": shop.tenant_id,
        "stock_location_id": shop.location_id,
        "code": parcel.code,
        "order_id": order.id,
        "account_id": shop.account_id,
        "assignee_id": shop.account_id,
        "partner_id": order.details.get("customer_id", ORDER["customer_id"]),
        "billing_address": parcel.billing_address,
        "delivery_type": parcel.delivery_type,
        "total": printed(parcel.total),
        "packed_on": printed_time(parcel.packed_on),
        "received_on": printed_time(parcel.received_on),
        "shipped_on": printed_time(parcel.shipped_on),
        "cancel_date": printed_time(parcel.cancel_date),
        "cancel_account_id": parcel.cancel_account_id,
        "created_on": printed_time(parcel.created_on),
        "modified_on": printed_time(parcel.modified_on),
        "status": _status(shop, parcel.state),
        "composite_fulfillment_status": str(parcel.state) if is_read else None,
        "payment_status": "paid" if parcel.payments else "unpaid",
        "stock_out_account_id": parcel.stock_out_account_id,
        "receive_account_id": parcel.receive_account_id,
        "receive_cancellation_account_id": parcel.receive_cancellation_account_id,
        "receive_cancellation_on": printed_time(parcel.receive_cancellation_on),
        "fulfillment_line_items": [_packed_line(each) for each in parcel.lines],
        "shipment": _shipment(shop, parcel.shipment) if parcel.shipment is not None else None,
        "payments": [_payment(shop, each) for each in parcel.payments],
        "total_quantity": printed(sum((each.quantity for each in parcel.lines), Decimal())),
    }
    if parcel.state in BEFORE_CANCELLATION:
        body["status_before_cancellation"] = BEFORE_CANCELLATION[parcel.state]
    return body


def prepayment_json(shop: SapoShop, prepayment: Prepayment) -> dict[str, Any]:
    """Return a prepayment."""
    return {
        "id": prepayment.id,
        "payment_method_id": prepayment.payment_method_id,
        "paid_on": printed_time(prepayment.paid_on),
        "amount": printed(prepayment.amount),
        "account_id": shop.account_id,
        "note": prepayment.note,
        "created_on": printed_time(prepayment.created_on),
        "modified_on": printed_time(prepayment.modified_on),
        "reference": None,
        "source": "customer_prepaid",
        "paid_amount": printed(prepayment.amount),
        "returned_amount": 0,
        "status": "cancelled" if prepayment.is_cancelled else "active",
        "integrated": False,
        "status_before_cancelled": "active" if prepayment.is_cancelled else None,
    }


def _status(shop: SapoShop, state: SapoState) -> str:
    """Return the word of `status`, which integrators saw vary for two states."""
    if state is SapoState.FULFILLED_CANCELLING and not shop.options.says_cancelling:
        return STATUS_WORDS[SapoState.FULFILLED_CANCELLED]
    return STATUS_WORDS[state]


def _line(line: SapoLine) -> dict[str, Any]:
    return {
        **LINE,
        **line.details,
        "id": line.id,
        "created_on": printed_time(line.created_on),
        "modified_on": printed_time(line.modified_on),
        "price": printed(line.price),
        "quantity": printed(line.quantity),
        "line_amount": printed(line.price * line.quantity),
    }


def _packed_line(packed: PackedLine) -> dict[str, Any]:
    shown = {**LINE, **packed.line.details}
    return {
        **PACKED_LINE,
        **{name: shown[name] for name in (*_COPIED, "variant_options")},
        "id": packed.id,
        "created_on": printed_time(packed.created_on),
        "modified_on": printed_time(packed.created_on),
        "order_line_item_id": packed.line.id,
        "base_price": printed(packed.line.price),
        "quantity": printed(packed.quantity),
        "line_amount": printed(packed.amount),
    }


def _shipment(shop: SapoShop, shipment: SapoShipment) -> dict[str, Any]:
    return {
        **SHIPMENT,
        **shipment.details,
        "cod_amount": printed(shipment.cod_amount),
        "tracking_code": shipment.tracking_code,
        "created_on": printed_time(shipment.created_on),
        "modified_on": printed_time(shipment.modified_on),
        "shipping_address": shipment.shipping_address,
        "shipper_deposits": [
            {
                "id": each.id,
                "payment_method_id": shop.cash_method,
                "paid_on": printed_time(each.paid_on),
                "amount": printed(each.amount),
                "account_id": shop.account_id,
                "created_on": printed_time(each.paid_on),
                "modified_on": printed_time(each.paid_on),
                "status": "active",
            }
            for each in shipment.deposits
        ],
    }


def _payment(shop: SapoShop, payment: SapoPayment) -> dict[str, Any]:
    return {
        "id": payment.id,
        "account_id": shop.account_id,
        "created_on": printed_time(payment.paid_on),
        "modified_on": printed_time(payment.paid_on),
        "payment_method_id": shop.cod_method,
        "amount": printed(payment.amount),
        "reference": None,
        "paid_on": printed_time(payment.paid_on),
        "status": "active",
        "paid_amount": 0,
        "returned_amount": 0,
        "prepayment_id": payment.prepayment_id,
    }
