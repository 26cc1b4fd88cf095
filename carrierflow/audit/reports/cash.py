"""Cash on delivery at a moment: whose it is, and how long it was held; every đồng has its parcel.

Each amount is the one that was agreed at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, and_, case, func, literal, or_, select

from carrierflow.audit.reports.agreed import agreed_at
from carrierflow.audit.reports.as_of import (
    CLOCKS,
    STREAM,
    WIDTH,
    Basis,
    code_of,
    in_force,
    parcels_of,
)
from carrierflow.domain.model import COD_STATUSES, FulfillmentRef, Machine, Status
from carrierflow.errors import UnknownStatus
from carrierflow.storage.rows import ref_from
from carrierflow.storage.tables import fulfillments, history, shops


__all__ = [
    "BANDS",
    "AgedCash",
    "Band",
    "Cash",
    "CashClass",
    "CashTotal",
    "HeldCash",
    "OwedCash",
    "aged_cash",
    "band_of",
    "cash_totals",
    "held_cash",
    "is_held",
    "owed_cash",
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


class CashClass(StrEnum):
    """Whose the cash of a parcel is: each parcel with cash is in one class."""

    TO_COLLECT = "to_collect"
    """Still with the customer, who pays when the parcel comes."""
    HELD = "held"
    """Collected and not remitted: the shop's, in the carrier's hands."""
    REMITTED = "remitted"
    """Handed to the shop."""
    OWED_BACK = "owed_back"
    """Collected, and the parcel came back or was cancelled: the customer's again."""
    NOT_COLLECTED = "not_collected"
    """Never collected, and nobody will: the parcel came back or was cancelled."""


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
class OwedCash:
    """The cash of one parcel that was collected, and is the customer's again."""

    ref: FulfillmentRef
    tracking_number: str | None
    amount: int
    ended_at: datetime
    """When the parcel came back or was cancelled."""
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AgedCash:
    """The cash of a shop that was held for about so long."""

    shop: str
    band: Band
    parcels: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CashTotal:
    """The cash of a shop's parcels of one class."""

    shop: str
    cash_class: CashClass
    parcels: int
    amount: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cash:
    """All cash at one moment; amounts are whole đồng."""

    at: datetime
    basis: Basis
    parcels: int
    """Parcels whose cash is held: collected, and owed to the shop."""
    amount: int
    """That cash."""
    total: int
    """The amounts of all parcels with cash; what the classes add up to."""
    by_age: tuple[AgedCash, ...]
    """That cash by shop and age; adds up to `amount`."""
    by_class: tuple[CashTotal, ...]
    """All cash, by whose it is; adds up to `total`."""
    held: tuple[HeldCash, ...] | None = None
    """The cash that is held parcel by parcel, the oldest first, where it was asked for."""
    owed_back: tuple[OwedCash, ...] | None = None
    """What is owed to customers parcel by parcel, the oldest first, where it was asked for."""

    @classmethod
    def of(
        cls,
        at: datetime,
        basis: Basis,
        *,
        by_age: Iterable[AgedCash],
        by_class: Iterable[CashTotal],
        held: Iterable[HeldCash] | None = None,
        owed_back: Iterable[OwedCash] | None = None,
    ) -> Cash:
        """Put the answer together from what was counted."""
        ages = tuple(sorted(by_age, key=lambda aged: (aged.shop, aged.band.from_days)))
        totals = tuple(sorted(by_class, key=_order))
        return cls(
            at=at,
            basis=basis,
            parcels=sum(aged.parcels for aged in ages),
            amount=sum(aged.amount for aged in ages),
            total=sum(each.amount for each in totals),
            by_age=ages,
            by_class=totals,
            held=None if held is None else tuple(held),
            owed_back=None if owed_back is None else tuple(owed_back),
        )


def _order(total: CashTotal) -> tuple[str, int]:
    return total.shop, CLASSES.index(total.cash_class)


CLASSES = tuple(CashClass)
NO_CLASS = len(CLASSES)
"""Stands for a word of the history that is no status of cash."""

COLLECTED = (code_of(Status.CODPAID), code_of(Status.CODRECEIPT))
OVER = (code_of(Status.RETURN), code_of(Status.CANCEL))
"""Where a parcel's cash is due no more."""


