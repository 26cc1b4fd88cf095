"""The detail of one Onflow shipment, read into our data: strict about every value that is used.

Of what "Get B2C shipment detail" prints, three things are indispensable: the tracking code, the
number of the status, and at least one time. Times are whole numbers of seconds since 1970, and
null where nothing happened. No field says what cash there is to collect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from carrierflow.domain.canonical import digest
from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.limits import TRACKING_NUMBER, is_name
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RemoteWord,
    Status,
    Unreadable,
)
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.onflow.stages import STAGE_TIMES, stage


__all__ = ["ShipmentQuestion", "as_order", "read_shipment"]

_CREATED, _UPDATED = "created_time", "updated_time"
_DATED = {_CREATED: Status.PENDING, **dict([*STAGE_TIMES.items()][::-1])}
"""The times in the order in which they come; of two that date one status, the first does."""
_NO_CASH = RemoteWord(raw="", status=Status.NONE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipmentQuestion:
    """Which shipment was asked for, in which shop's name, and when."""

    shop: str
    code: str
    asked_at: datetime
    seen_at: datetime


def read_shipment(detail: Mapping[str, Any], asked: ShipmentQuestion) -> Observation | Unreadable:
    """Read the detail of a shipment; one that cannot be read comes as such.

    Raises:
        UnreadableReply: it is the detail of another shipment.
    """
    named = detail.get("tracking_code")
    if isinstance(named, str) and named != asked.code:
        raise UnreadableReply("the reply is about another shipment")
    try:
        return _observation(detail, asked)
    except UnreadableReply as flaw:
        return Unreadable(
            place="data",
            reason=flaw.reason,
            digest=digest(json.dumps(detail, sort_keys=True)),
            order_id=asked.code,
            fulfillment_id=asked.code,
        )


def as_order(code: str, found: Observation | Unreadable) -> RemoteOrder:
    """Return a shipment as the order that it is by itself: Onflow shows no orders."""
    if isinstance(found, Unreadable):
        return RemoteOrder(
            order_id=code, updated_at=None, cancelled=False, fulfillments=(), unreadable=(found,)
        )
    return RemoteOrder(
        order_id=code, updated_at=found.updated_at, cancelled=False, fulfillments=(found,)
    )


def _observation(detail: Mapping[str, Any], asked: ShipmentQuestion) -> Observation:
    if not isinstance(detail.get("tracking_code"), str):
        raise UnreadableReply("the shipment has no `tracking_code`")
    info = _status_info(detail)
    times = {name: _time(detail, name, asked) for name in _DATED}
    dates = _dates(times)
    changed = _time(detail, _UPDATED, asked)
    updated_at = changed or _latest(_time(info, _UPDATED, asked), *times.values())
    passed = {name: times[name] is not None for name in STAGE_TIMES if name in detail}
    return Observation(
        ref=FulfillmentRef(shop=asked.shop, order_id=asked.code, fulfillment_id=asked.code),
        asked_at=asked.asked_at,
        seen_at=asked.seen_at,
        carrier=stage(info["value"], passed),
        cod=_NO_CASH,
        updated_at=updated_at,
        updated_at_raw=_printed(updated_at),
        created_at=times[_CREATED],
        dates=dates,
        dates_raw={status: _printed(moment) for status, moment in dates.items()},
        tracking_number=_waybill(detail.get("courier_tracking_code")),
        source="detail",
    )


def _status_info(detail: Mapping[str, Any]) -> Mapping[str, Any]:
    info = detail.get("status_info")
    if not isinstance(info, dict):
        raise UnreadableReply("the shipment has no `status_info`")
    if not _is_whole(info.get("value")):
        raise UnreadableReply("`value` of its status is not a whole number")
    return info


def _latest(*moments: datetime | None) -> datetime:
    known = [moment for moment in moments if moment is not None]
    if not known:
        raise UnreadableReply("the shipment shows no time at all")
    return max(known)


def _dates(times: Mapping[str, datetime | None]) -> dict[Status, datetime]:
    dates: dict[Status, datetime] = {}
    for name, status in _DATED.items():
        moment = times[name]
        if moment is not None:
            dates.setdefault(status, moment)
    return dates


def _time(body: Mapping[str, Any], name: str, asked: ShipmentQuestion) -> datetime | None:
    """Return a time, or None where nothing happened; any other value spoils the row."""
    value = body.get(name)
    if value is None:
        return None
    if not _is_whole(value):
        raise UnreadableReply(f"`{name}` is not a whole number of seconds")
    if not EARLIEST.timestamp() <= value <= (asked.seen_at + AHEAD).timestamp():
        raise UnreadableReply(f"`{name}` is no time at which this can have happened")
    return datetime.fromtimestamp(value, UTC)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _printed(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def _waybill(value: Any) -> str | None:
    """Return the courier's own number; it is new to the ledger, or not there at all."""
    return value if isinstance(value, str) and is_name(value, TRACKING_NUMBER) else None
