"""Lists of fulfillments, page by page: each is a few ranges of an index, however many there are.

A page goes on behind the last line of the one before it, by what its index is sorted by.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.listing import FulfillmentQuestion, ListedFulfillments, cursor_at, place_of
from carrierflow.domain.model import Status
from carrierflow.storage.engine import is_mysql
from carrierflow.storage.rows import PARCEL, parcel_from
from carrierflow.storage.shops import shop_number
from carrierflow.storage.tables import fulfillments, shops
from carrierflow.storage.waybills import BEARERS


__all__ = ["beyond", "fulfillment_page"]

f = fulfillments.c

BY_STANDING = (f.entered_at, f.id)
"""How those are sorted that stand at some status: the longest first."""

BY_NAME = (f.shop, f.fulfillment_id)
"""How all others are sorted: by what never changes."""

SORTED_LAST = (f.shop + 0, f.fulfillment_id)
"""The same, where few are asked for: they are found first, by another index, and then sorted.

SQLite would go through all that there are in this order; the others count what is in a table.
"""


def fulfillment_page(
    connection: Connection, question: FulfillmentQuestion, *, after: str | None, limit: int
) -> ListedFulfillments:
    """Return so many of the fulfillments that are asked for, behind the place of a cursor.

    Raises:
        UnknownShop: if there is no such shop.
        InvalidInput: if the cursor is none, or of another question.
    """
    statuses = question.stands_at
    dialect = connection.dialect.name
    order = _order(question, dialect)
    chosen = select(f.id.label("found")).where(*_asked(connection, question))
    if question.tracking_number is not None:
        borne = BEARERS.params(numbers=[question.tracking_number]).subquery()
        chosen = chosen.join(borne, borne.c.id == f.id)
    if after is not None:
        place = place_of(question, after, (datetime, int) if statuses else (int, str))
        chosen = chosen.where(beyond(order, place, dialect=dialect))
    chosen = chosen.order_by(*order).limit(limit + 1)
    rows = connection.execute(_whole(_merged(chosen, statuses), order, limit + 1)).all()
    found = tuple(parcel_from(row, row.shop_code) for row in rows[:limit])
    more = len(rows) > limit
    return ListedFulfillments(
        fulfillments=found,
        next=cursor_at(question, _place(found[-1], statuses)) if more else None,
    )


def _order(question: FulfillmentQuestion, dialect: str) -> tuple[ColumnElement[Any], ...]:
    if question.stands_at:
        return BY_STANDING
    few = question.frozen or question.unpublished or question.order_id
    return SORTED_LAST if few and dialect == "sqlite" else BY_NAME


def _place(last: Fulfillment, statuses: Sequence[Status]) -> tuple[Any, ...]:
    if statuses:
        return last.entered_at, last.id
    return last.shop_id, last.ref.fulfillment_id


def _asked(connection: Connection, question: FulfillmentQuestion) -> Iterator[ColumnElement[bool]]:
    """Yield what a fulfillment must be, its delivery status apart.

    Where an index begins with the shop and none is named, it is gone through shop by shop.
    """
    if question.shop is not None:
        yield f.shop == shop_number(connection, question.shop)
    elif question.order_id is not None or question.unpublished:
        yield f.shop.in_(select(shops.c.id))
    if question.order_id is not None:
        yield f.order_id == question.order_id
    if question.cod_status is not None:
        yield f.cod_status == question.cod_status
    if question.since_before is not None:
        yield f.entered_at <= question.since_before
    if question.frozen is not None:
        yield f.frozen.is_not(None) if question.frozen else f.frozen.is_(None)
    if question.unpublished is not None:
        yield f.unpublished > 0 if question.unpublished else f.unpublished == 0


def _merged(chosen: Select[Any], statuses: Sequence[Status]) -> Any:
    """Return the ids that a page is made of: the beginnings of one list for each status, merged.

    Each of these is read in the order of the index, and no further than the page is long.
    """
    if not statuses:
        return chosen.subquery()
    lists = [chosen.where(f.delivery_status == status).subquery() for status in statuses]
    return union_all(*(select(each) for each in lists)).subquery()


def _whole(found: Any, order: Sequence[ColumnElement[Any]], limit: int) -> Select[Any]:
    return (
        select(*PARCEL, shops.c.code.label("shop_code"))
        .join_from(found, fulfillments, f.id == found.c.found)
        .join(shops, shops.c.id == f.shop)
        .order_by(*order)
        .limit(limit)
    )


def beyond(
    columns: Sequence[ColumnElement[Any]], place: Sequence[Any], *, dialect: str
) -> ColumnElement[bool]:
    """Say that a row comes behind a place in the order of some columns, so that an index finds it.

    MariaDB and MySQL find the range in the words, the others in the comparison of rows.
    """
    behind: ColumnElement[bool]
    if not is_mysql(dialect):
        values = [literal(value, each.type) for each, value in zip(columns, place, strict=True)]
        behind = tuple_(*columns) > tuple_(*values)
    else:
        (first, *others), (value, *rest) = columns, place
        behind = first > value
        if others:
            behind = or_(behind, and_(first == value, beyond(others, rest, dialect=dialect)))
    return behind
