"""The queue of shops without a database: the same order and conditions, for millions of runs.

`test_virtual_day.py` proves that it says what `SqlShopQueue` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from heapq import heapify, heappop, heappush


__all__ = ["VirtualQueue", "VirtualRow"]


@dataclass(slots=True)
class VirtualRow:
    """What a shop's row says of its place in the queue."""

    number: int
    next_due: datetime
    queued_until: datetime | None = None
    lease_since: datetime | None = None
    lease_until: datetime | None = None
    retry_at: datetime | None = None
    unpublished_left: int = 0


class VirtualQueue:
    """The shops that are due; those that are not wait in heaps, by when they will be."""

    def __init__(self, rows):
        self.rows = rows
        self._later = [(row.next_due, row.number) for row in rows]
        heapify(self._later)
        self._due = []
        self._listed = set()
        """Whoever is in the heap of those that are due, once each."""

    def due(self, limit, hold, now):
        """Claim so many, the longest waiting first."""
        self._ripen(now)
        found = []
        while self._due and len(found) < limit:
            moment, number = heappop(self._due)
            row = self.rows[number]
            if number not in self._listed or moment != row.next_due:
                continue  # its row has changed since
            self._listed.discard(number)
            row.queued_until = now + hold
            heappush(self._later, (row.queued_until, number))
            found.append(row)
        return found

    def waiting(self, now):
        """Count those that are due."""
        self._ripen(now)
        return len(self._listed)

    def _ripen(self, now):
        while self._later and self._later[0][0] <= now:
            self._look(heappop(self._later)[1], now)

    def _look(self, number, now):
        """List a shop that is due, or look again when it may be."""
        row = self.rows[number]
        latest = max(row.next_due, row.queued_until or row.next_due)
        latest = max(latest, row.lease_until or latest)
        if latest > now:
            heappush(self._later, (latest, number))
        elif number not in self._listed:
            self._listed.add(number)
            heappush(self._due, (row.next_due, number))

    def begin(self, row, span, now):
        """Let a run take a shop."""
        row.queued_until = None
        row.lease_since, row.lease_until = now, now + span
        row.next_due = min(row.next_due, now)
        self._listed.discard(row.number)
        heappush(self._later, (row.lease_until, row.number))

    def release(self, row, rest, now):
        """Let a run leave it."""
        woken = row.next_due > row.lease_since
        row.next_due = max(now, rest.retry_at or now) if woken else rest.next_due
        row.lease_since = row.lease_until = row.queued_until = None
        row.retry_at, row.unpublished_left = rest.retry_at, rest.unpublished
        self._later_or_now(row)

    def wake(self, row, now):
        """Let a hint wake a shop, unless it is left alone for a while."""
        if row.retry_at is not None and row.retry_at > now:
            return
        if row.lease_until is not None:
            row.next_due = row.lease_until
        elif row.next_due > now:
            row.next_due = now
        else:
            return
        self._later_or_now(row)

    def bring_forward(self, row, publishable, now):
        """Let a shop be due that has something to publish which its last run did not leave."""
        rests = row.retry_at is not None and row.retry_at > now
        held = row.lease_until is not None and row.lease_until > now
        if publishable > row.unpublished_left and row.next_due > now and not rests and not held:
            row.next_due = now
            self._later_or_now(row)

    def _later_or_now(self, row):
        self._listed.discard(row.number)
        heappush(self._later, (row.next_due, row.number))
