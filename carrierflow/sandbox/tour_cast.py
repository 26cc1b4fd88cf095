"""Who plays in the tour: what may become of a parcel, and the few whose part is written down."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "CALLED_OFF_IN_TIME",
    "CALLED_OFF_UNDER_WAY",
    "SAID_TO_BE_THERE",
    "SHARES",
    "Cast",
    "Itinerary",
    "MerchantAction",
    "Role",
]


class Itinerary(StrEnum):
    """What becomes of a parcel."""

    FIRST_TRY = "first_try"
    SECOND_TRY = "second_try"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"
    """Cancelled in the afternoon: who pushes at noon tells it a day later."""
    MISSED_SCAN = "missed_scan"
    """Delivered, but nobody scanned it out of the depot."""
    WAITING = "waiting"
    """Never scanned while the tour lasts."""


class MerchantAction(StrEnum):
    """What a merchant does to a parcel on the platform, by hand."""

    CANCEL = "cancel"
    MARK_DELIVERED = "mark_delivered"
    MOVE_BACK = "move_back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """A parcel whose story the tour needs, whatever the seed; days count from the first."""

    itinerary: Itinerary
    booked: int
    pays_cash: bool
    action: MerchantAction | None = None
    action_day: int = 0


CALLED_OFF_UNDER_WAY = Role(
    itinerary=Itinerary.SECOND_TRY,
    booked=4,
    pays_cash=True,
    action=MerchantAction.CANCEL,
    action_day=5,
)
CALLED_OFF_IN_TIME = Role(
    itinerary=Itinerary.WAITING,
    booked=5,
    pays_cash=True,
    action=MerchantAction.CANCEL,
    action_day=5,
)
SAID_TO_BE_THERE = Role(
    itinerary=Itinerary.SECOND_TRY,
    booked=4,
    pays_cash=False,
    action=MerchantAction.MARK_DELIVERED,
    action_day=5,
)


SHARES: Mapping[Itinerary, int] = {
    Itinerary.FIRST_TRY: 58,
    Itinerary.SECOND_TRY: 16,
    Itinerary.RETURNED: 9,
    Itinerary.CANCELLED: 7,
    Itinerary.MISSED_SCAN: 10,
}
"""Of a hundred parcels that nobody wrote a part for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """Who plays on one platform."""

    roles: tuple[Role, ...]
    shares: Mapping[Itinerary, int]
