"""What the carrier service keeps, and what it asks of the database."""

from __future__ import annotations

from typing import Protocol

from carrierflow.shop import Shop


__all__ = ["CallbackStore"]


class CallbackStore(Protocol):
    """What the callbacks read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`.
    """

    def shop(self, code: str) -> Shop:
        """Return a shop; raises `UnknownShop`."""
        ...
