"""Who bears a tracking number: the one place that finds parcels by their waybills.

A parcel bears the number that was agreed last, and the one that the carrier gave it when the
platform handed it over; mostly they are the same.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Select, bindparam, func, select, union

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.ledger.ports import Borne
from carrierflow.storage.binding import sliced
from carrierflow.storage.rows import PARCEL, parcel_from
from carrierflow.storage.tables import fulfillments, shipments, shops


__all__ = ["BEARERS", "bearers", "find_parcels"]

AT_ONCE = 400
"""Numbers in one statement, which binds each twice; SQLite took 999 values once."""

MOST_FOUND = 100
"""Parcels that are looked up for one number; whoever bears more has none of its own."""


def _borne(table: Any, name: str) -> Select[Any]:
    """Return a query for the parcels that bear some numbers in a table."""
    number = table.c.tracking_number
    query = select(number.label("number"), fulfillments.c.id, fulfillments.c.fulfillment_id)
    if table is shipments:
        query = query.join_from(shipments, fulfillments)
    return query.where(number.in_(bindparam(name, expanding=True)))


def _in_shop(table: Any) -> Select[Any]:
    shop = select(shops.c.id).where(shops.c.code == bindparam("code")).scalar_subquery()
    return _borne(table, "numbers").where(table.c.shop == shop)


def _counted(borne: CompoundSelect[Any]) -> Select[Any]:
    found = borne.subquery()
    one = func.min(found.c.fulfillment_id).label("one")
    return select(found.c.number, func.count().label("bearers"), one).group_by(found.c.number)


READ_BEARERS = _counted(union(_in_shop(fulfillments), _in_shop(shipments)))

BEARERS = union(_borne(fulfillments, "numbers"), _borne(shipments, "numbers"))
"""The parcels that bear some numbers, in whichever shop: the number, and the ids of each."""

_FOUND = BEARERS.subquery()
READ_PARCELS = (
    select(*PARCEL, shops.c.code.label("shop_code"), _FOUND.c.number)
    .join_from(_FOUND, fulfillments, fulfillments.c.id == _FOUND.c.id)
    .join(shops, shops.c.id == fulfillments.c.shop)
    .order_by(fulfillments.c.id)
    .limit(MOST_FOUND)
)


def bearers(connection: Connection, shop: str, numbers: Collection[str]) -> dict[str, Borne]:
    """Return by whom some numbers are borne in a shop; what nobody bears is not there."""
    return {
        row.number: Borne(count=row.bearers, fulfillment_id=row.one)
        for some in sliced(connection, numbers, at_once=AT_ONCE)
        for row in connection.execute(READ_BEARERS, {"code": shop, "numbers": some})
    }


def find_parcels(
    connection: Connection, tracking_number: str, *, shop: str | None = None
) -> list[Fulfillment]:
    """Return the parcels that bear a number, of one shop or of all; the oldest first.

    There are never more than a hundred.
    """
    query = READ_PARCELS if shop is None else READ_PARCELS.where(shops.c.code == shop)
    return [
        parcel_from(row, row.shop_code)
        for row in connection.execute(query, {"numbers": [tracking_number]})
        if row.number == tracking_number
    ]
