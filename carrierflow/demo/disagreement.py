"""How far the shop is from the truth, read from both sides at once: from no report of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carrierflow.demo.scenario import PlannedParcel
from carrierflow.demo.stage import TourStage
from carrierflow.domain.fulfillment import Fulfillment as Held
from carrierflow.domain.model import Status
from carrierflow.sandbox.tour_side import SHOP


__all__ = ["IN_HAND", "Disagreement", "measure"]

IN_HAND = frozenset({Status.CODPAID, Status.CODRECEIPT})
"""Cash that the carrier has, or had until it was remitted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Disagreement:
    """Where the shop shows something else than the ledger."""

    wrong: int
    """Parcels of which the shop sees the wrong place or the wrong cash."""
    wrong_frozen: int
    """Those of them that wait for a person."""
    wrong_cash: int
    cash: int
    """Đồng of parcels of which both sides tell a different story about the cash."""
    collected_unseen: int
    """Đồng that the carrier collected, and that the shop believes to be with the customer."""
    remitted_unseen: int
    """Đồng that the shop has, and believes to be with the carrier."""
    alike: int
    """Parcels in agreement of which the ledger knows more than the platform can show."""


def measure(stage: TourStage, parcels: Iterable[PlannedParcel]) -> Disagreement:
    """Compare every parcel of the ledger with what the platform stores."""
    pairs = list(_both_sides(stage, parcels))
    wrong = [pair for pair in pairs if not pair.agrees]
    cash = [pair for pair in wrong if pair.expected[1] != pair.shown[1]]
    due = [pair for pair in cash if pair.here.cod.status in IN_HAND]
    asked = {incident.fulfillment_id for incident in stage.app.incidents.all(shop=SHOP)}
    return Disagreement(
        wrong=len(wrong),
        wrong_frozen=sum(pair.here.ref.fulfillment_id in asked for pair in wrong),
        wrong_cash=len(cash),
        cash=sum(pair.here.cod_amount for pair in cash),
        collected_unseen=_sum(pair for pair in due if pair.shown[1] not in IN_HAND),
        remitted_unseen=_sum(pair for pair in due if pair.shown[1] in IN_HAND),
        alike=sum(pair.agrees and pair.known != pair.shown for pair in pairs),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class BothSides:
    """One parcel as the ledger has it, and delivery and cash as the platform shows them."""

    here: Held
    expected: tuple[str, str]
    """What the platform would show if it knew all."""
    shown: tuple[str, str]

    @property
    def known(self) -> tuple[str, str]:
        """Delivery and cash in the ledger."""
        return self.here.delivery.status, self.here.cod.status

    @property
    def agrees(self) -> bool:
        """Whether the platform shows all that it can."""
        return self.expected == self.shown


def _both_sides(stage: TourStage, parcels: Iterable[PlannedParcel]) -> Iterator[BothSides]:
    with stage.side.lock:
        shown = stage.side.shown()
    for parcel in parcels:
        name = stage.ref_of(parcel.number).fulfillment_id
        here = stage.app.parcel(SHOP, name)
        expected = stage.projection.shows_of(here)
        yield BothSides(here=here, expected=expected, shown=shown[name])


def _sum(pairs: Iterable[BothSides]) -> int:
    return sum(pair.here.cod_amount for pair in pairs)
