"""Time as a sandbox counts it: whole ticks of 100 nanoseconds since 1970.

The finest clock among the platforms counts these, and `datetime` cannot hold its seventh digit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from carrierflow.domain import clock as real_clock


if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["TICKS_PER_SECOND", "ManualClock", "tick_reader", "to_datetime", "to_ticks"]

TICKS_PER_SECOND = 10_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ManualClock:
    """A clock that stands still until it is told to move, precise to one tick."""

    def __init__(self, start: datetime | None = None) -> None:
        self._ticks = to_ticks(start or real_clock.now())

    def __call__(self) -> datetime:
        """Return the present moment, cut to the microseconds that a datetime can hold."""
        return to_datetime(self._ticks)

    def ticks(self) -> int:
        """Return the present moment in ticks since 1970."""
        return self._ticks

    def set(self, moment: int) -> None:
        """Jump to a moment given in ticks since 1970."""
        self._ticks = moment

    def advance(self, seconds: float) -> None:
        """Move forward; a clock that runs backwards is a mistake of the test.

        Raises:
            ValueError: if the span is negative.
        """
        if seconds < 0:
            raise ValueError(f"A clock cannot be advanced by {seconds} seconds.")
        self._ticks += round(seconds * TICKS_PER_SECOND)


def tick_reader(clock: Callable[[], datetime]) -> Callable[[], int]:
    """Return a function that reads the clock in ticks, without loss where the clock counts them."""
    if isinstance(clock, ManualClock):
        return clock.ticks
    return lambda: to_ticks(clock())


def to_ticks(moment: datetime) -> int:
    """Return an aware datetime as ticks since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1) * 10


def to_datetime(ticks: int) -> datetime:
    """Return ticks as an aware UTC datetime; the seventh digit is cut off."""
    return _EPOCH + timedelta(microseconds=ticks // 10)