def cash_totals(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[CashTotal]:
    """Add up the amounts of each shop by whose they are; parcels without cash are left out."""
    chains, f = _chains(at, basis, shop=shop), fulfillments.c
    agreed = agreed_at(at, of=parcels_of(shop))
    number = _class(chains).label("number")
    query = (
        select(shops.c.code, number, func.count(), func.sum(agreed.c.cod_amount))
        .join_from(chains, fulfillments, f.id == chains.c.fulfillment)
        .join(agreed, agreed.c.fulfillment == f.id)
        .join(shops, shops.c.id == f.shop)
        .where(chains.c.cash % WIDTH != code_of(Status.NONE))
        .group_by(shops.c.code, number)
    )
    for name, place, parcels, amount in connection.execute(query):
        if place == NO_CLASS:
            raise UnknownStatus("a word of the history", known=tuple(COD_STATUSES))
        yield CashTotal(shop=name, cash_class=CLASSES[place], parcels=parcels, amount=int(amount))


def aged_cash(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[AgedCash]:
    """Add up the cash that each shop is owed, by how long ago it was collected."""
    held = _named(at, basis, CashClass.HELD, Machine.COD, shop=shop).subquery("held")
    band = _band(held.c.occurred_at, at).label("band")
    query = select(held.c.code, band, func.count(), func.sum(held.c.cod_amount))
    for name, number, parcels, amount in connection.execute(query.group_by(held.c.code, band)):
        yield AgedCash(shop=name, band=BANDS[number], parcels=parcels, amount=int(amount))


def held_cash(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[HeldCash]:
    """Yield each parcel whose cash is held, the oldest first."""
    for row in _streamed(connection, _named(at, basis, CashClass.HELD, Machine.COD, shop=shop)):
        yield HeldCash(
            ref=ref_from(row),
            tracking_number=row.tracking_number,
            amount=row.cod_amount,
            collected_at=row.occurred_at,
            recorded_at=row.recorded_at,
            age_days=max(0, (at - row.occurred_at) // ONE_DAY),
        )


def owed_cash(
    connection: Connection, at: datetime, basis: Basis, *, shop: int | None
) -> Iterator[OwedCash]:
    """Yield each parcel whose cash was collected and is the customer's again, the oldest first."""
    query = _named(at, basis, CashClass.OWED_BACK, Machine.DELIVERY, shop=shop)
    for row in _streamed(connection, query):
        yield OwedCash(
            ref=ref_from(row),
            tracking_number=row.tracking_number,
            amount=row.cod_amount,
            ended_at=row.occurred_at,
            recorded_at=row.recorded_at,
        )


def _streamed(connection: Connection, query: Any) -> Any:
    ordered = query.order_by(history.c.occurred_at, fulfillments.c.id)
    return connection.execute(ordered.execution_options(yield_per=STREAM))


def _chains(at: datetime, basis: Basis, *, shop: int | None) -> Subquery:
    """Return the entries in force of each parcel, of its cash and of its delivery."""
    h, mine = history.c, parcels_of(shop)
    query = (
        select(
            h.fulfillment,
            in_force(at, basis, h.machine == Machine.COD).label("cash"),
            in_force(at, basis, h.machine == Machine.DELIVERY).label("delivery"),
        )
        .where(CLOCKS[basis] <= at)
        .group_by(h.fulfillment)
    )
    if mine is not None:
        query = query.where(h.fulfillment.in_(mine))
    return query.subquery("chains")


def is_held(cash: ColumnElement[int], delivery: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that cash is held, by the entries in force of both machines; false where one is none."""
    paid = func.coalesce(cash, 0) % WIDTH == code_of(Status.CODPAID)
    return and_(func.coalesce(cash, 0) != 0, paid, ~_is_over(delivery))


def _is_over(delivery: ColumnElement[int]) -> ColumnElement[bool]:
    return (func.coalesce(delivery, 0) % WIDTH).in_(OVER)


def _class(chains: Subquery) -> ColumnElement[int]:
    """Return the number of a parcel's class."""
    cash, is_over = chains.c.cash % WIDTH, _is_over(chains.c.delivery)
    is_due = cash == code_of(Status.CODPENDING)
    is_lost = cash == code_of(Status.CODNOTRECEIPT)
    which = (
        (CashClass.OWED_BACK, and_(cash.in_(COLLECTED), is_over)),
        (CashClass.HELD, cash == code_of(Status.CODPAID)),
        (CashClass.REMITTED, cash == code_of(Status.CODRECEIPT)),
        (CashClass.NOT_COLLECTED, or_(and_(is_due, is_over), is_lost)),
        (CashClass.TO_COLLECT, is_due),
    )
    return case(*((here, literal(CLASSES.index(each))) for each, here in which), else_=NO_CLASS)


def _named(
    at: datetime, basis: Basis, cash_class: CashClass, machine: Machine, *, shop: int | None
) -> Any:
    """Return each parcel of a class with what was agreed, and the entry in force of a machine."""
    chains, h, f = _chains(at, basis, shop=shop), history.c, fulfillments.c
    agreed = agreed_at(at, of=parcels_of(shop))
    last = chains.c.cash if machine is Machine.COD else chains.c.delivery
    entry = and_(
        h.fulfillment == chains.c.fulfillment,
        h.machine == machine,
        h.seq * WIDTH == last - last % WIDTH,
    )
    return (
        select(
            shops.c.code,
            f.id,
            f.order_id,
            f.fulfillment_id,
            agreed.c.tracking_number,
            agreed.c.cod_amount,
            h.occurred_at,
            h.recorded_at,
        )
        .join_from(chains, history, entry)
        .join(fulfillments, f.id == chains.c.fulfillment)
        .join(agreed, agreed.c.fulfillment == f.id)
        .join(shops, shops.c.id == f.shop)
        .where(_class(chains) == CLASSES.index(cash_class))
    )


def _band(collected: ColumnElement[datetime], at: datetime) -> ColumnElement[int]:
    """Return the number of the age's band: the oldest whose beginning was reached."""
    reached = [
        (collected <= at - timedelta(days=band.from_days), literal(number))
        for number, band in reversed(tuple(enumerate(BANDS)))
    ]
    return case(*reached, else_=0)
