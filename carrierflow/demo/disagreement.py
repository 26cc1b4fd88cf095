"""How far the shop is from the truth, read from both sides at once: from no report of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from carrierflow.demo.scenario import PlannedParcel
from carrierflow.demo.stage import SHOP, TourStage, ref_of
from carrierflow.domain.fulfillment import Fulfillment as Held
from carrierflow.domain.model import Status


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


def measure(stage: TourStage, parcels: Iterable[PlannedParcel]) -> Disagreement:
    """Compare every parcel of the ledger with what the platform stores."""
    wrong = list(_disagreements(stage, parcels))
    cash = [(here, cod) for here, cod in wrong if here.cod.status != cod]
    due = [(here, cod) for here, cod in cash if here.cod.status in IN_HAND]
    return Disagreement(
        wrong=len(wrong),
        wrong_frozen=sum(here.frozen is not None for here, _ in wrong),
        wrong_cash=len(cash),
        cash=sum(here.cod_amount for here, _ in cash),
        collected_unseen=sum(here.cod_amount for here, cod in due if cod not in IN_HAND),
        remitted_unseen=sum(here.cod_amount for here, cod in due if cod in IN_HAND),
    )


def _disagreements(
    stage: TourStage, parcels: Iterable[PlannedParcel]
) -> Iterator[tuple[Held, str]]:
    """Yield each parcel that both sides see differently, with the cash as the shop sees it."""
    with stage.server.lock:
        shown = {str(p.ref.fulfillment_id): p for p in stage.server.world.shop(SHOP).parcels()}
    for parcel in parcels:
        name = ref_of(parcel.number).fulfillment_id
        here, there = stage.app.parcel(SHOP, name), shown[name]
        if (here.delivery.status, here.cod.status) != (there.carrier_status, there.cod_status):
            yield here, there.cod_status
