"""Where parcels stood at a moment, in one pass over the history.

The entry in force is the last one of its chain among those that count by then, whatever order
their clocks show: a later entry knows more than an earlier one, and a correction more still.
Its number and its status travel as one integer, so that a plain MAX finds both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Subquery, case, func, or_, select

from carrierflow.audit.standing import Basis, Place, Standing, StandingCount
from carrierflow.domain.model import FulfillmentRef, Machine, Status
from carrierflow.errors import UnknownStatus
from carrierflow.storage.shops import shop_codes
from carrierflow.storage.tables import fulfillments, history, shops


__all__ = [
    "CLOCKS",
    "STREAM",
    "WIDTH",
    "code_of",
    "in_force",
    "standing_counts",
    "standings",
    "status_of",
]

STATUSES = tuple(Status)
WIDTH = 16
"""How many statuses there is room for beside a number."""

UNKNOWN = WIDTH - 1
STREAM = 2_000
CLOCKS = {Basis.KNOWN: history.c.recorded_at, Basis.WAS: history.c.occurred_at}


def code_of(status: Status) -> int:
    """Return the number that stands for a status."""
    return STATUSES.index(status)


def in_force(at: datetime, basis: Basis) -> ColumnElement[int]:
    """Return number and status of a chain's entry in force as one integer; an aggregate."""
    codes = {status: number for number, status in enumerate(STATUSES)}
    status = case(codes, value=history.c.to_status, else_=UNKNOWN)
    return func.max(case((CLOCKS[basis] <= at, history.c.seq * WIDTH + status)))


def standing_counts(
    connection: Connection, at: datetime, *, shop: int | None
) -> Iterator[StandingCount]:
    """Count the parcels of each shop by where they stood and where they were thought to be."""
    each = _chains(at, shop=shop)
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
    each = _chains(at, shop=shop, fulfillment_id=fulfillment_id)
    f = fulfillments.c
    query = (
        select(f.id, f.order_id, f.fulfillment_id, f.cod_amount, shops.c.code, each)
        .join_from(each, fulfillments, f.id == each.c.fulfillment)
        .join(shops, shops.c.id == f.shop)
        .order_by(f.id)
        .execution_options(yield_per=STREAM)
    )
    for _, chains in groupby(connection.execute(query), key=attrgetter("id")):
        yield _standing({row.machine: row for row in chains})


def _chains(at: datetime, *, shop: int | None, fulfillment_id: str | None = None) -> Subquery:
    """Return one row for each machine of each parcel: what is in force by either clock."""
    h, f = history.c, fulfillments.c
    query = (
        select(h.fulfillment, h.machine, *(in_force(at, basis).label(basis) for basis in Basis))
        .where(or_(*(clock <= at for clock in CLOCKS.values())))
        .group_by(h.fulfillment, h.machine)
    )
    if shop is not None:
        mine = select(f.id).where(f.shop == shop)
        if fulfillment_id is not None:
            mine = mine.where(f.fulfillment_id == fulfillment_id)
        query = query.where(h.fulfillment.in_(mine))
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
    ref = FulfillmentRef(shop=row.code, order_id=row.order_id, fulfillment_id=row.fulfillment_id)
    return Standing(ref=ref, cod_amount=row.cod_amount, known=known, was=was)


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
