"""The roads that a parcel may take: and what is scanned on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from carrierflow.domain.model import Status
from carrierflow.sandbox.tour_cast import Itinerary


__all__ = ["REMITTANCE", "ROADS", "Leg"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Leg:
    """One scan of a road: so many days after the booking, between two hours of the day."""

    day: int
    between: tuple[float, float]
    status: Status


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
    Itinerary.CANCELLED_LATE: (_leg(0, 15, 19, Status.CANCEL),),
    Itinerary.MISSED_SCAN: (_PICKED, _leg(1, 10, 18, Status.DELIVERED)),
    Itinerary.WAITING: (),
}

REMITTANCE = _leg(1, 16, 17, Status.CODRECEIPT)
"""Counted from the day of the delivery."""
