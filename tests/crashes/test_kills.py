"""Scanners and runs of a carrier that are killed in mid-work, again and again."""

from __future__ import annotations

import os
import random
import time
from collections import Counter

import pytest

from .busy_carrier import PLATFORMS, busy, kept
from .processes import Worker, reconciling, recording


KILLS = int(os.environ.get("CARRIERFLOW_TEST_KILLS", "200"))
BACKLOG = 150
"""Unpublished steps at which the scanner rests, so that the end is near when the kills are done."""

SHARES = {"haravan": 1, "sapo": 4, "onflow": 8}
"""By how much less is done on platforms that take fewer writes for as many events."""


class Scanner:
    """Tells the ledger what happened, through processes that die, and remembers the answers."""

    def __init__(self, real, rng, *, backlog):
        self._real, self._rng, self._backlog = real, rng, backlog
        self._events, self._answered = [], {}
        self._worker = None

    def work_on(self):
        """Have a process that works, if there is anything to tell; return it."""
        if self._worker is not None and self._worker.lives:
            self._hear()
            return self._worker
        self._worker = None
        if len(self._answered) == len(self._events) and self._real.unpublished < self._backlog:
            self._events += self._real.happenings("alpha", 20, seed=len(self._events))
        waiting = self._from_a_little_before()
        if waiting:
            sizes = (1, 1, 1, 4, 16)
            chunks = self._rng.choices(sizes, k=len(waiting))
            self._worker = Worker(recording, self._real.settings, waiting, chunks)
        return self._worker

    def killed(self):
        """Kill the process: what it was told is written by then must be there."""
        done = self._worker.kill()
        self._hear()
        self._worker = None
        there = kept(self._real.app.store.engine)
        assert set() == self._answered.keys() - there.keys()
        return done

    def _hear(self):
        self._worker.check()
        self._worker.listen()
        heard, self._worker.heard = self._worker.heard, []
        for said in heard:
            for key, verdict in said if isinstance(said, list) else ():
                first = self._answered.setdefault(key, verdict)
                assert verdict == "duplicate" or first is verdict == "accepted", (key, verdict)

    def _from_a_little_before(self):
        """Return what was not answered yet, and some that was: a scanner tells things twice."""
        done = next(
            (n for n, event in enumerate(self._events) if event.key not in self._answered),
            len(self._events),
        )
        return self._events[max(0, done - 5) :] if done < len(self._events) else []


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_kills_lose_and_double_nothing(own_database, platform):
    """Scanners and runs are killed at random moments: nothing is lost, doubled or out of order."""
    rng, kills, began = random.Random(7), Counter(), time.monotonic()
    share = SHARES[platform]
    with busy(own_database.url, platform=platform) as real:
        scanner, run = Scanner(real, rng, backlog=BACKLOG // share), None
        while kills.total() < KILLS // share:
            told = scanner.work_on()
            run = run or Worker(reconciling, real.settings, "alpha")
            if told is not None and rng.random() < 0.5:
                mid_work(told.listened, rng, most=4)
                kills["scanner"] += scanner.killed()
            else:
                mid_work(lambda: real.writes, rng, most=8)
                run.check()
                kills["run"] += run.kill()
                run = None
        spent = time.monotonic() - began
        tell_the_rest(scanner)
        kills["run"] += run.kill() if run else 0

        real.assert_in_agreement(ambiguous=kills["run"])
        print(f"{dict(kills)} in {spent:.0f} s, {len(real.events)} events, {real.writes} writes")


def mid_work(done, rng, *, most):
    """Wait until a process has done a little more, and then for a random moment."""
    target, end = done() + rng.randrange(most), time.monotonic() + 2
    while done() < target and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.03))


def tell_the_rest(scanner):
    """Let everything be told."""
    while scanner.work_on() is not None:
        time.sleep(0.02)
