"""Where parcels stood at a moment: as it was known then, and as it was by all we know now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from carrierflow.domain.model import FulfillmentRef, Machine, Status


__all__ = ["AsOf", "Basis", "Place", "Standing", "StandingCount", "StandingTotal"]


class Basis(StrEnum):
    """By which of its two clocks an entry counts as there already."""

    KNOWN = "known"
    """Recorded until then: what anybody could have known."""
    WAS = "was"
    """Occurred until then: what is known now to have been so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where the two machines of a parcel stood; None where nothing was there yet."""

    carrier_status: Status | None
    cod_status: Status | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One parcel at that moment."""

    ref: FulfillmentRef
    cod_amount: int
    known: Place
    was: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingCount:
    """How many parcels of a shop stood at one status and were thought to stand at another."""

    shop: str
    machine: Machine
    known: Status | None
    was: Status | None
    parcels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingTotal:
    """How many parcels of a shop stood at one status."""

    shop: str
    machine: Machine
    status: Status
    known: int
    was: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AsOf:
    """All parcels at one moment."""

    at: datetime
    known: int
    """Parcels that the ledger knew then."""
    was: int
    """Parcels of which something had happened then."""
    totals: tuple[StandingTotal, ...]
    misjudged: tuple[StandingCount, ...]
    """Those that were not where they were thought to be, by both places."""
    parcels: tuple[Standing, ...] | None = None
    """Each of them, where they were asked for."""

    @classmethod
    def of(
        cls,
        at: datetime,
        counts: Iterable[StandingCount],
        parcels: Iterable[Standing] | None = None,
    ) -> AsOf:
        """Add up what was counted; shops by name, statuses in the order of the lifecycle."""
        known: Counter[tuple[str, Status]] = Counter()
        was: Counter[tuple[str, Status]] = Counter()
        misjudged = []
        for count in counts:
            if count.known is not None:
                known[count.shop, count.known] += count.parcels
            if count.was is not None:
                was[count.shop, count.was] += count.parcels
            if count.known is not count.was:
                misjudged.append(count)
        return cls(
            at=at,
            known=_parcels(known),
            was=_parcels(was),
            totals=_totals(known, was),
            misjudged=tuple(sorted(misjudged, key=_order)),
            parcels=None if parcels is None else tuple(parcels),
        )

    @staticmethod
    def counted(parcels: Iterable[Standing]) -> Iterator[StandingCount]:
        """Count parcels that are at hand already."""
        for each in parcels:
            places = (
                (Machine.DELIVERY, each.known.carrier_status, each.was.carrier_status),
                (Machine.COD, each.known.cod_status, each.was.cod_status),
            )
            for machine, known, was in places:
                yield StandingCount(
                    shop=each.ref.shop, machine=machine, known=known, was=was, parcels=1
                )


ORDER = {status: number for number, status in enumerate(Status)}


def _parcels(counts: Counter[tuple[str, Status]]) -> int:
    """Every parcel has a delivery, so those count."""
    return sum(n for (_, status), n in counts.items() if status.machine is Machine.DELIVERY)


def _totals(
    known: Counter[tuple[str, Status]], was: Counter[tuple[str, Status]]
) -> tuple[StandingTotal, ...]:
    return tuple(
        StandingTotal(
            shop=shop,
            machine=status.machine,
            status=status,
            known=known[shop, status],
            was=was[shop, status],
        )
        for shop, status in sorted({*known, *was}, key=lambda key: (key[0], ORDER[key[1]]))
    )


def _order(count: StandingCount) -> tuple[str, int, int]:
    return count.shop, _number(count.known), _number(count.was)


def _number(status: Status | None) -> int:
    return -1 if status is None else ORDER[status]
