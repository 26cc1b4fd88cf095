"""Where parcels stood at a moment: as it was known then, and as it was by all we know now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, case, func, or_, select

from carrierflow.audit.reports.agreed import agreed_at
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.errors import UnknownStatus
from carrierflow.storage.rows import ref_from
from carrierflow.storage.shops import shop_codes
from carrierflow.storage.tables import fulfillments, history, shops


__all__ = [
    "CLOCKS",
    "STREAM",
    "WIDTH",
    "AsOf",
    "Basis",
    "Place",
    "Standing",
    "StandingCount",
    "StandingTotal",
    "code_of",
    "in_force",
    "packed",
    "parcels_of",
    "standing_counts",
    "standings",
    "status_of",
]


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
    """As it was agreed then."""
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


STATUSES = tuple(Status)

UNKNOWN = len(STATUSES)
"""Stands for a word of the history that is no status."""

WIDTH = UNKNOWN + 1
"""How many of them there is room for beside a number."""

STREAM = 2_000

CLOCKS = {Basis.KNOWN: history.c.recorded_at, Basis.WAS: history.c.occurred_at}


def code_of(status: Status) -> int:
    """Return the number that stands for a status."""
    return STATUSES.index(status)


def in_force(
    at: datetime, basis: Basis, chain: ColumnElement[bool] | None = None
) -> ColumnElement[int]:
    """Return number and status of a chain's entry in force as one integer; an aggregate.

    `chain` says which entries are of the chain, where there are others.
    """
    there = CLOCKS[basis] <= at
    return func.max(case((there if chain is None else and_(chain, there), packed())))


def packed() -> ColumnElement[int]:
    """Return number and status of an entry as one integer, the larger the later in its chain."""
    codes = {status: number for number, status in enumerate(STATUSES)}
    return history.c.seq * WIDTH + case(codes, value=history.c.to_status, else_=UNKNOWN)


def standing_counts(
    connection: Connection, at: datetime, *, shop: int | None
) -> Iterator[StandingCount]:
    """Count the parcels of each shop by where they stood and where they were thought to be."""
    each = _chains(at, of=parcels_of(shop))
    key = (fulfillments.c.shop, each.c.machine, each.c.known % WIDTH, each.c.was % WIDTH)
    query = (
        select(*key, func.count())
        .join_from(each, fulfillments, fulfillments.c.id == each.c.fulfillment)
        .group_by(*key)
    )
    names = shop_codes(connection)
    for number, machine, known, was, count in connection.execute(query):
        yield StandingCount(
            shop=names[number],
            machine=Machine(machine),
            known=_maybe(known),
            was=_maybe(was),
            parcels=count,
        )


def standings(
    connection: Connection, at: datetime, *, shop: int | None, fulfillment_id: str | None = None
) -> Iterator[Standing]:
    """Yield every parcel that was there by then, in the order in which they were opened."""
    mine = parcels_of(shop, fulfillment_id)
    each, agreed = _chains(at, of=mine), agreed_at(at, of=mine)
    f = fulfillments.c
    query = (
        select(f.id, f.order_id, f.fulfillment_id, agreed.c.cod_amount, shops.c.code, each)
        .join_from(each, fulfillments, f.id == each.c.fulfillment)
        .join(agreed, agreed.c.fulfillment == f.id)
        .join(shops, shops.c.id == f.shop)
        .order_by(f.id)
        .execution_options(yield_per=STREAM)
    )
    for _, chains in groupby(connection.execute(query), key=attrgetter("id")):
        yield _standing({row.machine: row for row in chains})


def parcels_of(shop: int | None, fulfillment_id: str | None = None) -> Select[tuple[int]] | None:
    """Return a query for the parcels that are asked about; None for all."""
    if shop is None:
        return None
    f = fulfillments.c
    mine = select(f.id).where(f.shop == shop)
    return mine if fulfillment_id is None else mine.where(f.fulfillment_id == fulfillment_id)


def _chains(at: datetime, *, of: Select[tuple[int]] | None) -> Subquery:
    """Return one row for each machine of each parcel: what is in force by either clock."""
    h = history.c
    query = (
        select(h.fulfillment, h.machine, *(in_force(at, basis).label(basis) for basis in Basis))
        .where(or_(*(clock <= at for clock in CLOCKS.values())))
        .group_by(h.fulfillment, h.machine)
    )
    if of is not None:
        query = query.where(h.fulfillment.in_(of))
    return query.subquery("chains")


def _standing(chains: dict[str, Any]) -> Standing:
    row = next(iter(chains.values()))
    known, was = (
        Place(
            carrier_status=_place(chains.get(Machine.DELIVERY), basis),
            cod_status=_place(chains.get(Machine.COD), basis),
        )
        for basis in Basis
    )
    return Standing(ref=ref_from(row), cod_amount=row.cod_amount, known=known, was=was)


def _place(row: Any, basis: Basis) -> Status | None:
    packed = None if row is None else getattr(row, basis)
    return _maybe(None if packed is None else packed % WIDTH)


def _maybe(code: int | None) -> Status | None:
    return None if code is None else status_of(code)


def status_of(code: int) -> Status:
    """Return the status that a number stands for.

    Raises:
        UnknownStatus: for a word of the history that this version does not know.
    """
    if code == UNKNOWN:
        raise UnknownStatus("a word of the history", known=STATUSES)
    return STATUSES[code]
