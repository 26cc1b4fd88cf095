"""Haravan's spellings and ours, both ways: status words, paths, times and money.

The facts are those of Haravan's Fulfillment API reference (codes, PUT segments, date fields,
printed times), of its Order API reference (filters), and of its "Connect carrier" tutorial
(callback words). A word that is in no table here has no status, and the display names, which
are ambiguous, are never looked at.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote

from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.limits import WORD, cut
from carrierflow.domain.model import FulfillmentRef, Machine, RemoteWord, Status
from carrierflow.errors import BadTime, InvalidInput, UnknownStatus


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "CALLBACK_WORDS",
    "CARRIER_CODES",
    "COD_CODES",
    "DATE_FIELDS",
    "PUT_SEGMENTS",
    "callback_word",
    "check_id",
    "format_time",
    "is_id",
    "parse_callback_word",
    "parse_code",
    "parse_moment",
    "parse_money",
    "parse_time",
    "put_path",
]

CARRIER_CODES: Mapping[str, Status] = {
    "pending": Status.PENDING,
    "readytopick": Status.READYTOPICK,
    "picking": Status.PICKING,
    "delivering": Status.DELIVERING,
    "delivered": Status.DELIVERED,
    "notmeetcustomer": Status.NOTMEETCUSTOMER,
    "waitingforreturn": Status.WAITINGFORRETURN,
    "return": Status.RETURN,
    "cancel": Status.CANCEL,
}
"""What `carrier_status_code` may say (Fulfillment API reference, properties)."""

COD_CODES: Mapping[str, Status] = {
    "none": Status.NONE,
    "codpending": Status.CODPENDING,
    "codpaid": Status.CODPAID,
    "codreceipt": Status.CODRECEIPT,
    "codnotreceipt": Status.CODNOTRECEIPT,
}
"""What `carrier_cod_status_code` may say; the last one is known by its date field only."""

PUT_SEGMENTS: Mapping[Status, str] = {
    Status.PICKING: "picking",
    Status.DELIVERING: "delivering",
    Status.DELIVERED: "delivered",
    Status.NOTMEETCUSTOMER: "not_meet_customer",
    Status.WAITINGFORRETURN: "waiting_for_return",
    Status.RETURN: "return",
    Status.CANCEL: "cancel",
    Status.CODPAID: "paid",
    Status.CODRECEIPT: "receipt",
}
"""The last part of the path of each status PUT; what is absent cannot be told to Haravan."""

CALLBACK_WORDS: Mapping[Status, str] = {
    Status.PENDING: "Pending",
    Status.READYTOPICK: "ReadyToPick",
    Status.PICKING: "Picking",
    Status.DELIVERING: "Delivering",
    Status.DELIVERED: "Delivered",
    Status.NOTMEETCUSTOMER: "NotMeetCustomer",
    Status.WAITINGFORRETURN: "WaitingForReturn",
    Status.RETURN: "Return",
    Status.CANCEL: "Cancel",
    Status.NONE: "None",
    Status.CODPENDING: "CODPending",
    Status.CODPAID: "CODPaid",
    Status.CODRECEIPT: "CODReceipt",
    Status.CODNOTRECEIPT: "CODNotReceipt",
}
"""How the carrier callbacks spell each status (Connect carrier tutorial)."""

DATE_FIELDS: Mapping[Status, str] = {
    Status.READYTOPICK: "ready_to_pick_date",
    Status.PICKING: "picking_date",
    Status.DELIVERING: "delivering_date",
    Status.DELIVERED: "delivered_date",
    Status.NOTMEETCUSTOMER: "not_meet_customer_date",
    Status.WAITINGFORRETURN: "waiting_for_return_date",
    Status.RETURN: "return_date",
    Status.CANCEL: "cancel_date",
    Status.CODPENDING: "cod_pending_date",
    Status.CODPAID: "cod_paid_date",
    Status.CODRECEIPT: "cod_receipt_date",
    Status.CODNOTRECEIPT: "cod_not_receipt_date",
}
"""Where a fulfillment says since when; `pending` and `none` have no date."""

_STATUS_BY_CALLBACK_WORD = {word.casefold(): status for status, word in CALLBACK_WORDS.items()}
_PUT_RESOURCES = {Machine.DELIVERY: "carrier_status", Machine.COD: "cod_status"}
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d)", flags=re.ASCII
)
_MONEY = re.compile(r"-?\d{1,22}(?:\.0{1,4})?", flags=re.ASCII)
_ID = re.compile(r"[0-9]{1,20}")
"""Any number of 64 bits."""
_CUT_SHORT = 80


def check_id(value: object) -> str:
    """Return an id as text, whether it came as a number or as a string.

    Raises:
        InvalidInput: it is neither, or none of the up to 20 digits that an id has.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_id(text):
        raise InvalidInput(f"{str(value)[:_CUT_SHORT]!r} is not an id; ids are digits.")
    return text


