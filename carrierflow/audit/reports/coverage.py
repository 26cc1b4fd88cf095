"""Which open parcels were looked at on the platform, how lately, and which one waits longest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal, select

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.domain.shop import Coverage
from carrierflow.storage.rows import ref_from
from carrierflow.storage.tables import fulfillments, shops


__all__ = [
    "AGES",
    "AgedLooks",
    "CoverageReport",
    "LookAge",
    "Unseen",
    "aged_looks",
    "longest_unseen",
]


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


def aged_looks(connection: Connection, at: datetime, *, shop: int | None) -> Iterator[AgedLooks]:
    """Count the open parcels of each shop by how long ago they were looked at."""
    f = fulfillments.c
    reached = [
        (f.verified_at <= at - timedelta(hours=age.from_hours), literal(number))
        for number, age in reversed(tuple(enumerate(AGES)))
    ]
    number = case((f.verified_at.is_(None), literal(None)), *reached, else_=0)
    query = select(shops.c.code, number.label("age"), func.count())
    for code, age, parcels in connection.execute(
        _open(query, shop).group_by(shops.c.code, "age").order_by(shops.c.code, "age")
    ):
        yield AgedLooks(shop=code, age=None if age is None else AGES[age], parcels=parcels)


def longest_unseen(connection: Connection, *, shop: int | None, limit: int) -> list[Unseen]:
    """Return the open parcels that have waited longest; never looked at comes first."""
    f = fulfillments.c
    query = _open(select(fulfillments, shops.c.code), shop)
    query = query.order_by(f.verified_at.is_not(None), f.verified_at, f.opened_at, f.id)
    return [
        Unseen(
            ref=ref_from(row),
            carrier_status=Status(row.delivery_status),
            cod_status=Status(row.cod_status),
            opened_at=row.opened_at,
            verified_at=row.verified_at,
            frozen=row.frozen,
        )
        for row in connection.execute(query.limit(limit))
    ]


def _open(query: Select[Any], shop: int | None) -> Select[Any]:
    f = fulfillments.c
    query = query.join_from(fulfillments, shops, shops.c.id == f.shop).where(f.open)
    return query if shop is None else query.where(f.shop == shop)
