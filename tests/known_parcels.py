"""What a look compares of a parcel, taken from the whole one."""

from __future__ import annotations

from carrierflow.reconcile.ports import KnownParcel


def in_short(parcel):
    """Return what a look compares of a parcel."""
    ref, remote = parcel.ref, parcel.remote
    return KnownParcel(
        id=parcel.id,
        order_id=ref.order_id,
        fulfillment_id=ref.fulfillment_id,
        delivery_status=parcel.delivery.status,
        cod_status=parcel.cod.status,
        cod_amount=parcel.cod_amount,
        unpublished=parcel.unpublished,
        frozen=parcel.frozen,
        open=parcel.open,
        settled_at=parcel.settled_at,
        verified_at=parcel.verified_at,
        remote_updated_at=remote and remote.updated_at,
        remote_digest=remote and remote.digest,
    )
