"""The only source of time: aware, UTC, and replaceable by whoever builds the parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


__all__ = ["AHEAD", "EARLIEST", "Clock", "Sleep", "minutes", "now", "seconds", "sleep"]

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
"""Before any parcel of ours; clocks and spreadsheets that lost the time are at 1, 1899 or 1970."""

AHEAD = timedelta(days=1)
"""How far somebody else's clock may be ahead of ours before we take its time for no time."""


def now() -> datetime:
    """Return the present moment as an aware UTC datetime."""
    return datetime.now(UTC)


def sleep(duration: float) -> None:
    """Wait for some seconds; simulated processes are given another one."""
    time.sleep(duration)


def seconds(count: float) -> timedelta:
    """Return a span of so many seconds."""
    return timedelta(seconds=count)


def minutes(count: float) -> timedelta:
    """Return a span of so many minutes."""
    return timedelta(minutes=count)
