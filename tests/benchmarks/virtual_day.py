"""A day of ten thousand shops in minutes: the real policy on a clock that jumps from run to run.

What a run asks and writes takes the time that the platform's budget gives it. Who is next, and
when a shop wants its next run, is decided by the code that decides it in earnest.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from math import ceil

from carrierflow.domain.shop import Shop, ShopState
from carrierflow.reconcile.due_shops import POLL
from carrierflow.reconcile.pace import Pace, rest_after
from carrierflow.reconcile.run_report import EndReason, RunReport
from carrierflow.storage.shop_queue import LOOK_FOR_WORK

from .measure import Spread
from .results import Budget, Figure
from .virtual_queue import VirtualQueue, VirtualRow


__all__ = ["Day", "Load", "virtual"]

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

QUANTUM_SECONDS, QUANTUM_REQUESTS = 20.0, 80
GET, PUT = 0.3, 0.25
"""Seconds that a request takes, its answer's way included."""
ORDERS_A_GET = 50
BUCKET, LEAK = 68, 4.0
"""Requests that batch work has at once, of 80, and each second afterwards."""
SILENCE = 1.0
"""Seconds that a host is waited for that says nothing."""
LEASE = timedelta(seconds=60)
STEPS = 5
"""Steps of a parcel that the platform is told."""
OPEN_DAYS = 3
HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 7, 8, 9, 10, 10, 9, 8, 7, 5, 3, 2, 1)
"""How much is told in each hour of the day, against the others."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What there is to do."""

    shops: int = 10_000
    parcels: int = 60_000
    """In a day, of all shops together; of the n-th one as many as Zipf has it."""
    hours: int = 24
    begins: int = 0
    """The first hour of the day that is played."""
    hints: int = 30_000
    """Webhooks in a day."""
    fed: float = 0.8
    """The share of shops that have webhooks."""
    hosts: int = 10
    outages: tuple[tuple[int, float, float], ...] = ((0, 10.0, 0.5), (1, 15.0, 2.0))
    """Which host says nothing, from which hour on, and for how many hours."""
    deaths: float = 1 / 20_000
    """The share of runs that are killed in the middle."""


@dataclass(slots=True)
class _Shop:
    row: VirtualRow
    known: Shop
    host: int
    open: float
    unpublished: deque = field(default_factory=deque)
    hints: list = field(default_factory=list)
    seen_at: datetime = BEGIN
    to_look_at: float = 0.0
    """Orders whose daily look is due."""
    level: float = 0.0
    """Of the platform's bucket, when it was last asked."""
    asked_at: datetime = BEGIN


