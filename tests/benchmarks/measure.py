"""Contestants on the same work, one after the other in each round, so that noise meets all alike.

The machine may be shared, and its speed changes from second to second. So a ratio is never taken
between two sums: each round gives one ratio of neighbours in time, and the median of the rounds
counts. The quartiles beside it say how far to trust it. What counts is busy time: the CPU time
of this process and of the database server that works for it, which other people's work slows
much less than the clock on the wall.
"""

from __future__ import annotations

import gc
import os
import resource
import statistics
import time
import tracemalloc
from dataclasses import dataclass


__all__ = [
    "Spread",
    "Timing",
    "as_installed",
    "of_children",
    "peak_memory",
    "race",
    "rates",
    "ratios",
    "timed",
]


@dataclass(frozen=True)
class Timing:
    """How long one contestant took in one round: by the clock on the wall, and busy."""

    wall: float
    busy: float


@dataclass(frozen=True)
class Spread:
    """The middle of some measurements, and the quartiles around it."""

    low: float
    value: float
    high: float

    @classmethod
    def of(cls, values):
        """Return the median of the rounds with its quartiles; of one round, the round itself."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(low, middle, high)


def timed(work, *, elsewhere=lambda: 0.0):
    """Do some work once and say how long it took; the garbage of others is collected before.

    `elsewhere` returns the CPU seconds that somebody else spent for us so far.
    """
    gc.collect()
    wall, busy = time.perf_counter(), time.process_time() + elsewhere()
    work()
    spent = time.process_time() + elsewhere() - busy
    return Timing(time.perf_counter() - wall, spent)


def of_children():
    """Return the CPU seconds of all processes that we started and that ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def as_installed():
    """Return the variables of a process that finds bytecode, as where a package is installed.

    Once it was started before: the first one writes it.
    """
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def peak_memory(work):
    """Do some work once and return the most bytes that Python held at once for it."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def race(contestants, *, rounds, elsewhere=lambda: 0.0):
    """Let each contestant do its work in each round; return the timings of each, in rounds.

    A contestant makes ready with `prepare(number)`, untimed, and returns what is to be timed.
    Each round begins with another one: nobody is always the first.
    """
    names = list(contestants)
    timings = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            work = contestants[name].prepare(number)
            timings[name].append(timed(work, elsewhere=elsewhere))
    return timings


def ratios(ours, theirs):
    """Return how many times as long we were busy, round by round."""
    return Spread.of([a.busy / b.busy for a, b in zip(ours, theirs, strict=True)])


def rates(timings, count):
    """Return how many things were done in a busy second."""
    return Spread.of([count / timing.busy for timing in timings])
