"""Where one fulfillment stands, here and on the platform, as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from carrierflow.domain.canonical import stamp
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.errors import InvalidInput


if TYPE_CHECKING:
    from carrierflow.reconcile.projection import Projection

__all__ = ["overview"]


def overview(parcel: Fulfillment, projection_of: Callable[[str], Projection]) -> dict[str, Any]:
    """Return the head of a fulfillment; times are UTC, the amount is whole đồng.

    What stands under `remote` are the platform's own words. `projection_of` says of a shop what
    its platform can show.
    """
    remote = parcel.remote
    return {
        "shop": parcel.ref.shop,
        "order_id": parcel.ref.order_id,
        "fulfillment_id": parcel.ref.fulfillment_id,
        "tracking_number": parcel.tracking_number,
        "cod_amount": parcel.cod_amount,
        "carrier_status": parcel.delivery.status,
        "cod_status": parcel.cod.status,
        "since": stamp(parcel.entered_at) if parcel.entered_at else None,
        "remote": {
            "carrier_status": remote.carrier.raw if remote else None,
            "cod_status": remote.cod.raw if remote else None,
            "updated_at": stamp(remote.updated_at) if remote else None,
        },
        "in_sync": _is_in_sync(parcel, projection_of),
        "frozen": parcel.frozen,
        "unpublished": parcel.unpublished,
        "open": parcel.open,
        "verified_at": stamp(parcel.verified_at) if parcel.verified_at else None,
    }


def _is_in_sync(parcel: Fulfillment, projection_of: Callable[[str], Projection]) -> bool | None:
    """Tell whether nothing is left to tell, and the platform showed that when last seen.

    None where that is not known: a platform of somebody's own has a meaning elsewhere.
    """
    if parcel.frozen or parcel.unpublished:
        return False
    try:
        projection = projection_of(parcel.ref.shop)
    except InvalidInput:
        return None
    return projection.agrees(parcel)