class Day:
    """Some slots that work through the shops of a day."""

    def __init__(self, load, slots, *, seed=1, pace=None):
        self.load, self.slots, self.pace = load, slots, pace or Pace()
        self._random = random.Random(seed)
        self._shops = _shops_of(load)
        self._queue = VirtualQueue([shop.row for shop in self._shops])
        self._spread_out()
        self._arrivals = _arrivals_of(load, self._random)
        self._running, self._order = [], itertools.count()
        self._fresh = set()
        self.runs = self.gets = self.puts = self.died = self.quanta = self.most_due = 0
        self.busy = self.longest_wait = 0.0
        self.step_waits, self.hint_waits = [], []

    def _spread_out(self):
        """Yesterday's runs were not all at once."""
        for shop in self._shops:
            shop.row.next_due = BEGIN + self._random.random() * self.pace.every
        self._queue = VirtualQueue([shop.row for shop in self._shops])

    @property
    def bound(self):
        """How long a shop that is due waits at most: everybody before it has one quantum."""
        longest_run = QUANTUM_SECONDS + 2 * GET
        return ceil((self.most_due + self.slots) / self.slots) * longest_run + POLL

    @property
    def left(self):
        """How many steps no run has told by the end."""
        return sum(len(shop.unpublished) for shop in self._shops)

    def play(self):
        """Let the day pass."""
        end = BEGIN + timedelta(hours=self.load.hours)
        ask = look = now = BEGIN
        poll = POLL * SECOND
        while now < end:
            self._arrive(now)
            while self._running and self._running[0][0] <= now:
                _, _, shop, report, unpublished = heappop(self._running)
                if report is not None:
                    self._leave(shop, report, unpublished)
            if now >= look:
                self._bring_forward(now)
                look = now + LOOK_FOR_WORK
            free = self.slots - len(self._running)
            if free and now >= ask:
                self.most_due = max(self.most_due, self._queue.waiting(now))
                claimed = self._queue.due(free, LEASE, now)
                for row in claimed:
                    self._begin(self._shops[row.number], now)
                if len(claimed) < free:
                    ask = now + poll
            now = self._next(ask, now)
        return self

    def _next(self, ask, now):
        """Return when something happens next: a run ends, or a free slot asks again."""
        if len(self._running) == self.slots:
            return self._running[0][0]
        ends = self._running[0][0] if self._running else ask
        return max(now, min(ask, ends))

    def _arrive(self, now):
        while self._arrivals and self._arrivals[-1][0] <= now:
            at, number, is_hint = self._arrivals.pop()
            shop = self._shops[number]
            if is_hint:
                shop.hints.append(at)
                self._queue.wake(shop.row, at)
            else:
                shop.unpublished.append(at)
                self._fresh.add(number)

    def _bring_forward(self, now):
        for number in list(self._fresh):
            shop = self._shops[number]
            self._queue.bring_forward(shop.row, len(shop.unpublished), now)
            if len(shop.unpublished) <= shop.row.unpublished_left or shop.row.next_due <= now:
                self._fresh.discard(number)

    def _begin(self, shop, now):
        free = max(shop.row.next_due, shop.row.lease_until or shop.row.next_due)
        self.longest_wait = max(self.longest_wait, (now - free) / SECOND)
        self.runs += 1
        self._queue.begin(shop.row, LEASE, now)
        if self._random.random() < self.load.deaths:
            self.died += 1
            self._occupy(shop, now, 1.0, None, 0)
        elif self._is_down(shop, now):
            self._occupy(shop, now, SILENCE, EndReason.UNAVAILABLE, len(shop.unpublished))
        else:
            self._look_after(shop, now)

    def _is_down(self, shop, now):
        hour = self.load.begins + (now - BEGIN) / timedelta(hours=1)
        return any(
            shop.host == host and begins <= hour < begins + hours
            for host, begins, hours in self.load.outages
        )

    def _look_after(self, shop, now):
        """Read what changed, what was named and what was not looked at today; tell what is new."""
        since = (now - shop.seen_at) / timedelta(days=1)
        shop.to_look_at += shop.open * since
        shop.seen_at = now
        pages = int(shop.to_look_at // ORDERS_A_GET)
        shop.to_look_at -= pages * ORDERS_A_GET
        there = len(shop.unpublished)
        reads = 1 + pages + ceil(len(shop.hints) / ORDERS_A_GET) + ceil(there / ORDERS_A_GET)
        reads = min(reads, QUANTUM_REQUESTS)
        begun = reads * GET + self._wait(shop, now, reads)
        writes = min(there, QUANTUM_REQUESTS - reads, max(0, int((QUANTUM_SECONDS - begun) / PUT)))
        took = begun + writes * PUT + self._wait(shop, now + timedelta(seconds=begun), writes)
        for each in shop.hints:
            self.hint_waits.append((now - each) / SECOND + GET)
        shop.hints.clear()
        for number in range(writes):
            told = (now - shop.unpublished.popleft()) / SECOND + begun + (number + 1) * PUT
            self.step_waits.append(told)
        self.gets, self.puts = self.gets + reads, self.puts + writes
        left = len(shop.unpublished)
        self.quanta += bool(left)
        reason = EndReason.QUANTUM if left else EndReason.DONE
        self._occupy(shop, now, took, reason, left, published=writes)

    def _wait(self, shop, now, requests):
        """Return for how long the platform's bucket lets some requests wait."""
        passed = (now - shop.asked_at) / SECOND
        level = max(0.0, shop.level - LEAK * passed) + requests
        shop.level, shop.asked_at = min(level, BUCKET), now
        return max(0.0, level - BUCKET) / LEAK

    def _occupy(self, shop, now, took, reason, left, *, published=0):
        self.busy += took
        ends = now + timedelta(seconds=took)
        report = reason and RunReport(
            shop=shop.known.code,
            run="",
            started_at=now,
            ended_at=ends,
            end_reason=reason,
            published=published,
            left=left,
        )
        heappush(self._running, (ends, next(self._order), shop, report, left))

    def _leave(self, shop, report, unpublished):
        rest = rest_after(
            report,
            shop.known,
            pace=self.pace,
            open_parcels=int(shop.open),
            unpublished=unpublished,
        )
        if (rest.unanswered, rest.retry_at) != (shop.known.unanswered, shop.known.retry_at):
            shop.known = _known(shop.known.code, shop.known.subscribed_at, rest)
        self._queue.release(shop.row, rest, report.ended_at)
        if shop.unpublished:
            self._fresh.add(shop.row.number)


def _known(code, subscribed_at, rest=None):
    return Shop(
        id=1,
        code=code,
        platform="haravan",
        base_url="https://a.example/",
        carrier_code="c",
        state=ShopState.ACTIVE,
        added_at=BEGIN,
        encrypted_token=b"t",
        subscribed_at=subscribed_at,
        unanswered=rest.unanswered if rest else 0,
        retry_at=rest.retry_at if rest else None,
    )


def _shares(load):
    whole = sum(1 / rank for rank in range(1, load.shops + 1))
    return [1 / rank / whole for rank in range(1, load.shops + 1)]


def _shops_of(load):
    """Return the shops, the largest first, but for their hosts and webhooks, which are mixed."""
    return [
        _Shop(
            row=VirtualRow(number, BEGIN),
            known=_known(f"s{number}", BEGIN if number % 100 < 100 * load.fed else None),
            host=number % load.hosts,
            open=load.parcels * share * OPEN_DAYS,
        )
        for number, share in enumerate(_shares(load))
    ]


def _arrivals_of(load, chance):
    """Return when something happens at which shop, and whether it is a hint; the last first."""
    hours = range(load.begins, load.begins + load.hours)
    weights = [HOURS[hour % 24] for hour in hours]
    shares, day = _shares(load), sum(weights) / sum(HOURS)
    wanted = ((int(load.parcels * STEPS * day), False), (int(load.hints * day), True))
    found = []
    for count, is_hint in wanted:
        numbers = chance.choices(range(load.shops), weights=shares, k=count)
        begins = chance.choices(hours, weights=weights, k=count)
        for number, hour in zip(numbers, begins, strict=True):
            if is_hint and number % 100 >= 100 * load.fed:
                continue
            at = BEGIN + timedelta(hours=hour - load.begins + chance.random())
            found.append((at, number, is_hint))
    return sorted(found, reverse=True)


def virtual(kinds, size, folder):
    """Play a day with few slots and with many; yields what each brings."""
    load = Load(shops=size.virtual[0], parcels=size.virtual[1], hours=size.virtual[2])
    for slots in SLOTS:
        day = Day(load, slots).play()
        where = f"{slots} slot{'s' * (slots > 1)}"
        for who, value, unit in told(day):
            spread = Spread.of([value])
            bench = f"a virtual day of {load.shops:,} shops"
            yield Figure(bench=bench, where=where, who=who, spread=spread, unit=unit)
        yield Budget(
            promise="longest wait of a shop that is due, against ⌈due ÷ slots⌉ quanta",
            where=where,
            limit=1,
            spread=Spread.of([day.longest_wait / day.bound]),
        )


SLOTS = (1, 4, 16, 64)


def told(day):
    """Yield what is told of a day: of what, how much, in which unit."""
    seconds = day.load.hours * 3600
    yield "runs a second", day.runs / seconds, ""
    yield "GETs a second", day.gets / seconds, ""
    yield "writes a second", day.puts / seconds, ""
    yield "slots busy", 100 * day.busy / seconds / day.slots, "%"
    yield "most shops due at once", float(day.most_due), ""
    yield "longest wait of a shop", day.longest_wait, "s"
    for name, waits in (("step", day.step_waits), ("hint", day.hint_waits)):
        ordered = sorted(waits) or [0.0]
        for label, share in (("median", 0.5), ("99 %", 0.99), ("longest", 1.0)):
            place = min(len(ordered) - 1, int(share * len(ordered)))
            yield f"a {name} waits, {label}", ordered[place], "s"
    yield "steps not told at the end", float(day.left), ""
    yield "runs that died", float(day.died), ""
