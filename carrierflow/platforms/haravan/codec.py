"""Haravan's JSON bodies, read into our data; nothing personal in them gets past this module.

Lenient about shape, strict about words. Every field is optional except the ids, the two status
codes and `updated_at`: the bodies that Haravan's Fulfillment and Order API references print
have between 73 and 79 keys, depending on the call, and any other key may be null or absent.

One bad row costs one row: what cannot be read of a list is named, and the rest is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carrierflow.domain.canonical import digest
from carrierflow.domain.limits import cut
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RemoteWord,
    Status,
    Unreadable,
)
from carrierflow.errors import BadTime, InvalidInput
from carrierflow.platforms.haravan.spelling import (
    CARRIER_CODES,
    COD_CODES,
    DATE_FIELDS,
    check_id,
    parse_code,
    parse_moment,
    parse_money,
)
from carrierflow.platforms.http.replies import UnreadableReply


if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


__all__ = [
    "read_count",
    "read_fulfillment",
    "read_fulfillments",
    "read_one",
    "read_order",
    "read_orders",
]

_LONGEST_TEXT = 256
_UNSHIPPED = ("notfulfilled", "", None)


def read_orders(
    document: Any, *, shop: str, asked_at: datetime, seen_at: datetime
) -> tuple[RemoteOrder, ...]:
    """Read the reply to a question for several orders."""
    orders = _member(document, "orders", of="the reply")
    if not isinstance(orders, list):
        raise UnreadableReply("`orders` of the reply is not a list")
    return tuple(
        _order(order, f"orders[{place}]", shop, asked_at, seen_at, "orders")
        for place, order in enumerate(orders)
    )


def read_order(document: Any, *, shop: str, asked_at: datetime, seen_at: datetime) -> RemoteOrder:
    """Read the reply to a question for one order."""
    order = _member(document, "order", of="the reply")
    return _order(order, "order", shop, asked_at, seen_at, "order")


def read_fulfillment(
    document: Any, *, shop: str, asked_at: datetime, seen_at: datetime
) -> Observation:
    """Read the reply to a PUT or POST, which is the whole fulfillment."""
    body = _member(document, "fulfillment", of="the reply")
    look = _Look(shop=shop, asked_at=asked_at, seen_at=seen_at, source="put")
    return _observation(body, look, order_cancelled=False)


def read_one(
    document: Any, *, shop: str, asked_at: datetime, seen_at: datetime, order_id: str
) -> Observation | Unreadable:
    """Read the reply to a GET of one fulfillment; a row that cannot be read comes as such."""
    body = _member(document, "fulfillment", of="the reply")
    look = _Look(shop=shop, asked_at=asked_at, seen_at=seen_at, source="fulfillment")
    found, odd = _rows([body], look, "fulfillment", order_id=order_id, cancelled=False)
    return found[0] if found else odd[0]


def read_count(document: Any) -> int:
    """Read the reply to a question for how many there are."""
    count = _member(document, "count", of="the reply")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise UnreadableReply("`count` of the reply is not a count")
    return count


def read_fulfillments(
    document: Any, *, shop: str, asked_at: datetime, seen_at: datetime, order_id: str
) -> tuple[tuple[Observation, ...], tuple[Unreadable, ...]]:
    """Read the reply to a question for the fulfillments of one order, and what is odd in it."""
    rows = _member(document, "fulfillments", of="the reply")
    if not isinstance(rows, list):
        raise UnreadableReply("`fulfillments` of the reply is not a list")
    look = _Look(shop=shop, asked_at=asked_at, seen_at=seen_at, source="fulfillments")
    return _rows(rows, look, "fulfillments", order_id=order_id, cancelled=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """Whose reply is read, when it was asked for and seen, and by which question."""

    shop: str
    asked_at: datetime
    seen_at: datetime
    source: str


def _rows(
    rows: list[Any], look: _Look, place: str, *, order_id: str, cancelled: bool
) -> tuple[tuple[Observation, ...], tuple[Unreadable, ...]]:
    """Read the fulfillments of one order, as many as can be read, and name the others."""
    found: list[Observation] = []
    odd: list[Unreadable] = []
    for number, row in enumerate(rows):
        try:
            found.append(_row_of(order_id, row, look, cancelled=cancelled))
        except UnreadableReply as flaw:
            odd.append(_odd(flaw, row, f"{place}[{number}]", order_id, _named(row)))
    return tuple(found), tuple(odd)


def _row_of(order_id: str, row: Any, look: _Look, *, cancelled: bool) -> Observation:
    seen = _observation(row, look, order_cancelled=cancelled)
    if seen.ref.order_id != order_id:
        raise UnreadableReply("it belongs to another order")
    return seen


def _order(
    body: Any, place: str, shop: str, asked_at: datetime, seen_at: datetime, source: str
) -> RemoteOrder:
    try:
        order_id = _id(_member(body, "id", of="it"), of="it")
    except UnreadableReply as flaw:
        odd = _odd(flaw, body, place, None, _named(body))
        return RemoteOrder(
            order_id="", updated_at=None, cancelled=False, fulfillments=(), unreadable=(odd,)
        )
    undated: tuple[Unreadable, ...] = ()
    updated_at = None
    try:
        printed = _member(body, "updated_at", of="the order")
        updated_at = _required_time(printed, of="the order", seen_at=seen_at)
    except UnreadableReply as flaw:
        undated = (_odd(flaw, body, place, order_id, ""),)
    cancelled = bool(body.get("cancelled_at")) or body.get("cancelled_status") == "cancelled"

    look = _Look(shop=shop, asked_at=asked_at, seen_at=seen_at, source=source)
    rows, there = _listed(body.get("fulfillments")), f"{place}.fulfillments"
    fulfillments, unread = _rows(rows, look, there, order_id=order_id, cancelled=cancelled)
    return RemoteOrder(
        order_id=order_id,
        updated_at=updated_at,
        cancelled=cancelled,
        fulfillments=fulfillments,
        unreadable=(*undated, *unread),
        left_out=_leaves_out(body),
    )


def _leaves_out(body: Mapping[str, Any]) -> bool:
    """Tell whether an order is shown without the fulfillments that it has, or may have.

    An order that nobody shipped says `notfulfilled` (Order API reference), or nothing.
    """
    rows = body.get("fulfillments")
    return rows is None or (rows == [] and body.get("fulfillment_status") not in _UNSHIPPED)


def _listed(rows: Any) -> list[Any]:
    """Return the rows of a list; what should be one and is none counts as a row."""
    return rows if isinstance(rows, list) else [] if rows is None else [rows]


def _odd(
    flaw: UnreadableReply, row: Any, place: str, order_id: str | None, fulfillment_id: str | None
) -> Unreadable:
    """Say what is wrong with a row."""
    return Unreadable(
        place=place,
        reason=flaw.reason,
        digest=digest(json.dumps(row, sort_keys=True)),
        order_id=order_id,
        fulfillment_id=fulfillment_id,
    )


def _named(row: Any) -> str | None:
    """Return the id of a row that cannot be read whole; None where that cannot be read either."""
    try:
        return _id(_member(row, "id", of="it"), of="it")
    except UnreadableReply:
        return None


def _observation(body: Any, look: _Look, *, order_cancelled: bool) -> Observation:
    fulfillment_id = _id(_member(body, "id", of="a fulfillment"), of="a fulfillment")
    where = f"fulfillment {fulfillment_id}"
    order_id = _id(_member(body, "order_id", of=where), of=f"the order of {where}")
    updated_at = _member(body, "updated_at", of=where)
    carrier = _code(body, "carrier_status_code", CARRIER_CODES, of=where)
    cod = _code(body, "carrier_cod_status_code", COD_CODES, of=where)
    dates, dates_raw = _dates(body, look.seen_at)
    return Observation(
        ref=FulfillmentRef(shop=look.shop, order_id=order_id, fulfillment_id=fulfillment_id),
        asked_at=look.asked_at,
        seen_at=look.seen_at,
        carrier=carrier,
        cod=cod,
        updated_at=_required_time(updated_at, of=where, seen_at=look.seen_at),
        updated_at_raw=updated_at,
        created_at=_time(body.get("created_at"), look.seen_at),
        dates=dates,
        dates_raw=dates_raw,
        order_cancelled=order_cancelled,
        tracking_number=_text(body.get("tracking_number")),
        tracking_company_code=_text(body.get("tracking_company_code")),
        cod_amount=_amount(body.get("cod_amount")),
        source=look.source,
    )


def _id(value: Any, *, of: str) -> str:
    try:
        return check_id(value)
    except InvalidInput:
        raise UnreadableReply(f"{of} has an unreadable id") from None


def _code(body: Any, name: str, codes: Mapping[str, Status], *, of: str) -> RemoteWord:
    code = _member(body, name, of=of)
    if code is not None and not isinstance(code, str):
        raise UnreadableReply(f"`{name}` of {of} is not a word")
    return parse_code(code, codes)


def _member(body: Any, name: str, *, of: str) -> Any:
    if not isinstance(body, dict) or name not in body:
        raise UnreadableReply(f"{of} has no `{name}`")
    return body[name]


def _dates(
    body: Mapping[str, Any], seen_at: datetime
) -> tuple[dict[Status, datetime], dict[Status, str]]:
    dates: dict[Status, datetime] = {}
    raw: dict[Status, str] = {}
    for status, name in DATE_FIELDS.items():
        value = body.get(name)
        if value is None or (printed := _text(value)) is None:
            continue
        raw[status] = printed  # kept as evidence; a status may stand without its date
        moment = _time(printed, seen_at)
        if moment is not None:
            dates[status] = moment
    return dates, raw


def _required_time(value: Any, *, of: str, seen_at: datetime) -> datetime:
    moment = _time(value, seen_at)
    if moment is None:
        raise UnreadableReply(f"`updated_at` of {of} is not a time")
    return moment


def _time(value: Any, seen_at: datetime) -> datetime | None:
    try:
        return parse_moment(value, seen_at=seen_at)
    except (BadTime, TypeError):
        return None


def _text(value: Any) -> str | None:
    if value == "" or not isinstance(value, (str, int)):
        return None
    return cut(str(value), _LONGEST_TEXT)


def _amount(value: Any) -> int | None:
    # One parcel whose amount is unreadable must not hide the 49 others of its page; without an
    # amount nothing is decided about its cash.
    try:
        return None if value is None else parse_money(value)
    except InvalidInput:
        return None
