"""What platforms other than Haravan show and are told, as their documents have it."""

from __future__ import annotations

from carrierflow.domain.model import Status
from carrierflow.domain.publication import PlatformWrite
from carrierflow.reconcile.projection import Leader, Projection


__all__ = ["LOSSY", "PULL_ONLY"]


def write(name, to, *after, **more):
    """Return a write that is taken in some states."""
    return PlatformWrite(name=name, to=Status(to), after=frozenset(map(Status, after)), **more)


LOSSY = Projection(
    looks_as={
        Status.PENDING: Status.READYTOPICK,
        Status.PICKING: Status.READYTOPICK,
        Status.NOTMEETCUSTOMER: Status.DELIVERING,
        Status.CODRECEIPT: Status.CODPAID,
    },
    writes=(
        write("ship", "delivering", "readytopick"),
        write("receive", "delivered", "delivering", one_way=True, pays_cash=True),
        write("cancel", "cancel", "readytopick", one_way=True),
        write("cancel shipped", "waitingforreturn", "delivering", one_way=True),
        write("take back", "return", "waitingforreturn", one_way=True),
    ),
)
"""A parcel is packed, shipped, received; or cancelled, and taken back if it was shipped."""

PULL_ONLY = Projection(
    leader=Leader.PLATFORM,
    looks_as={
        Status.PICKING: Status.READYTOPICK,
        Status.NOTMEETCUSTOMER: Status.DELIVERING,
        Status.DELIVERED: Status.DELIVERING,
        Status.WAITINGFORRETURN: Status.DELIVERING,
        Status.RETURN: Status.DELIVERING,
        Status.CODPENDING: Status.NONE,
        Status.CODPAID: Status.NONE,
        Status.CODRECEIPT: Status.NONE,
        Status.CODNOTRECEIPT: Status.NONE,
    },
    writes=(write("cancel", "cancel", "pending", "readytopick", one_way=True),),
)
"""A warehouse that hands parcels over, knows nothing of them from there on, and takes a cancel."""
