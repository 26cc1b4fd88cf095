"""The time of a world, and the requests that are still on their way to it."""

from __future__ import annotations

import heapq
import threading
from itertools import count
from typing import TYPE_CHECKING

from carrierflow.domain import clock as real_clock
from carrierflow.sandbox.clocks import TICKS_PER_SECOND, tick_reader


if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


__all__ = ["WorldClock"]


class WorldClock:
    """What a world tells the time by; what is late is done when the world is next touched.

    Whoever shares a world between threads holds `lock` while touching it, and lets go of it while
    calling anybody.
    """

    def __init__(self, clock: Callable[[], datetime] = real_clock.now) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self._read_ticks = tick_reader(clock)
        self._instant: int | None = None
        self.forget_late()

    def forget_late(self) -> None:
        """Forget every request that is still on its way."""
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._sequence = count()

    def now(self) -> int:
        """Return the present moment in ticks; for a late request, the moment it was due."""
        return self._instant if self._instant is not None else self._read_ticks()

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something when the world is next touched at or after a delay, as of the time due."""
        due = self.now() + round(seconds * TICKS_PER_SECOND)
        heapq.heappush(self._due, (due, next(self._sequence), action))

    def settle(self) -> None:
        """Apply everything that has fallen due, in the order in which it did."""
        if self._instant is not None:
            return
        while self._due and self._due[0][0] <= self._read_ticks():
            self._instant, _, action = heapq.heappop(self._due)
            try:
                action()
            finally:
                self._instant = None

    def next_due(self) -> int | None:
        """Return when the next late request is due, in ticks, or None if none is waiting."""
        return self._due[0][0] if self._due else None
