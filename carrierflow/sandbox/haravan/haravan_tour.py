"""The tour on Haravan: it takes every status by PUT, and its merchants may set any by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from carrierflow.sandbox.haravan.api import Haravan
from carrierflow.sandbox.haravan.parcels import ParcelRef
from carrierflow.sandbox.haravan.recorder import TouchSource
from carrierflow.sandbox.haravan.vocabulary import BY_CODE, StatusMachine
from carrierflow.sandbox.haravan.world import World
from carrierflow.sandbox.tour_cast import (
    CALLED_OFF_IN_TIME,
    CALLED_OFF_UNDER_WAY,
    SAID_TO_BE_THERE,
    SHARES,
    Cast,
    Itinerary,
    MerchantAction,
    Role,
)
from carrierflow.sandbox.tour_side import SHOP, Judged, NaiveCall, TourSide, TourWords


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.clocks import ManualClock
    from carrierflow.sandbox.legal_steps import Legal


__all__ = ["HaravanTour"]

_FIRST_ORDER = 1_229_400_000
_FIRST_FULFILLMENT = 1_054_900_000
_EDITS = {MerchantAction.MARK_DELIVERED: "delivered", MerchantAction.MOVE_BACK: "picking"}
_RESOURCES = {StatusMachine.DELIVERY: "carrier_status", StatusMachine.COD: "cod_status"}

_CAST = Cast(
    roles=(
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
        CALLED_OFF_UNDER_WAY,
        CALLED_OFF_IN_TIME,
        SAID_TO_BE_THERE,
        Role(
            itinerary=Itinerary.FIRST_TRY,
            booked=2,
            pays_cash=False,
            action=MerchantAction.MOVE_BACK,
            action_day=4,
        ),
    ),
    shares=SHARES,
)


class HaravanTour(TourSide):
    """One shop on Haravan."""

    name = "haravan"
    star = Itinerary.SECOND_TRY
    pause = 0.25
    words = TourWords(
        against="a Haravan",
        method="PUT",
        told="PUT",
        viewer="shop",
        pushed="Each was pushed to the shop once, as integrations do",
        by_hand="On the platform, merchants cancelled {cancels} and edited {edits} by hand.",
        wrong="{wrong} of {parcels} parcels are shown wrongly, "
        "after {unlawful} jumps and backward steps.",
        reading="up to 50 orders in one GET",
        naive_reading="a GET for each parcel; PUT, GET for each step",
        adopted="cancel",
        star="nobody at home the first time",
        open="Frozen, for a person to decide",
        moral="The shop shows what the road says",
    )
    cast = _CAST

    def __init__(self, clock: ManualClock, token: str, legal: Legal) -> None:
        self._world = World(clock=clock)
        self._token, self._legal = token, legal
        self._world.add_shop(code=SHOP, token=token)
        super().__init__(Haravan(self._world, legal=legal), clock, self._world)

    @classmethod
    def opened(cls, clock: ManualClock, token: str, legal: Legal) -> Self:
        """Open the shop."""
        return cls(clock, token, legal)

    def names(self, number: int) -> tuple[str, str]:
        """Return what order and fulfillment are called."""
        return str(_FIRST_ORDER + number), str(_FIRST_FULFILLMENT + number)

    def book(self, number: int, cash: int) -> None:
        """Let the shop make a parcel."""
        place = self._place(number)
        self._world.add_parcel(
            shop=SHOP,
            order_id=place.order_id,
            fulfillment_id=place.fulfillment_id,
            cod_amount=cash,
            tracking_number=self.waybill(number),
        )

    def meddle(self, number: int, action: MerchantAction) -> None:
        """Cancel an order, or set a status."""
        place = self._place(number)
        if action is MerchantAction.CANCEL:
            self._world.cancel_order(SHOP, place.order_id)
        else:
            self._world.edit(place, carrier_status=_EDITS[action])

    def shown(self) -> Mapping[str, tuple[str, str]]:
        """Return the two codes of every fulfillment."""
        return {
            str(each.ref.fulfillment_id): (each.carrier_status, each.cod_status)
            for each in self._world.shop(SHOP).parcels()
        }

    def naive_call(self, number: int, status: str) -> NaiveCall | None:
        """Return the PUT of a status."""
        word = next(word for (_, code), word in BY_CODE.items() if code == status)
        if word.segment is None:
            return None
        place, resource = self._place(number), _RESOURCES[word.machine]
        return NaiveCall(
            method="PUT",
            path=f"/com/orders/{place.order_id}/fulfillments/{place.fulfillment_id}"
            f"/{resource}/{word.segment}.json",
            headers={"Authorization": f"Bearer {self._token}"},
        )

    def judged(self) -> Judged:
        """Return what the recorder saw, judged by the legal steps."""
        seen = self._world.recorder.report(self._legal)
        touched = {touch.ref for touch in seen.touches if touch.source is not TouchSource.LIFT}
        return Judged(
            gets=seen.gets,
            writes=seen.puts_received,
            illegal=tuple(str(put.ref.fulfillment_id) for put in seen.illegal),
            unlawful=len(seen.illegal) + len(seen.illegal_after_touch),
            repeated=len(seen.duplicates),
            after_end=len(seen.after_cancel),
            touched=frozenset(str(ref.fulfillment_id) for ref in touched),
        )

    def _place(self, number: int) -> ParcelRef:
        order, fulfillment = self.names(number)
        return ParcelRef(SHOP, int(order), int(fulfillment))
