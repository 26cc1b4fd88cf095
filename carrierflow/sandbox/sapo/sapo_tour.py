"""The tour on Sapo: few states, actions that go forward alone, and some that nothing takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from carrierflow.sandbox.sapo.fulfillment_states import SapoAction, SapoState
from carrierflow.sandbox.sapo.sapo_api import TOKEN_HEADER, Sapo
from carrierflow.sandbox.sapo.sapo_orders import SapoRef
from carrierflow.sandbox.sapo.sapo_world import SapoWorld
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
    from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment


__all__ = ["SapoTour"]

_PROVIDER = 10355
_READ_AS = {
    SapoState.PACKED: "readytopick",
    SapoState.FULFILLED: "delivering",
    SapoState.RETRY_DELIVERY: "delivering",
    SapoState.RECEIVED: "delivered",
    SapoState.PACKED_CANCELLED: "cancel",
    SapoState.FULFILLED_CANCELLING: "waitingforreturn",
    SapoState.FULFILLED_CANCELLED: "return",
}
_NAIVE = {
    "delivering": SapoAction.SHIP,
    "delivered": SapoAction.RECEIVE,
    "cancel": SapoAction.CANCEL,
    "return": SapoAction.TAKE_BACK,
}
"""The actions that bear a scan's name; that a return needs a cancel first is easily missed."""
_BY_HAND = {
    MerchantAction.CANCEL: (SapoAction.CANCEL,),
    MerchantAction.MARK_DELIVERED: (SapoAction.SHIP, SapoAction.RECEIVE),
}

_CAST = Cast(
    roles=(
        Role(itinerary=Itinerary.SECOND_TRY, booked=1, pays_cash=True),
        Role(itinerary=Itinerary.MISSED_SCAN, booked=1, pays_cash=True),
        Role(itinerary=Itinerary.RETURNED, booked=0, pays_cash=True),
        Role(itinerary=Itinerary.RETURNED, booked=2, pays_cash=True),
        Role(itinerary=Itinerary.CANCELLED, booked=2, pays_cash=False),
        CALLED_OFF_UNDER_WAY,
        CALLED_OFF_IN_TIME,
        SAID_TO_BE_THERE,
    ),
    shares=SHARES,
)


class SapoTour(TourSide):
    """One shop on Sapo."""

    name = "sapo"
    star = Itinerary.RETURNED
    pause = 1.5
    carrier_code = str(_PROVIDER)
    words = TourWords(
        against="a Sapo",
        method="POST",
        told="POSTed",
        viewer="shop",
        pushed="Each that Sapo has an action for was pushed once, as integrations do",
        by_hand="On the platform, merchants cancelled {cancels} and marked {edits} received.",
        wrong="{wrong} of {parcels} parcels are shown wrongly; "
        "Sapo refused {unlawful} actions that came out of order.",
        alike="{alike} parcels are in order though Sapo has fewer states than the ledger: picked "
        "up is still packed there, not met is on its way, and cash that was remitted is paid.",
        reading="a GET for each order, and one after each action",
        adopted="cancel",
        star="nobody at home, and back it came",
        open="Frozen, for a person to decide",
        moral="The shop shows what the road says, as far as Sapo has words for it",
        remedies={"remote_ahead": ("adopt", "customer-has-it")},
    )
    cast = _CAST

    def __init__(self, clock: ManualClock, token: str) -> None:
        self._world = SapoWorld(clock=clock)
        self._token = token
        self._shop = self._world.add_shop(
            code=SHOP, token=token, bucket_size=40, leak_per_minute=40
        )
        self._places: dict[int, SapoRef] = {}
        super().__init__(Sapo(self._world), clock, self._world)

    @classmethod
    def opened(cls, clock: ManualClock, token: str, legal: Legal) -> Self:  # noqa: ARG003 - it knows them
        """Open the shop."""
        return cls(clock, token)

    def names(self, number: int) -> tuple[str, str]:
        """Return what order and fulfillment are called."""
        place = self._place(number)
        return str(place.order_id), str(place.fulfillment_id)

    def book(self, number: int, cash: int) -> None:
        """Let the shop pack a parcel."""
        order_id, fulfillment_id = self._world.add_parcel(
            shop=SHOP,
            cod_amount=cash,
            tracking_code=self.waybill(number),
            delivery_service_provider_id=_PROVIDER,
        )
        self._places[number] = SapoRef(SHOP, order_id, fulfillment_id)

    def meddle(self, number: int, action: MerchantAction) -> None:
        """Do by hand the actions that lead there, as far as the parcel is not there already."""
        place = self._place(number)
        for each in _BY_HAND[action]:
            _, parcel = self._shop.parcel(place)
            if not (each is SapoAction.SHIP and parcel.state is not SapoState.PACKED):
                self._world.act_by_hand(place, each)

    def shown(self) -> Mapping[str, tuple[str, str]]:
        """Return where every parcel is, and whether it is paid for."""
        return {
            str(each.id): (_READ_AS[each.state], _cash(each))
            for order in self._shop.orders()
            for each in order.fulfillments
        }

    def naive_call(self, number: int, status: str) -> NaiveCall | None:
        """Return the action that bears the scan's name."""
        action = _NAIVE.get(status)
        if action is None:
            return None
        place = self._place(number)
        return NaiveCall(
            method="POST",
            path=f"/admin/orders/{place.order_id}/fulfillments/{place.fulfillment_id}"
            f"/{action}.json",
            headers={TOKEN_HEADER: self._token, "Content-Type": "application/json"},
            body=b"{}",
        )

    def judged(self) -> Judged:
        """Return what the recorder saw."""
        seen = self._world.recorder.report()
        return Judged(
            gets=seen.gets,
            writes=seen.writes_received,
            illegal=tuple(str(each.ref.fulfillment_id) for each in seen.illegal),
            unlawful=len(seen.illegal) + len(seen.illegal_after_touch),
            repeated=len(seen.duplicates),
            after_end=len(seen.after_final),
            touched=frozenset(str(touch.ref.fulfillment_id) for touch in seen.touches),
        )

    def _place(self, number: int) -> SapoRef:
        return self._places.get(number) or SapoRef(SHOP, number, number)


def _cash(parcel: SapoFulfillment) -> str:
    if not parcel.cod_amount:
        return "none"
    return "codpaid" if parcel.payments else "codpending"
