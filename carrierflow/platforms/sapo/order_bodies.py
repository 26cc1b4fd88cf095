"""Sapo's bodies of orders, read into our data; nothing personal in them gets past this module.

Strict about every value that is used, and lenient about all others: whatever else stands in a
body is not looked at. One bad row costs one row: what cannot be read is named, and the rest is
read. The fields are those of the examples in Sapo's order API document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from carrierflow.domain.canonical import digest
from carrierflow.domain.limits import ID, TRACKING_NUMBER, is_name
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RemoteWord,
    Status,
    Unreadable,
)
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.sapo.parcel_words import cash_word, parcel_word
from carrierflow.platforms.sapo.printed_values import parse_amount, parse_number, parse_printed_time


__all__ = ["OrderPage", "SapoLook", "read_page", "read_sapo_order"]

_UNPACKED = ("unpacked", None)
_STEPS = {
    "packed_on": Status.READYTOPICK,
    "shipped_on": Status.DELIVERING,
    "received_on": Status.DELIVERED,
}
"""Since when a fulfillment is what; `packed_on` may lie before its `created_on`."""
_CANCELLED_ON, _BACK_ON = "cancel_date", "receive_cancellation_on"
_CREATED_ON, _MODIFIED_ON = "created_on", "modified_on"
_TIMES = (*_STEPS, _CANCELLED_ON, _BACK_ON, _CREATED_ON)
_ORDER, _FULFILLMENT = "the order", "a fulfillment"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class SapoLook:
    """In which shop's name something was asked for, when, and by which question."""

    shop: str
    asked_at: datetime
    seen_at: datetime
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderPage:
    """One page of a list of orders."""

    orders: tuple[RemoteOrder, ...]
    total: int | None
    """How many there are on all pages; None where that is not said."""


def read_page(document: Any, look: SapoLook) -> OrderPage:
    """Read a page of orders, and how many there are by its `metadata`.

    Raises:
        UnreadableReply: it has no list of orders.
    """
    orders = document.get("orders") if isinstance(document, dict) else None
    if not isinstance(orders, list):
        raise UnreadableReply("the reply has no list of `orders`")
    metadata = document.get("metadata")
    total = metadata.get("total") if isinstance(metadata, dict) else None
    return OrderPage(
        orders=tuple(_order(body, f"orders[{n}]", look) for n, body in enumerate(orders)),
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
    )


def read_sapo_order(document: Any, look: SapoLook) -> RemoteOrder:
    """Read the reply to a question for one order.

    Raises:
        UnreadableReply: it has none.
    """
    return _order(_member(document, "order", of="the reply"), "order", look)


def _order(body: Any, place: str, look: SapoLook) -> RemoteOrder:
    itself = _Row(place=place, body=body)
    order_id = itself.tried(lambda: parse_number(_member(body, "id", of=_ORDER), of=_ORDER))
    if order_id is None:
        return RemoteOrder(
            order_id="", updated_at=None, cancelled=False, fulfillments=(), unreadable=itself.flaws
        )
    itself = _Row(place=place, body=body, order_id=order_id, fulfillment_id="")
    updated_at = itself.tried(lambda: _changed(body, _ORDER, look))
    cancelled = itself.tried(lambda: _word(body, "status", of=_ORDER) == "cancelled")
    rows = [
        _Row(place=f"{place}.fulfillments[{n}]", body=row, order_id=order_id)
        for n, row in enumerate(_listed(body.get("fulfillments")))
    ]
    found = [_fulfillment(row, look, order_cancelled=cancelled or False) for row in rows]
    return RemoteOrder(
        order_id=order_id,
        updated_at=updated_at,
        cancelled=cancelled or False,
        fulfillments=tuple(seen for seen in found if seen is not None),
        unreadable=tuple(flaw for row in (itself, *rows) for flaw in row.flaws),
        left_out=_leaves_out(body),
    )


class _Row:
    """One row of a body, and what is wrong with it."""

    def __init__(
        self,
        *,
        place: str,
        body: Any,
        order_id: str | None = None,
        fulfillment_id: str | None = None,
    ) -> None:
        self.body = body
        self.order_id = order_id
        self.flaws: tuple[Unreadable, ...] = ()
        self._place = place
        self._fulfillment_id = _named(body) if fulfillment_id is None else fulfillment_id

    def tried(self, read: Callable[[], T]) -> T | None:
        """Read something of the row, or note what is wrong with it."""
        try:
            return read()
        except UnreadableReply as flaw:
            unreadable = Unreadable(
                place=self._place,
                reason=flaw.reason,
                digest=digest(json.dumps(self.body, sort_keys=True)),
                order_id=self.order_id,
                fulfillment_id=self._fulfillment_id,
            )
            self.flaws = (*self.flaws, unreadable)
            return None


def _named(body: Any) -> str | None:
    """Return the id of a row that cannot be read whole; None where that cannot be read either."""
    try:
        return parse_number(_member(body, "id", of="it"), of="it")
    except UnreadableReply:
        return None


