"""Cash on delivery at a moment: collected and not remitted, by age; every đồng has its parcel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from carrierflow.audit.standing import Basis
from carrierflow.domain.model import FulfillmentRef, Status


__all__ = ["BANDS", "AgedCash", "Band", "Cash", "CashTotal", "HeldCash", "band_of"]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """An age in whole days, from one number up to and without another."""

    from_days: int
    to_days: int | None

    def __str__(self) -> str:
        if self.to_days is None:
            return f"{self.from_days} days and more"
        last = self.to_days - 1
        return f"{self.from_days} to {last} days" if last > self.from_days else f"{last} days"


EDGES = (0, 1, 3, 7, 14, 30)
BANDS = tuple(
    Band(from_days=low, to_days=high) for low, high in zip(EDGES, (*EDGES[1:], None), strict=True)
)
"""How the age of cash is told."""


def band_of(age: timedelta) -> Band:
    """Return the band of an age; cash collected later today is as young as can be."""
    days = max(0, age // ONE_DAY)
    return next(band for band in reversed(BANDS) if band.from_days <= days)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldCash:
    """The cash of one parcel, collected and not remitted at that moment."""

    ref: FulfillmentRef
    tracking_number: str | None
    amount: int
    collected_at: datetime
    recorded_at: datetime
    age_days: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AgedCash:
    """The cash of a shop that was held for about so long."""

    shop: str
    band: Band
    parcels: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CashTotal:
    """The cash of a shop's parcels at one status."""

    shop: str
    status: Status
    parcels: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cash:
    """All cash at one moment; amounts are whole đồng."""

    at: datetime
    basis: Basis
    parcels: int
    """Parcels whose cash was collected and not remitted."""
    amount: int
    by_age: tuple[AgedCash, ...]
    """That cash by shop and age; adds up to `amount`."""
    by_status: tuple[CashTotal, ...]
    """All cash, to be collected, held and remitted; adds up to what was to be collected at all."""
    held: tuple[HeldCash, ...] | None = None
    """That cash parcel by parcel, the oldest first, where it was asked for."""

    @classmethod
    def of(
        cls,
        at: datetime,
        basis: Basis,
        *,
        by_age: Iterable[AgedCash],
        by_status: Iterable[CashTotal],
        held: Iterable[HeldCash] | None = None,
    ) -> Cash:
        """Put the answer together from what was counted."""
        ages = tuple(sorted(by_age, key=lambda aged: (aged.shop, aged.band.from_days)))
        statuses = tuple(Status)
        return cls(
            at=at,
            basis=basis,
            parcels=sum(aged.parcels for aged in ages),
            amount=sum(aged.amount for aged in ages),
            by_age=ages,
            by_status=tuple(
                sorted(by_status, key=lambda each: (each.shop, statuses.index(each.status)))
            ),
            held=None if held is None else tuple(held),
        )
