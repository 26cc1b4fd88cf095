"""Shops as they become due: the built-in loop's own way from the queue to its threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from carrierflow.domain.clock import Clock, Sleep
from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import Stop
from carrierflow.errors import CarrierflowError, Interrupted, TryLater
from carrierflow.reconcile.ports import ShopQueue


__all__ = ["DueShops"]

log = logging.getLogger(__name__)

POLL = 1.0
"""Seconds until the database is asked again that had no more shops due."""

AFTER_FAILURE = 5.0
"""Seconds until a database is asked again that did not answer."""


class DueShops:
    """Claims due shops a few at a time, just before their turn.

    While a database does not answer nothing is due, and it is asked again.
    """

    def __init__(
        self,
        queue: ShopQueue,
        *,
        hold: timedelta,
        clock: Clock,
        sleep: Sleep,
        stop: Stop,
        until_idle: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._hold = hold
        self._clock = clock
        self._sleep = sleep
        self._stop = stop
        self._until_idle = until_idle
        self._monotonic = monotonic
        self._next_ask = monotonic()
        self._none_left = False

    def take(self, most: int, *, idle: bool) -> Sequence[Shop]:
        """Claim so many shops, or as many as are due; whoever is idle waits for the next look."""
        waits = self._next_ask - self._monotonic()
        if waits > 0 and not (idle and self._until_idle):
            if idle:
                with suppress(Interrupted):
                    self._sleep(waits)
            return ()
        found = self._asked(most)
        if len(found) < most:
            self._next_ask = max(self._next_ask, self._monotonic() + POLL)
        self._none_left = self._until_idle and idle and not found
        return found

    def _asked(self, most: int) -> Sequence[Shop]:
        try:
            return self._queue.due(most, self._hold, now=self._clock())
        except TryLater as error:
            if self._until_idle:
                raise
            log.warning("carrierflow.queue_unavailable", extra={"reason": str(error)})
            self._next_ask = self._monotonic() + AFTER_FAILURE
            return ()

    def is_over(self) -> bool:
        """Tell whether nobody is to be begun with any more."""
        return self._none_left or self._stop()

    def give_back(self, codes: Sequence[str]) -> None:
        """Offer shops again that were claimed and not begun with, if the database lets us."""
        if codes:
            with suppress(CarrierflowError):  # else they are offered when their claims run out
                self._queue.give_back(codes)
