"""Which open parcels were looked at on the platform, how lately, and which one waits longest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.domain.shop import Coverage


__all__ = ["AGES", "AgedLooks", "CoverageReport", "LookAge", "Unseen"]


@dataclass(frozen=True, kw_only=True, slots=True)
class LookAge:
    """How long ago a parcel was looked at, from one number of hours up to and without another."""

    from_hours: int
    to_hours: int | None

    def __str__(self) -> str:
        if self.to_hours is None:
            return f"{self.from_hours} hours ago or longer"
        return f"{self.from_hours} to {self.to_hours} hours ago"


EDGES = (0, 6, 12, 24, 48)
AGES = tuple(
    LookAge(from_hours=low, to_hours=high)
    for low, high in zip(EDGES, (*EDGES[1:], None), strict=True)
)
"""How the age of a look is told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgedLooks:
    """How many open parcels of a shop were looked at about so long ago; None is never."""

    shop: str
    age: LookAge | None
    parcels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Unseen:
    """An open parcel that has waited long to be looked at."""

    ref: FulfillmentRef
    carrier_status: Status
    cod_status: Status
    opened_at: datetime
    verified_at: datetime | None
    frozen: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class CoverageReport:
    """How well the open parcels are known at one moment."""

    at: datetime
    within_hours: float
    open: int
    verified: int
    """Looked at within that span."""
    shops: tuple[Coverage, ...]
    by_age: tuple[AgedLooks, ...]
    """All open parcels, by when they were looked at; adds up to `open`."""
    oldest: tuple[Unseen, ...]
    """Those that have waited longest; never looked at comes first."""
