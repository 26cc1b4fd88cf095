"""The leaky bucket that a platform keeps for each shop, counted exactly.

Its level is a whole number or a fraction of ten-millionths of a request, so that neither a long run
nor a fractional second makes it drift.
"""

from __future__ import annotations

from fractions import Fraction

from carrierflow.sandbox.clocks import TICKS_PER_SECOND


__all__ = ["LeakyBucket"]


class LeakyBucket:
    """Lets a request pass while there is room for it, and says how full it is."""

    def __init__(self, *, size: int = 80, leak_per_second: int | Fraction = 4) -> None:
        if size < 1 or leak_per_second <= 0:
            raise ValueError("A bucket holds at least one request, and leaks.")
        self.size = size
        self.leak_per_second = leak_per_second
        self._level: int | Fraction = 0
        self._at: int | None = None

    def take(self, now: int) -> bool:
        """Put one request in and return whether there was room; a refused request adds nothing."""
        self._leak(now)
        if self._level + TICKS_PER_SECOND > self.size * TICKS_PER_SECOND:
            return False
        self._level += TICKS_PER_SECOND
        return True

    def used(self, now: int) -> int:
        """Return how many requests the bucket holds, a started one counted whole."""
        self._leak(now)
        return int(-(-self._level // TICKS_PER_SECOND))

    def header(self, now: int) -> str:
        """Return the value of the header that tells how full the bucket is, like `32/80`."""
        return f"{self.used(now)}/{self.size}"

    @property
    def full_header(self) -> str:
        """The value of the header beside a refusal."""
        return f"{self.size}/{self.size}"

    def empty(self) -> None:
        """Forget every request."""
        self._level = 0

    def _leak(self, now: int) -> None:
        elapsed = max(0, now - self._at) if self._at is not None else 0
        self._level = max(0, self._level - elapsed * self.leak_per_second)
        self._at = max(now, self._at) if self._at is not None else now
