"""Which open parcels were looked at, how lately, and which ones wait longest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal, select

from carrierflow.audit.coverage import AGES, AgedLooks, Unseen
from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.storage.tables import fulfillments, shops


__all__ = ["aged_looks", "longest_unseen"]


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
            ref=FulfillmentRef(
                shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id
            ),
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