def is_id(text: str) -> bool:
    """Tell whether a text can be an id of Haravan's at all, and so be part of an address."""
    return _ID.fullmatch(text) is not None


def parse_code(code: object, codes: Mapping[str, Status]) -> RemoteWord:
    """Return an API code with the status that one of the tables has for it, or none."""
    # A null is no reason to give up the other fulfillments of the page: it is one more word
    # that we do not know.
    raw = "" if code is None else str(code)
    status = codes.get(raw)
    return RemoteWord(raw=cut(raw, WORD), status=None) if status is None else _word(raw, status)


@lru_cache(maxsize=64)
def _word(raw: str, status: Status) -> RemoteWord:
    """Return a word that is known: every row says one of a few."""
    return RemoteWord(raw=raw, status=status)


def callback_word(status: Status) -> str:
    """Return the word for a status in the answers to Haravan's carrier callbacks."""
    return CALLBACK_WORDS[status]


def parse_callback_word(word: str) -> Status:
    """Return the status that a callback word names; Haravan itself is careless about case.

    Raises:
        UnknownStatus: for any other word; it is never mapped to a default.
    """
    try:
        return _STATUS_BY_CALLBACK_WORD[word.casefold()]
    except KeyError:
        raise UnknownStatus(word, known=tuple(CALLBACK_WORDS.values())) from None


def put_path(ref: FulfillmentRef, status: Status) -> str:
    """Return the path below `/com` that tells Haravan a status.

    Raises:
        UnknownStatus: for one that Haravan has no path for.
    """
    segment = PUT_SEGMENTS.get(status)
    if segment is None:
        raise UnknownStatus(status.value, known=tuple(PUT_SEGMENTS))
    resource = _PUT_RESOURCES[status.machine]
    order_id, fulfillment_id = quote(ref.order_id, safe=""), quote(ref.fulfillment_id, safe="")
    return f"/orders/{order_id}/fulfillments/{fulfillment_id}/{resource}/{segment}.json"


def parse_time(text: str) -> datetime:
    """Return a printed time as aware UTC; digits beyond the microsecond are cut off.

    Haravan prints 0 to 7 fractional digits, trailing zeros trimmed (Fulfillment API reference,
    examples).

    Raises:
        BadTime: it is no such time, or names no zone.
    """
    if not _TIME.fullmatch(text):
        raise BadTime(text[:_CUT_SHORT], why="is not a time with a zone")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTime(text, why="does not exist in the calendar") from None


def parse_moment(text: str, *, seen_at: datetime) -> datetime:
    """Return a printed time at which something can have happened by the time it was seen.

    Platforms print the year 1 for what never happened, and the year 9999 for what never will.

    Raises:
        BadTime: as `parse_time`; or it is too early for any parcel, or lies ahead.
    """
    moment = parse_time(text)
    if not EARLIEST <= moment <= seen_at + AHEAD:
        raise BadTime(text, why="is no time at which this can have happened")
    return moment


def format_time(moment: datetime) -> str:
    """Print a time as Haravan's filters take it, cut to the millisecond so as to lose nothing.

    Raises:
        BadTime: it has no zone, which Haravan would read in one that nobody has documented; or
            it lies beyond the calendar in UTC.
    """
    if moment.utcoffset() is None:
        raise BadTime(moment.isoformat(), why="has no zone")
    try:
        utc = moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise BadTime(moment.isoformat(), why="does not exist in the calendar") from None
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def parse_money(amount: str | int) -> int:
    """Return an amount in whole đồng; decimal text with only zeros behind the point will do.

    Raises:
        InvalidInput: it is no such amount, or has a fraction of a đồng.
    """
    text = str(amount)
    if isinstance(amount, bool) or not _MONEY.fullmatch(text):
        raise InvalidInput(
            f"{text[:_CUT_SHORT]!r} is not an amount in whole đồng; it is never rounded."
        )
    return int(text.partition(".")[0])
