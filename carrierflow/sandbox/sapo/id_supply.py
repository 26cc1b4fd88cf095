"""Where the numbers and codes of new things come from."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import count


__all__ = ["IdSupply"]

_IN_VIETNAM = timezone(timedelta(hours=7))


class IdSupply:
    """Numbers that only grow, from about where the seed's samples stand.

    A parcel and its lines draw from one row of numbers, the lines first: in every sample a parcel's
    number is that of its last line and one.
    """

    def __init__(self) -> None:
        self._orders = count(15_415_311)
        self._order_lines = count(24_793_296)
        self._parcels = count(34_133_536)
        self._addresses = count(18_328_300)
        self._prepayments = count(3_473_900)
        self._payments = count(16_336_400)
        self._deposits = count(83_500)
        self._of_day: Counter[str] = Counter()

    def order(self) -> int:
        """Return the number of a new order."""
        return next(self._orders)

    def order_line(self) -> int:
        """Return the number of a new line of an order."""
        return next(self._order_lines)

    def parcel(self) -> int:
        """Return the number of a new parcel, or of a line in one."""
        return next(self._parcels)

    def address(self) -> int:
        """Return the number of a new address."""
        return next(self._addresses)

    def prepayment(self) -> int:
        """Return the number of a new prepayment."""
        return next(self._prepayments)

    def payment(self) -> int:
        """Return the number of a new payment."""
        return next(self._payments)

    def deposit(self) -> int:
        """Return the number of a new shipper's deposit."""
        return next(self._deposits)

    def code(self, prefix: str, at: int) -> str:
        """Return a code like `FU0907187`: prefix, day in Việt Nam, number within the day."""
        stem = prefix + datetime.fromtimestamp(at, _IN_VIETNAM).strftime("%d%m%y")
        self._of_day[stem] += 1
        return f"{stem}{self._of_day[stem]}"
