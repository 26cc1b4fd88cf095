"""The tour on Onflow: the warehouse leads, shows no cash, and is told a cancel or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from carrierflow.sandbox.onflow.cancel_judge import OnflowResult
from carrierflow.sandbox.onflow.gate import Onflow
from carrierflow.sandbox.onflow.status_numbers import OnflowStage
from carrierflow.sandbox.onflow.warehouse import OnflowWorld
from carrierflow.sandbox.tour_cast import (
    CALLED_OFF_IN_TIME,
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


__all__ = ["OnflowTour"]

_HOUR = 3600.0
_PACE = (2 * _HOUR, 2 * _HOUR, 16 * _HOUR)
"""Booked at seven, picked at nine, packed at eleven, and handed over at three in the night."""
_FIRST_SHIPMENT = 51_090_000
_READ_AS = {
    OnflowStage.NEW: "pending",
    OnflowStage.PICKED: "readytopick",
    OnflowStage.PACKED: "readytopick",
    OnflowStage.HANDOVER: "delivering",
    OnflowStage.CANCELLED_BEFORE_PACKING: "cancel",
    OnflowStage.CANCELLED_AFTER_PACKING: "cancel",
}

_CAST = Cast(
    roles=(
        Role(itinerary=Itinerary.SECOND_TRY, booked=1, pays_cash=True),
        Role(itinerary=Itinerary.RETURNED, booked=0, pays_cash=True),
        Role(itinerary=Itinerary.WAITING, booked=2, pays_cash=True),
        Role(itinerary=Itinerary.WAITING, booked=4, pays_cash=False),
        Role(itinerary=Itinerary.CANCELLED, booked=2, pays_cash=False),
        Role(itinerary=Itinerary.CANCELLED_LATE, booked=3, pays_cash=True),
        Role(itinerary=Itinerary.CANCELLED_LATE, booked=5, pays_cash=True),
        CALLED_OFF_IN_TIME,
    ),
    shares={each: share for each, share in SHARES.items() if each is not Itinerary.MISSED_SCAN},
)
"""The warehouse dates its hand-over itself, so that a scan missed there is no story here."""


class OnflowTour(TourSide):
    """One account on Onflow."""

    name = "onflow"
    star = Itinerary.WAITING
    pause = 0.6
    words = TourWords(
        against="an Onflow",
        method="PUT",
        told="PUT",
        viewer="warehouse",
        pushed="All that Onflow can be told is a cancel; each was pushed once, as integrations do",
        by_hand="The warehouse cancelled {cancels} by itself; it hands over at night what is "
        "packed, whether anybody scans it or not.",
        wrong="{wrong} of {parcels} shipments stand otherwise in the ledger; "
        "{unlawful} cancels came after the hand-over.",
        alike="{alike} agree though the warehouse knows less: what lies beyond its hand-over, and "
        "all cash, is the ledger's alone.",
        reading="a GET for each shipment, and one after each cancel",
        adopted="step",
        star="handed over, and no scan tells so",
        open="Cancelled too late, for a person to decide",
        moral="The ledger knows what the warehouse did",
        remedies={"cannot_be_told": ("abandon", "called-the-depot")},
    )
    cast = _CAST

    def __init__(self, clock: ManualClock, token: str) -> None:
        self._world = OnflowWorld(clock=clock)
        self._token = token
        self._world.add_account(code=SHOP, token=token, pace=_PACE)
        super().__init__(Onflow(self._world), clock, self._world)

    @classmethod
    def opened(cls, clock: ManualClock, token: str, legal: Legal) -> Self:  # noqa: ARG003 - it knows them
        """Open the shop."""
        return cls(clock, token)

    def names(self, number: int) -> tuple[str, str]:
        """Return the tracking code, which is the name of both."""
        return self.waybill(number), self.waybill(number)

    def waybill(self, number: int) -> str:
        """Return the tracking code."""
        return f"OASC{_FIRST_SHIPMENT + number}"

    def book(self, number: int, cash: int) -> None:  # noqa: ARG002 - Onflow knows of no cash
        """Let the merchant order a shipment."""
        self._world.add_shipment(account=SHOP, tracking_code=self.waybill(number))

    def meddle(self, number: int, action: MerchantAction) -> None:  # noqa: ARG002 - there is one
        """Cancel a shipment in the web portal."""
        self._world.cancel_by_hand(self.waybill(number))

    def shown(self) -> Mapping[str, tuple[str, str]]:
        """Return where every shipment is; cash is not shown."""
        self._world.settle()
        return {
            code: (_READ_AS[each.stage], "none") for code, each in self._world.shipments.items()
        }

    def naive_call(self, number: int, status: str) -> NaiveCall | None:
        """Return the cancel."""
        if status != "cancel":
            return None
        return NaiveCall(
            method="PUT",
            path=f"/api/v1/shipments/b2c/{self.waybill(number)}/cancel",
            headers={"Authorization": self._token},
        )

    def judged(self) -> Judged:
        """Return what the recorder saw."""
        seen = self._world.recorder.report()
        return Judged(
            gets=seen.gets,
            writes=seen.writes_received,
            illegal=tuple(write.subject for write in seen.illegal),
            unlawful=len(seen.illegal) + len(seen.overtaken),
            repeated=len(seen.duplicates),
            after_end=sum(
                write.result is not OnflowResult.APPLIED for write in self._world.recorder.writes
            ),
            touched=frozenset(
                move.tracking_code for move in seen.moves if move.stage is not OnflowStage.HANDOVER
            ),
        )
