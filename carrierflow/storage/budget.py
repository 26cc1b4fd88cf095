"""A shop's allowance of requests, kept in the shop's row: GCRA, one conditional UPDATE each.

`rate_until_us` is GCRA's theoretical arrival time: how far into the future the requests made so
far reach if they were spread evenly. A request may leave if that stays within the bucket.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Update,
    bindparam,
    case,
    select,
    update,
)

from carrierflow.domain.clock import Sleep
from carrierflow.domain.shop import Shop
from carrierflow.errors import Throttled
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.tables import shops


__all__ = ["BudgetRate", "ShopBudget"]

MICROSECONDS = 1_000_000
SHORTEST_WAIT = 0.001


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRate:
    """A leaky bucket: how much it holds, how fast it leaks, and what we leave unused.

    Two stay unused, for what bunches up on the way, and ten for people: batch work does not
    touch them.
    """

    bucket: int
    leak: float
    """Requests a second."""
    unused: int = 2
    interactive: int = 10
    longest_pause: float = 300
    """Seconds: whatever the platform says, no request waits longer for it."""
    longest_wait: float = 60
    """Seconds that one request waits for its turn; beyond them its caller comes again later."""

    @property
    def interval_us(self) -> int:
        """How long one request takes to leak away."""
        return round(MICROSECONDS / self.leak)


class ShopBudget:
    """The budget of one shop; every process that talks to the shop shares it."""

    def __init__(
        self,
        shop: Shop,
        begin: Callable[[], AbstractContextManager[Connection]],
        *,
        rate: BudgetRate,
        clock: DatabaseClock,
        sleep: Sleep,
        interactive: bool = False,
    ) -> None:
        self._shop = shop.id
        self._begin = begin
        self._clock = clock
        self._sleep = sleep
        self._interval = rate.interval_us
        kept_free = rate.unused + (0 if interactive else rate.interactive)
        self._reach = max(1, rate.bucket - kept_free) * self._interval
        self._bucket = rate.bucket
        self._longest_pause = rate.longest_pause
        self._longest_wait = rate.longest_wait

    def spend(self) -> None:
        """Wait until one request may leave, and count it.

        Raises:
            Throttled: if that takes longer than one request waits.
        """
        waited = 0.0
        while wait := self._try_to_spend():
            if waited + wait > self._longest_wait:
                raise Throttled(retry_after=wait)
            self._sleep(wait)
            waited += wait

    def room(self, seconds: float) -> int:
        """Return about how many requests may leave within a span, the present burst included."""
        with self._begin() as connection:
            now = self._clock.microseconds(connection.dialect.name)
            query = select(shops.c.rate_until_us, now).where(shops.c.id == self._shop)
            until, present = connection.execute(query).one()
        ahead = min(max(0, until - present), self._bucket * self._interval)
        free_us: int = self._reach - ahead + round(seconds * MICROSECONDS)
        return free_us // self._interval

    def learn_used(self, used: int) -> None:
        """Take over the platform's own count of requests where it is higher than ours.

        A bucket holds no more than it holds, whatever a header says; and no header makes the
        next request wait longer than the longest pause.
        """
        in_bucket = min(used, self._bucket) * self._interval
        latest = self._reach - self._interval + round(self._longest_pause * MICROSECONDS)
        with self._begin() as connection:
            seen = self._clock.microseconds(connection.dialect.name) + min(in_bucket, latest)
            connection.execute(self._change(shops.c.rate_until_us < seen, rate_until_us=seen))

    def pause(self, seconds: float) -> None:
        """Let no request leave for so long, or for the longest pause: the platform said so."""
        span = round(min(seconds, self._longest_pause) * MICROSECONDS)
        with self._begin() as connection:
            until = self._clock.microseconds(connection.dialect.name) + span
            connection.execute(self._change(shops.c.paused_until_us < until, paused_until_us=until))

    def _try_to_spend(self) -> float:
        """Count one request if there is room; else return how many seconds to wait."""
        with self._begin() as connection:
            one = _one_request(self._clock, connection.dialect.name)
            mine = {"this": self._shop, "interval": self._interval, "reach": self._reach}
            spent = connection.execute(one, mine).rowcount
            return 0.0 if spent else self._wait(connection)

    def _wait(self, connection: Connection) -> float:
        now = self._clock.microseconds(connection.dialect.name)
        query = select(shops.c.rate_until_us, shops.c.paused_until_us, now)
        until, paused, present = connection.execute(query.where(shops.c.id == self._shop)).one()
        until, paused = self._bounded(connection, until, paused, present)
        room_at: int = until + self._interval - self._reach
        wait_us: int = max(room_at, paused) - present
        return max(SHORTEST_WAIT, wait_us / MICROSECONDS)

    def _bounded(
        self, connection: Connection, until: int, paused: int, present: int
    ) -> tuple[int, int]:
        """Bring a shop back that is blocked for longer than it can be.

        Another version wrote that, other settings, or a server whose clock was put back since.
        """
        latest = present + round(self._longest_pause * MICROSECONDS)
        bounds = min(until, present + self._bucket * self._interval), min(paused, latest)
        if bounds != (until, paused):
            as_read = (shops.c.rate_until_us == until) & (shops.c.paused_until_us == paused)
            values = {"rate_until_us": bounds[0], "paused_until_us": bounds[1]}
            connection.execute(self._change(as_read, **values))
        return bounds

    def _change(self, condition: ColumnElement[bool], **values: object) -> Update:
        return update(shops).where(shops.c.id == self._shop, condition).values(**values)


@lru_cache(maxsize=8)
def _one_request(clock: DatabaseClock, dialect: str) -> Update:
    """Return the statement that counts one request of a shop where there is room for it.

    Each run executes it, and to put it together takes longer than that.
    """
    now = clock.microseconds(dialect)
    interval, reach = (bindparam(name, type_=BigInteger()) for name in ("interval", "reach"))
    begun = case((shops.c.rate_until_us > now, shops.c.rate_until_us), else_=now)
    return (
        update(shops)
        .where(
            shops.c.id == bindparam("this"),
            shops.c.paused_until_us <= now,
            begun + interval <= now + reach,
        )
        .values(rate_until_us=begun + interval)
    )
