"""One destination of the push: its address and secret, and how messages are brought there.

What a message holds is written down before it leaves, and that it was taken as soon as it was. So
whoever goes on after a failure, or after this process died, sends the same message again.
"""

from __future__ import annotations

import json
import logging
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from carrierflow.audit.feed.feed import MOST, Feed, FeedPage
from carrierflow.audit.feed.webhook_signature import read_secret, signed_headers
from carrierflow.domain.canonical import digest, stamp
from carrierflow.domain.clock import Clock
from carrierflow.domain.destination import DestinationStanding
from carrierflow.domain.limits import SENTENCE, cut
from carrierflow.domain.urls import is_safe_url
from carrierflow.domain.waiting import Idle, Stop, doubled
from carrierflow.errors import ConfigurationError, DeliveryFailed, Interrupted, InvalidInput
from carrierflow.platforms.http.posting import Poster
from carrierflow.platforms.http.transport import Lost
from carrierflow.storage.destinations import SqlDestinations


__all__ = ["DeliveryEnd", "Destination", "Passage"]

log = logging.getLogger(__name__)

BATCH = 100
"""Entries of a message."""

TYPE = "carrierflow.changes"

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=1)
"""How long a destination is left alone after a failure, and after many; between, it doubles."""


class DeliveryEnd(StrEnum):
    """How a delivery to one destination ended."""

    DONE = "done"
    """It has everything."""
    LATER = "later"
    """Its share of time was used up, or somebody asked to stop; the next delivery goes on."""
    FAILED = "failed"
    RESTING = "resting"
    """The last tries failed, and it is tried again later; nothing was sent."""
    GONE = "gone"
    """It said once that it is gone for good; nothing was sent."""
    HELD = "held"
    """Another process is delivering there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where to push, and what to sign with; neither is ever shown."""

    url: str = field(repr=False)
    secrets: tuple[bytes, ...] = field(repr=False)
    """Each signs: while a secret is exchanged there are two."""

    @classmethod
    def parse(cls, text: str) -> Destination:
        """Read a destination as the settings name it: its address, a blank, and its secret.

        Raises:
            ConfigurationError: if it is none; what was given is not repeated.
        """
        url, *secrets = text.split()
        if not is_safe_url(url) or not url.isascii() or "#" in url or not secrets:
            raise ConfigurationError(
                "Each of destinations must be an address, a blank and a secret; the address https "
                "(http only on this machine), without a password."
            )
        return cls(url=url, secrets=tuple(map(read_secret, secrets)))

    @property
    def digest(self) -> str:
        """What stands for its address where that must not stand."""
        return digest(self.url)

    @property
    def name(self) -> str:
        """Its host, and what tells it from others there."""
        return f"{urlsplit(self.url).netloc}#{self.digest[:8]}"


class Passage:
    """The way to one destination, while this process has it to itself."""

    def __init__(
        self,
        feed: Feed,
        store: SqlDestinations,
        poster: Poster,
        to: Destination,
        owner: str,
        at: DestinationStanding,
        *,
        clock: Clock,
    ) -> None:
        self._feed = feed
        self._store = store
        self._poster = poster
        self._to = to
        self._owner = owner
        self._at = at
        self._clock = clock
        self.delivered = 0
        self.problem: DeliveryFailed | None = None

    def push(self, is_over: Stop, idle: Idle) -> DeliveryEnd:
        """Send message after message, until there is nothing more or one is not taken."""
        while not is_over():
            end = self._bring_next(idle)
            if end is not None:
                return end
        return DeliveryEnd.LATER

    def _bring_next(self, idle: Idle) -> DeliveryEnd | None:
        try:
            return self._bring(self._next(), idle)
        except Interrupted:
            return DeliveryEnd.LATER
        except InvalidInput as error:
            return self._failed(str(error))
        except Lost as error:
            return self._failed(error.reason)

    def _bring(self, page: FeedPage, idle: Idle) -> DeliveryEnd | None:
        """Send one message: write what is intended, send it, write that it was taken."""
        if not page.entries:
            return self._end_at(page.next)
        if not self._intend(page):
            return DeliveryEnd.HELD
        status = self._send(page, idle)
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return self._failed(f"HTTP status {status}", gone=status == HTTPStatus.GONE)
        return None if self._arrived(page) else DeliveryEnd.HELD

    def _next(self) -> FeedPage:
        """Return the message that was sent before, if one was not answered well, or a new one."""
        at = self._at
        if at.sending is not None:
            return self._feed.page(after=at.position, upto=at.sending, limit=MOST)
        return self._feed.page(after=at.position, limit=BATCH)

    def _intend(self, page: FeedPage) -> bool:
        """Write up to where a message goes, before it leaves."""
        self._at = replace(self._at, sending=page.next)
        return self._write(position=self._at.position, sending=page.next)

    def _send(self, page: FeedPage, idle: Idle) -> int:
        last = page.entries[-1]
        document = {
            "type": TYPE,
            "timestamp": stamp(last.recorded_at),
            "data": {"changes": [e.document() for e in page.entries], "next": page.next},
        }
        body = json.dumps(document, separators=(",", ":")).encode()
        now = int(self._clock().timestamp())
        headers = {"Content-Type": "application/json", "User-Agent": "carrierflow"}
        headers |= signed_headers(self._message_id(page), body, self._to.secrets, seconds=now)
        return self._poster.post(self._to.url, body, headers, idle=idle)

    def _message_id(self, page: FeedPage) -> str:
        """Return the id of a message: the same whenever the same is sent there again."""
        return f"msg_{digest(f'{self._to.digest} {self._at.position} {page.next}')[:32]}"

    def _arrived(self, page: FeedPage) -> bool:
        now, end = self._clock(), page.next
        self._at = DestinationStanding(destination=self._to.name, position=end)
        self.delivered += len(page.entries)
        in_order = {"failures": 0, "failing_since": None, "retry_at": None, "problem": None}
        return self._write(position=end, sending=None, delivered_at=now, gone_at=None, **in_order)

    def _end_at(self, position: int | None) -> DeliveryEnd:
        """Write that nothing up to a place is news."""
        if position != self._at.position and not self._write(position=position, sending=None):
            return DeliveryEnd.HELD
        return DeliveryEnd.DONE

    def _failed(self, reason: str, *, gone: bool = False) -> DeliveryEnd:
        now, failures = self._clock(), self._at.failures + 1
        self.problem = DeliveryFailed(self._to.name, reason)
        self._write(
            failures=failures,
            failing_since=self._at.failing_since or now,
            retry_at=now + pause_after(failures),
            problem=cut(reason, SENTENCE),
            gone_at=now if gone else self._at.gone_at,
        )
        facts = {"destination": self._to.name, "reason": reason, "failures": failures}
        log.info("carrierflow.delivery_failed", extra=facts)
        return DeliveryEnd.GONE if gone else DeliveryEnd.FAILED

    def _write(self, **values: Any) -> bool:
        return self._store.write(self._to.digest, self._owner, **values)


def pause_after(failures: int) -> timedelta:
    """Return how long a destination is left alone that failed so often in a row, by some chance."""
    longest = doubled(FIRST_PAUSE, times=failures - 1, longest=LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
