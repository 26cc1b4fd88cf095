"""A Haravan in a process of its own, on a clock that both sides share.

Its CPU and its memory are not ours, the sockets between are real, and hours pass in seconds.
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from carrierflow.sandbox.haravan import LeakyBucket, SandboxServer, World


__all__ = ["PlatformProcess", "SharedClock", "ids_of", "platform_process"]

BEGINNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LATENCY = 0.15
"""Seconds until a request is answered; Haravan's own examples took 0.1 to 0.35."""

BUCKETS = {"real": (80, 4), "fast": (10**6, 10**6)}
"""Size and leak: Haravan's, and one that never fills, for figures without waiting."""


class SharedClock:
    """Virtual time, moved on by whoever waits, in any process."""

    def __init__(self, microseconds):
        self._microseconds = microseconds

    def __call__(self):
        """Return the present moment."""
        return EPOCH + timedelta(microseconds=self._microseconds.value)

    def advance(self, seconds):
        """Let time pass."""
        with self._microseconds.get_lock():
            self._microseconds.value += round(seconds * 1e6)


def ids_of(place, number):
    """Return the ids of the order and of the fulfillment of a shop's parcel."""
    own = place * 10**8 + number
    return 10**9 + own, 2 * 10**9 + own


class PlatformProcess:
    """The other process, as this one sees it."""

    def __init__(self, url, clock, pipe):
        self.url, self.clock, self._pipe = url, clock, pipe

    def bucket(self, *, real):
        """Give all shops Haravan's bucket, empty, or one that never fills."""
        self._pipe.send("real" if real else "fast")
        self._pipe.recv()


@contextmanager
def platform_process(shops, parcels, *, cash, status):
    """Run a platform whose shops each hold so many parcels, all at one status.

    They were made a second apart: what changed lately is told from the rest by its time.
    """
    spawn = multiprocessing.get_context("spawn")
    now = spawn.Value("q", (BEGINNING - EPOCH) // timedelta(microseconds=1))
    ours, theirs = spawn.Pipe()
    stock = {"shops": shops, "parcels": parcels, "cash": cash, "status": status}
    process = spawn.Process(target=_serve, args=(theirs, now, stock), daemon=True)
    process.start()
    try:
        yield PlatformProcess(ours.recv(), SharedClock(now), ours)
    finally:
        ours.send("stop")
        process.join()


def _serve(parent, now, stock):
    clock = SharedClock(now)
    world = World(clock=clock)
    for place, shop in enumerate(stock["shops"]):
        world.add_shop(code=shop, token=f"token-{shop}")
        for number in range(stock["parcels"]):
            clock.advance(1)
            order, fulfillment = ids_of(place, number)
            world.add_parcel(
                shop=shop,
                order_id=order,
                fulfillment_id=fulfillment,
                cod_amount=stock["cash"],
                carrier_status=stock["status"],
            )
    with _Distant(world, clock) as server:
        parent.send(server.url)
        while (word := parent.recv()) != "stop":
            size, leak = BUCKETS[word]
            for shop in stock["shops"]:
                world.shop(shop).bucket = LeakyBucket(size=size, leak_per_second=leak)
            parent.send("done")


class _Distant(SandboxServer):
    """A server to which every request takes a while."""

    def __init__(self, world, clock):
        super().__init__(world)
        self._moving = clock

    def _exchange(self, request):
        self._moving.advance(LATENCY)
        return super()._exchange(request)
