"""How Sapo prints ids, times and money, and how a time is printed for it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.limits import MOST_CASH
from carrierflow.errors import BadTime
from carrierflow.platforms.http.replies import UnreadableReply


__all__ = ["is_number", "parse_amount", "parse_number", "parse_printed_time", "print_time"]

_ID = re.compile(r"[0-9]{1,20}")
"""Any number of 64 bits."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_AMOUNT = re.compile(r"([0-9]{1,15})(?:\.0{1,9})?")


def is_number(text: str) -> bool:
    """Tell whether a text can be an id of Sapo's, and so be part of an address."""
    return _ID.fullmatch(text) is not None


def parse_number(value: Any, *, of: str) -> str:
    """Return an id as text, whether it came as a number or as a text of digits.

    Raises:
        UnreadableReply: it is neither.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not is_number(text):
        raise UnreadableReply(f"{of} has an unreadable id")
    return text


def parse_printed_time(value: Any, *, name: str, seen_at: datetime) -> datetime | None:
    """Return a time as aware UTC, or None where nothing happened: that is null.

    Raises:
        UnreadableReply: it is no time, names no zone, or nothing can have happened then.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise UnreadableReply(f"`{name}` is not a time with a zone")
    try:
        moment = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableReply(f"`{name}` does not exist in the calendar") from None
    if not EARLIEST <= moment <= seen_at + AHEAD:
        raise UnreadableReply(f"`{name}` is no time at which this can have happened")
    return moment


def print_time(moment: datetime) -> str:
    """Print a time for a filter, as Sapo prints its own: in UTC, cut to the second.

    Raises:
        BadTime: it has no zone, or lies beyond the calendar in UTC.
    """
    if moment.utcoffset() is None:
        raise BadTime(moment.isoformat(), why="has no zone")
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        raise BadTime(moment.isoformat(), why="does not exist in the calendar") from None
    return f"{utc.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def parse_amount(value: Any, *, name: str) -> int | None:
    """Return an amount in whole đồng, or None where there is none; it is never rounded.

    Raises:
        UnreadableReply: it is negative, has a fraction of a đồng, is no number or too large.
    """
    if value is None:
        return None
    match = None if isinstance(value, bool) else _AMOUNT.fullmatch(str(value))
    if match is None or int(match[1]) > MOST_CASH:
        raise UnreadableReply(f"`{name}` is not an amount in whole đồng")
    return int(match[1])