def _listed(rows: Any) -> list[Any]:
    """Return the rows of a list; what should be one and is none counts as a row."""
    return rows if isinstance(rows, list) else [] if rows is None else [rows]


def _leaves_out(body: Mapping[str, Any]) -> bool:
    """Tell whether an order is shown without the fulfillments that it has, or may have."""
    rows = body.get("fulfillments")
    return rows is None or (rows == [] and body.get("packed_status") not in _UNPACKED)


def _fulfillment(row: _Row, look: SapoLook, *, order_cancelled: bool) -> Observation | None:
    return row.tried(lambda: _observation(row, look, order_cancelled=order_cancelled))


def _observation(row: _Row, look: SapoLook, *, order_cancelled: bool) -> Observation:
    body = row.body
    fulfillment_id = parse_number(_member(body, "id", of=_FULFILLMENT), of=_FULFILLMENT)
    where = f"fulfillment {fulfillment_id}"
    order_id = parse_number(_member(body, "order_id", of=where), of=f"the order of {where}")
    if order_id != row.order_id:
        raise UnreadableReply(f"{where} belongs to another order")
    times = {name: _time(body, name, look) for name in _TIMES}
    carrier = _carrier(body, where, is_back=times[_BACK_ON] is not None)
    dated = _dated(carrier.status, times)
    shipment = _shipment(body, where)
    amount = parse_amount(shipment.get("cod_amount"), name="cod_amount")
    return Observation(
        ref=FulfillmentRef(shop=look.shop, order_id=order_id, fulfillment_id=fulfillment_id),
        asked_at=look.asked_at,
        seen_at=look.seen_at,
        carrier=carrier,
        cod=cash_word(_word(body, "payment_status", of=where) or "", amount=amount),
        updated_at=_changed(body, where, look),
        updated_at_raw=body[_MODIFIED_ON],
        created_at=times[_CREATED_ON],
        dates={status: moment for status, (_, moment) in dated.items()},
        dates_raw={status: body[name] for status, (name, _) in dated.items()},
        order_cancelled=order_cancelled,
        tracking_number=_waybill(shipment.get("tracking_code")),
        tracking_company_code=_provider(shipment),
        cod_amount=amount,
        source=look.source,
    )


def _carrier(body: Mapping[str, Any], where: str, *, is_back: bool) -> RemoteWord:
    return parcel_word(
        _word(body, "status", of=where) or "",
        before=_word(body, "status_before_cancellation", of=where),
        is_back=is_back,
        composite=_word(body, "composite_fulfillment_status", of=where),
    )


def _dated(
    status: Status | None, times: Mapping[str, datetime | None]
) -> dict[Status, tuple[str, datetime]]:
    """Return since when a fulfillment is what, and which field says so.

    What the date of a cancel dates depends on what the cancel led to; that of what is not clear
    dates nothing. A parcel cancelled when packed was never on its way back.
    """
    names = dict(_STEPS)
    if status is Status.CANCEL:
        names[_CANCELLED_ON] = Status.CANCEL
    elif status in {Status.WAITINGFORRETURN, Status.RETURN}:
        names |= {_CANCELLED_ON: Status.WAITINGFORRETURN, _BACK_ON: Status.RETURN}
    moments = ((name, shown, times[name]) for name, shown in names.items())
    return {shown: (name, moment) for name, shown, moment in moments if moment is not None}


def _shipment(body: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return how a fulfillment is shipped: nothing of it where the buyer fetches the goods."""
    shipment = _member(body, "shipment", of=where)
    if shipment is None:
        return {}
    if not isinstance(shipment, dict):
        raise UnreadableReply(f"`shipment` of {where} is not an object")
    return shipment


def _provider(shipment: Mapping[str, Any]) -> str | None:
    """Return who ships it, as text: the id of a delivery service provider in this shop."""
    value = shipment.get("delivery_service_provider_id")
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None or (isinstance(text, str) and is_name(text, ID)):
        return text
    raise UnreadableReply("`delivery_service_provider_id` is not an id")


def _waybill(value: Any) -> str | None:
    return value if isinstance(value, str) and is_name(value, TRACKING_NUMBER) else None


def _changed(body: Mapping[str, Any], where: str, look: SapoLook) -> datetime:
    moment = _time(body, _MODIFIED_ON, look)
    if moment is None:
        raise UnreadableReply(f"{where} has no `{_MODIFIED_ON}`")
    return moment


def _time(body: Mapping[str, Any], name: str, look: SapoLook) -> datetime | None:
    return parse_printed_time(body.get(name), name=name, seen_at=look.seen_at)


def _word(body: Mapping[str, Any], name: str, *, of: str) -> str | None:
    """Return a word, which any may be; None where it is null or absent."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise UnreadableReply(f"`{name}` of {of} is not a word")
    return value


def _member(body: Any, name: str, *, of: str) -> Any:
    if not isinstance(body, dict) or name not in body:
        raise UnreadableReply(f"{of} has no `{name}`")
    return body[name]
