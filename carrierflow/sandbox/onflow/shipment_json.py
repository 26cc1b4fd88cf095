"""What Onflow prints of shipments and returns: the fields that its samples show, and no others.

The samples go on after the last field that was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.onflow.status_numbers import OnflowLanguage, label


if TYPE_CHECKING:
    from carrierflow.sandbox.onflow.outbound import OnflowReturn, OnflowShipment
    from carrierflow.sandbox.onflow.status_numbers import OnflowNumbers


__all__ = ["cancel_data", "return_data", "shipment_data", "unix_seconds"]


def unix_seconds(ticks: int | None) -> int | None:
    """Return a time as Onflow prints it: whole seconds since 1970, or null."""
    return None if ticks is None else ticks // TICKS_PER_SECOND


def shipment_data(
    shipment: OnflowShipment, numbers: OnflowNumbers, language: OnflowLanguage
) -> dict[str, Any]:
    """Print a shipment as its detail does."""
    return {
        "status_info": {
            **_status(shipment, numbers, language),
            "updated_time": unix_seconds(shipment.moved_at),
        },
        "created_time": unix_seconds(shipment.created_at),
        "updated_time": unix_seconds(shipment.updated_at),
        "warehouse_code": shipment.warehouse_code,
        "tracking_code": shipment.tracking_code,
        "merchant_tracking_code_reference": shipment.reference,
        "courier_tracking_code": shipment.courier_tracking_code,
        "picked_time": unix_seconds(shipment.picked_at),
        "packed_time": unix_seconds(shipment.packed_at),
        "handover_time": unix_seconds(shipment.handed_over_at),
        "cancelled_time": unix_seconds(shipment.cancelled_at),
    }


def cancel_data(
    shipment: OnflowShipment, numbers: OnflowNumbers, language: OnflowLanguage
) -> dict[str, Any]:
    """Print what a cancel answers, where the status has no time of its own."""
    return {
        "success": True,
        "status_info": _status(shipment, numbers, language),
        "cancelled_time": unix_seconds(shipment.cancelled_at),
    }


def return_data(returned: OnflowReturn, language: OnflowLanguage) -> dict[str, Any]:
    """Print a return as its detail does."""
    is_vietnamese = language is OnflowLanguage.VIETNAMESE
    return {
        "status_info": {
            "value": returned.value,
            "label": returned.vietnamese if is_vietnamese else returned.english,
            "updated_time": unix_seconds(returned.updated_at),
        },
        "warehouse_code": returned.warehouse_code,
        "return_tracking_code": returned.tracking_code,
        "shipment_tracking_code": returned.shipment_tracking_code,
        "merchant_return_tracking_code_reference": returned.reference,
        "partner_tracking_code": returned.partner_tracking_code,
        "return_courier_tracking_code": returned.courier_tracking_code,
    }


def _status(
    shipment: OnflowShipment, numbers: OnflowNumbers, language: OnflowLanguage
) -> dict[str, Any]:
    return {"value": numbers.of(shipment.stage), "label": label(shipment.stage, language)}
