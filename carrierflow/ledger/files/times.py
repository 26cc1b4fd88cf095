"""Times as people and scanners write them: nothing in them is guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from carrierflow.errors import BadTime


__all__ = ["parse_time", "parse_time_by"]

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


def parse_time(text: str, *, zone: tzinfo | None = None) -> datetime:
    """Return the moment that a text in ISO 8601 names, as an aware UTC datetime.

    A text without a zone of its own is of `zone`.

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
    year, month, day, hour, minute, second, fraction, *given = found.groups()
    if zone is None and not any(given):
        raise BadTime(text, why="has no time zone")
    date = (int(year), int(month), int(day))
    micros = int((fraction or "")[:6].ljust(6, "0"))
    own = timezone(_offset(text, *given[1:])) if any(given) else zone
    try:
        naive = datetime(*date, int(hour), int(minute), int(second or 0), micros)  # noqa: DTZ001
    except ValueError as error:
        raise BadTime(text, why="does not exist") from error
    return _placed(text, naive, own)


def parse_time_by(form: str, text: str, *, zone: tzinfo | None) -> datetime:
    """Return the moment that a text in a given form of `strptime` names, as UTC.

    Raises:
        BadTime: if it is not in that form, has no zone and is given none, or does not exist.
    """
    if len(text) > _LONGEST:
        raise BadTime("…", why=f"has {len(text)} characters")
    try:
        found = datetime.strptime(text, form)  # noqa: DTZ007 (placed below)
    except ValueError:
        raise BadTime(text, why=f"is not of the form {form}", example=None) from None
    return _placed(text, found.replace(tzinfo=None), found.tzinfo or zone)


def _placed(text: str, naive: datetime, zone: tzinfo | None) -> datetime:
    """Return the one moment that a clock in a zone shows so."""
    if zone is None:
        raise BadTime(text, why="has no time zone")
    here = naive.replace(tzinfo=zone)
    if here.utcoffset() != here.replace(fold=1).utcoffset():
        raise BadTime(text, why=f"is no moment, or two, in {zone}")
    try:
        moment = here.astimezone(UTC)
    except OverflowError as error:
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
