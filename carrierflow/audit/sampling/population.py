"""What samples are drawn from: the parcels whose openings a checkpoint covers, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.audit.reports.wording import dong
from carrierflow.domain.model import FulfillmentRef, Status


__all__ = ["SampleUnit", "Stratum", "stratum_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleUnit:
    """One parcel as the sealed log has it: what was agreed last, and where it stood."""

    ref: FulfillmentRef
    tracking_number: str | None
    amount: int
    """The cash to collect; 0 where there is none."""
    delivery: Status | None
    cash: Status | None
    position: int
    """Where its opening stands in the log."""


class Stratum(StrEnum):
    """By what a population is divided."""

    SHOP = "shop"
    DELIVERY = "delivery"
    CASH = "cash"
    AMOUNT = "amount"


BANDS = (0, 200_000, 500_000, 1_000_000, 5_000_000)
"""The highest amounts of the strata by amount; what is beyond is one more."""


def _band(unit: SampleUnit) -> str:
    top = next((most for most in BANDS if unit.amount <= most), None)
    return f"above {dong(BANDS[-1])}" if top is None else f"up to {dong(top)}" if top else "no cash"


STRATA: Mapping[Stratum, Callable[[SampleUnit], str]] = {
    Stratum.SHOP: lambda unit: unit.ref.shop,
    Stratum.DELIVERY: lambda unit: str(unit.delivery or "start"),
    Stratum.CASH: lambda unit: str(unit.cash or "start"),
    Stratum.AMOUNT: _band,
}


def stratum_of(unit: SampleUnit, by: Stratum) -> str:
    """Say in which stratum a parcel is."""
    return STRATA[by](unit)
