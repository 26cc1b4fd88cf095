"""Time as Haravan keeps it: whole ticks of 100 nanoseconds, printed in three ways.

Haravan runs on .NET, whose clock counts ticks. What a call has just written is printed with all of
them; what is read back later has been rounded by the database.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from carrierflow.sandbox.clocks import TICKS_PER_SECOND, to_datetime, to_ticks


__all__ = [
    "HALF_UP_MILLISECONDS",
    "HALF_UP_SECONDS",
    "parse",
    "printed_fresh",
    "printed_milliseconds",
    "printed_seconds",
    "rounded",
]

HALF_UP_MILLISECONDS = 10_000
HALF_UP_SECONDS = TICKS_PER_SECOND

_DIGITS = 7
_TIME = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)[T ](?P<time>\d\d:\d\d(:\d\d)?)"
    r"(\.(?P<fraction>\d{1,7}))?(?P<zone>Z|[+-]\d\d:\d\d)?"
)

# Haravan's shops report "(GMT+07:00) Hanoi". In which zone a filter date without one is read is not
# documented; the shop's own zone is the likeliest.
_SHOP_ZONE = timezone(timedelta(hours=7))


def parse(text: str) -> int:
    """Read a time as Haravan prints or accepts it, with 0 to 7 fractional digits.

    Raises:
        ValueError: if the text is no time.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a time.")
    moment = datetime.fromisoformat(f"{match['day']}T{match['time']}{match['zone'] or ''}")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_SHOP_ZONE)
    return to_ticks(moment) + int((match["fraction"] or "").ljust(_DIGITS, "0"))


def rounded(ticks: int, unit: int) -> int:
    """Round half up to whole units, as the platform's database does when it stores a time."""
    return (ticks + unit // 2) // unit * unit


def printed_fresh(ticks: int) -> str:
    """Print a time as the call that wrote it does: up to seven digits, zeros trimmed."""
    seconds, fraction = divmod(ticks, TICKS_PER_SECOND)
    base = to_datetime(seconds * TICKS_PER_SECOND).strftime("%Y-%m-%dT%H:%M:%S")
    digits = f"{fraction:07d}".rstrip("0")
    return f"{base}.{digits}Z" if digits else f"{base}Z"


def printed_milliseconds(ticks: int) -> str:
    """Print `created_at` or `updated_at` as a later read does."""
    return printed_fresh(rounded(ticks, HALF_UP_MILLISECONDS))


def printed_seconds(ticks: int) -> str:
    """Print the date of a delivery or COD status as a later read does."""
    return printed_fresh(rounded(ticks, HALF_UP_SECONDS))
