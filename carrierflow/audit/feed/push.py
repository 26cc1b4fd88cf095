"""Pushing what happened to others, signed: at least once, and in the order of the log.

A message holds some entries, goes to a destination by HTTP POST, and is followed by the next one
only when it was taken. So nothing is out of order there; what was taken and not answered for comes
a second time, under the same id.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from carrierflow.audit.feed.feed import Feed
from carrierflow.audit.feed.passage import DeliveryEnd, Destination, Passage
from carrierflow.domain.clock import Clock
from carrierflow.domain.destination import DestinationStanding
from carrierflow.domain.waiting import Stop, until
from carrierflow.errors import ConfigurationError, DeliveryFailed
from carrierflow.platforms.http.posting import Poster
from carrierflow.storage.destinations import SqlDestinations


__all__ = ["Delivery", "FeedPush"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """What became of the delivery to one destination."""

    end: DeliveryEnd
    delivered: int
    """Entries that were taken."""
    standing: DestinationStanding
    """How far the destination is now."""
    problem: DeliveryFailed | None = None


class FeedPush:
    """Brings what happened to each destination that the settings name."""

    def __init__(
        self,
        feed: Feed,
        store: SqlDestinations,
        poster: Poster,
        destinations: Sequence[Destination],
        *,
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._store = store
        self._poster = poster
        self._destinations = destinations
        self._clock = clock

    def standings(self) -> list[DestinationStanding]:
        """Return how far each destination is."""
        return [self._store.standing(each.digest, each.name) for each in self._destinations]

    def deliver(
        self, *, to: str | None, after: int | None, seconds: float | None, stop: Stop
    ) -> list[Delivery]:
        """Push what is new to each destination, or to the one at an address.

        Raises:
            ConfigurationError: if the settings name no destination, or not that one.
        """
        deadline = None if seconds is None else time.monotonic() + seconds

        def is_over() -> bool:
            return stop() or (deadline is not None and time.monotonic() >= deadline)

        return [
            self._deliver(each, after, named=to is not None, is_over=is_over, stop=stop)
            for each in self._chosen(to)
        ]

    def _chosen(self, to: str | None) -> Sequence[Destination]:
        chosen = [each for each in self._destinations if to in {None, each.url}]
        if not chosen:
            raise ConfigurationError(
                "No such destination is set; name its address and its secret in destinations."
            )
        return chosen

    def _deliver(
        self, it: Destination, after: int | None, *, named: bool, is_over: Stop, stop: Stop
    ) -> Delivery:
        found = self._store.standing(it.digest, it.name)
        if not named and (left_alone := self._left_alone(found)):
            return Delivery(end=left_alone, delivered=0, standing=found)
        owner = str(uuid.uuid4())
        begin = self._store.claim(it.digest, it.name, owner)
        if begin is None:
            return Delivery(end=DeliveryEnd.HELD, delivered=0, standing=found)
        if after is not None:
            begin = replace(begin, position=after, sending=None)
        way = Passage(self._feed, self._store, self._poster, it, owner, begin, clock=self._clock)
        try:
            end = way.push(is_over, until(stop))
        finally:
            self._store.release(it.digest, owner)
        standing = self._store.standing(it.digest, it.name)
        return Delivery(end=end, delivered=way.delivered, standing=standing, problem=way.problem)

    def _left_alone(self, standing: DestinationStanding) -> DeliveryEnd | None:
        if standing.gone_at is not None:
            return DeliveryEnd.GONE
        waits = standing.retry_at is not None and self._clock() < standing.retry_at
        return DeliveryEnd.RESTING if waits else None
