"""Where one fulfillment stands, here and on the platform, as plain data."""

from __future__ import annotations

from typing import Any

from carrierflow.domain.canonical import stamp
from carrierflow.domain.fulfillment import Fulfillment


__all__ = ["overview"]


def overview(parcel: Fulfillment) -> dict[str, Any]:
    """Return the head of a fulfillment; times are UTC, the amount is whole đồng."""
    remote = parcel.remote
    return {
        "shop": parcel.ref.shop,
        "order_id": parcel.ref.order_id,
        "fulfillment_id": parcel.ref.fulfillment_id,
        "tracking_number": parcel.tracking_number,
        "cod_amount": parcel.cod_amount,
        "carrier_status": parcel.delivery.status,
        "cod_status": parcel.cod.status,
        "remote": {
            "carrier_status": remote.carrier if remote else None,
            "cod_status": remote.cod if remote else None,
            "updated_at": stamp(remote.updated_at) if remote else None,
        },
        "in_sync": is_in_sync(parcel),
        "frozen": parcel.frozen,
        "unpublished": parcel.unpublished,
        "open": parcel.open,
        "verified_at": stamp(parcel.verified_at) if parcel.verified_at else None,
    }


def is_in_sync(parcel: Fulfillment) -> bool:
    """Tell whether the platform, when last seen, showed what the ledger says."""
    return (
        parcel.remote is not None
        and parcel.frozen is None
        and not parcel.unpublished
        and parcel.remote.carrier == parcel.delivery.status
        and parcel.remote.cod == parcel.cod.status
    )
