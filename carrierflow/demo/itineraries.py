"""The roads that a parcel may take, and the few parcels whose part in the tour is written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.domain.model import Status


__all__ = ["CAST", "REMITTANCE", "ROADS", "SHARES", "Itinerary", "Leg", "MerchantAction", "Role"]


class Itinerary(StrEnum):
    """What becomes of a parcel."""

    FIRST_TRY = "first_try"
    SECOND_TRY = "second_try"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    MISSED_SCAN = "missed_scan"
    """Delivered, but nobody scanned it out of the depot."""
    WAITING = "waiting"
    """Never picked up while the tour lasts."""


class MerchantAction(StrEnum):
    """What a merchant does to a parcel on the platform, by hand."""

    CANCEL = "cancel"
    MARK_DELIVERED = "mark_delivered"
    MOVE_BACK = "move_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One scan of a road: so many days after the booking, between two hours of the day."""

    day: int
    between: tuple[float, float]
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A parcel whose story the tour needs, whatever the seed; days count from the first."""

    itinerary: Itinerary
    booked: int
    pays_cash: bool
    action: MerchantAction | None = None
    action_day: int = 0


def _leg(day: int, earliest: float, latest: float, status: Status) -> Leg:
    return Leg(day=day, between=(earliest, latest), status=status)


_PICKED = _leg(0, 14, 17, Status.PICKING)
_OUT = (_PICKED, _leg(1, 7.5, 9, Status.DELIVERING))
_NOT_MET = (*_OUT, _leg(1, 10, 18, Status.NOTMEETCUSTOMER))
_OUT_AGAIN = (*_NOT_MET, _leg(2, 7.5, 9, Status.DELIVERING))

ROADS: Mapping[Itinerary, tuple[Leg, ...]] = {
    Itinerary.FIRST_TRY: (*_OUT, _leg(1, 10, 18, Status.DELIVERED)),
    Itinerary.SECOND_TRY: (*_OUT_AGAIN, _leg(2, 10, 18, Status.DELIVERED)),
    Itinerary.RETURNED: (
        *_OUT_AGAIN,
        _leg(2, 10, 18, Status.NOTMEETCUSTOMER),
        _leg(3, 9, 11, Status.WAITINGFORRETURN),
        _leg(4, 10, 16, Status.RETURN),
    ),
    Itinerary.CANCELLED: (_leg(0, 10, 13, Status.CANCEL),),
    Itinerary.MISSED_SCAN: (_PICKED, _leg(1, 10, 18, Status.DELIVERED)),
    Itinerary.WAITING: (),
}

REMITTANCE = _leg(1, 16, 17, Status.CODRECEIPT)
"""Counted from the day of the delivery."""

SHARES: Mapping[Itinerary, int] = {
    Itinerary.FIRST_TRY: 58,
    Itinerary.SECOND_TRY: 16,
    Itinerary.RETURNED: 9,
    Itinerary.CANCELLED: 7,
    Itinerary.MISSED_SCAN: 10,
}
"""Of a hundred parcels that nobody wrote a part for."""

CAST = (
    Role(itinerary=Itinerary.SECOND_TRY, booked=1, pays_cash=True),
    Role(itinerary=Itinerary.MISSED_SCAN, booked=1, pays_cash=True),
    Role(itinerary=Itinerary.RETURNED, booked=0, pays_cash=True),
    Role(itinerary=Itinerary.CANCELLED, booked=2, pays_cash=False),
    Role(
        itinerary=Itinerary.FIRST_TRY,
        booked=2,
        pays_cash=True,
        action=MerchantAction.CANCEL,
        action_day=3,
    ),
    Role(
        itinerary=Itinerary.SECOND_TRY,
        booked=4,
        pays_cash=True,
        action=MerchantAction.CANCEL,
        action_day=5,
    ),
    Role(
        itinerary=Itinerary.WAITING,
        booked=5,
        pays_cash=True,
        action=MerchantAction.CANCEL,
        action_day=5,
    ),
    Role(
        itinerary=Itinerary.SECOND_TRY,
        booked=4,
        pays_cash=False,
        action=MerchantAction.MARK_DELIVERED,
        action_day=5,
    ),
    Role(
        itinerary=Itinerary.FIRST_TRY,
        booked=2,
        pays_cash=False,
        action=MerchantAction.MOVE_BACK,
        action_day=4,
    ),
)
