"""Times as people and scanners write them: ISO 8601 with a zone, and nothing that is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from carrierflow.errors import BadTime


__all__ = ["parse_time"]

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{0,9}))?)?"
    r"(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?",
    flags=re.ASCII,
)
_LONGEST = 40
_WIDEST_OFFSET = timedelta(hours=14)
_ENDS = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Beyond these a moment has no date in some place, and cannot be shown there."""

_UNREADABLE = (
    (r"\s*", "is empty"),
    (
        r"[+-]?\d+([.,]\d*)?([eE][+-]?\d+)?",
        "is a bare number, which may count seconds, milliseconds or days",
    ),
    (r"\d{1,2}([-/.])\d{1,2}\1\d{2,4}\b.*", "may mean day and month in either order"),
    (r"\d{4}-\d\d-\d\d", "has no time of day"),
)
"""What is refused for a reason of its own; everything else is just not ISO 8601."""


def parse_time(text: str) -> datetime:
    """Return the moment that a text names, as an aware UTC datetime.

    Digits beyond the microsecond are cut off, never rounded: a rounded time could lie after
    the moment at which it was written.

    Raises:
        BadTime: if it has no zone, does not exist, or could mean more than one moment.
    """
    if len(text) > _LONGEST:
        raise BadTime("…", why=f"has {len(text)} characters")
    found = _TIME.fullmatch(text)
    if found is None:
        raise BadTime(text, why=_why_unreadable(text))
    year, month, day, hour, minute, second, fraction, *zone = found.groups()
    if not any(zone):
        raise BadTime(text, why="has no time zone")
    date = (int(year), int(month), int(day))
    micros = int((fraction or "")[:6].ljust(6, "0"))
    offset = _offset(text, *zone[1:])
    try:
        naive = datetime(*date, int(hour), int(minute), int(second or 0), micros)  # noqa: DTZ001
        moment = naive.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadTime(text, why="does not exist") from error
    if not _ENDS[0] <= moment <= _ENDS[1]:
        raise BadTime(text, why="does not exist everywhere")
    return moment


def _offset(text: str, sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset > _WIDEST_OFFSET or int(minutes or 0) >= 60:  # noqa: PLR2004 (minutes of an hour)
        raise BadTime(text, why="has a time zone that no place has")
    return -offset if sign == "-" else offset


def _why_unreadable(text: str) -> str:
    for pattern, why in _UNREADABLE:
        if re.fullmatch(pattern, text, flags=re.ASCII | re.DOTALL):
            return why
    return "is not ISO 8601"
