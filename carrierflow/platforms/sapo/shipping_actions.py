"""What Sapo shows of a parcel and what it is told: a table, and which states lie past which."""

from __future__ import annotations

from carrierflow.domain.model import Status
from carrierflow.domain.publication import PlatformWrite
from carrierflow.reconcile.projection import Projection


__all__ = ["PROJECTION", "lies_at_or_past"]


def _told(name: str, before: Status, to: Status, *, pays_cash: bool = False) -> PlatformWrite:
    return PlatformWrite(
        name=name,
        to=to,
        after=frozenset({before}),
        one_way=name != "ship",
        pays_cash=pays_cash,
    )


PROJECTION = Projection(
    looks_as={
        Status.PENDING: Status.READYTOPICK,
        Status.PICKING: Status.READYTOPICK,
        Status.NOTMEETCUSTOMER: Status.DELIVERING,
        Status.CODRECEIPT: Status.CODPAID,
    },
    writes=(
        _told("ship", Status.READYTOPICK, Status.DELIVERING),
        _told("receive", Status.DELIVERING, Status.DELIVERED, pays_cash=True),
        _told("cancel", Status.READYTOPICK, Status.CANCEL),
        _told("cancel_shipped", Status.DELIVERING, Status.WAITINGFORRETURN),
        _told("receive_after_cancellation", Status.WAITINGFORRETURN, Status.RETURN),
    ),
)
"""A parcel is packed, shipped, received; or cancelled, and taken back if it was shipped.

`receive` is refused of what was not shipped, and marks the cash paid. What the carrier has
settled (`codreceipt`) is not shown in any way that is documented.
"""


def lies_at_or_past(shown: Status | None, goal: Status) -> bool:
    """Tell whether a state is the one wanted, or one that writes lead to from there."""
    return shown is goal or (shown is not None and bool(PROJECTION.plan(goal, shown)))
