"""A budget of requests that counts what is spent, and can be empty."""

from __future__ import annotations

from carrierflow.errors import Throttled


__all__ = ["Wallet"]


class Wallet:
    """The port `Budget`, kept in memory."""

    def __init__(self) -> None:
        self.left: int | None = None
        """How many requests may leave still; None for any number."""
        self.spent = 0
        self.pauses: list[float] = []

    def spend(self) -> None:
        """Count one request; raises `Throttled` where nothing is left."""
        if self.left is not None:
            if self.left <= 0:
                raise Throttled(retry_after=60.0)
            self.left -= 1
        self.spent += 1

    def room(self, seconds: float) -> int:
        """Allow a hundred requests a second."""
        return int(seconds * 100)

    def learn_used(self, used: int) -> None:
        """Hear what the platform counts."""

    def pause(self, seconds: float) -> None:
        """Remember how long to be quiet."""
        self.pauses.append(seconds)
