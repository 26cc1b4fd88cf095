"""Cash on delivery at a moment: collected and not remitted, by age; every đồng has its parcel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, literal, select

from carrierflow.audit.reports.as_of import (
    CLOCKS,
    STREAM,
    WIDTH,
    Basis,
    code_of,
    in_force,
    status_of,
)
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.storage.tables import fulfillments, history, shops


__all__ = [
    "BANDS",
    "AgedCash",
    "Band",
    "Cash",
    "CashTotal",
    "HeldCash",
    "aged_cash",
    "band_of",
    "cash_totals",
    "held_cash",
]

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


def cash_totals(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[CashTotal]:
    """Add up the amounts of each shop by cash status; parcels without cash are left out."""
    chains, f = _chains(at, basis, shop=shop), fulfillments.c
    code = chains.c.last % WIDTH
    query = (
        select(shops.c.code, code, func.count(), func.sum(f.cod_amount))
        .join_from(chains, fulfillments, f.id == chains.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(code != code_of(Status.NONE))
        .group_by(shops.c.code, code)
    )
    for name, number, parcels, amount in connection.execute(query):
        status = status_of(number)
        yield CashTotal(shop=name, status=status, parcels=parcels, amount=int(amount))


def aged_cash(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[AgedCash]:
    """Add up the cash that each shop is owed, by how long ago it was collected."""
    held = _held(at, basis, shop=shop).subquery("held")
    band = _band(held.c.occurred_at, at).label("band")
    query = select(held.c.code, band, func.count(), func.sum(held.c.cod_amount))
    for name, number, parcels, amount in connection.execute(query.group_by(held.c.code, band)):
        yield AgedCash(shop=name, band=BANDS[number], parcels=parcels, amount=int(amount))


def held_cash(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[HeldCash]:
    """Yield each parcel whose cash was collected and not remitted, the oldest first."""
    query = _held(at, basis, shop=shop).order_by(history.c.occurred_at, fulfillments.c.id)
    for row in connection.execute(query.execution_options(yield_per=STREAM)):
        ref = FulfillmentRef(
            shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id
        )
        yield HeldCash(
            ref=ref,
            tracking_number=row.tracking_number,
            amount=row.cod_amount,
            collected_at=row.occurred_at,
            recorded_at=row.recorded_at,
            age_days=max(0, (at - row.occurred_at) // ONE_DAY),
        )


def _chains(at: datetime, basis: Basis, *, shop: int | None) -> Subquery:
    """Return the cash entry in force of each parcel."""
    h, f = history.c, fulfillments.c
    query = (
        select(h.fulfillment, in_force(at, basis).label("last"))
        .where(h.machine == Machine.COD, CLOCKS[basis] <= at)
        .group_by(h.fulfillment)
    )
    if shop is not None:
        query = query.where(h.fulfillment.in_(select(f.id).where(f.shop == shop)))
    return query.subquery("chains")


def _held(at: datetime, basis: Basis, *, shop: int | None) -> Any:
    """Return each parcel whose cash entry in force is `codpaid`, with that entry."""
    chains, h, f = _chains(at, basis, shop=shop), history.c, fulfillments.c
    entry = and_(
        h.fulfillment == chains.c.fulfillment,
        h.machine == Machine.COD,
        h.seq * WIDTH + code_of(Status.CODPAID) == chains.c.last,
    )
    return (
        select(
            shops.c.code,
            f.id,
            f.order_id,
            f.fulfillment_id,
            f.tracking_number,
            f.cod_amount,
            h.occurred_at,
            h.recorded_at,
        )
        .join_from(chains, history, entry)
        .join(fulfillments, f.id == chains.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .where(chains.c.last % WIDTH == code_of(Status.CODPAID))
    )


def _band(collected: ColumnElement[datetime], at: datetime) -> ColumnElement[int]:
    """Return the number of the age's band: the oldest whose beginning was reached."""
    reached = [
        (collected <= at - timedelta(days=band.from_days), literal(number))
        for number, band in reversed(tuple(enumerate(BANDS)))
    ]
    return case(*reached, else_=0)
