"""Production code under simulated time, faults and kills; see `python -m tests.simulation`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import planted_deciding, planted_doing  # noqa: F401 - they plant
from .commands import Total
from .kills import RECOVERY, SCENARIOS, kill_everywhere
from .planted import BUGS, SURVIVABLE, hunt
from .play import play_seed
from .scenario import FIXED


ROOT = Path(__file__).parents[2]

HASH_OF_SEEDS = """
import logging, sys
logging.disable(logging.CRITICAL)
from tests.simulation.play import play_seed
for seed in map(int, sys.argv[1:]):
    print(play_seed(seed).digest)
"""


@pytest.mark.parametrize("seed", FIXED)
def test_a_seed_keeps_every_promise(seed):
    """Whatever this seed does to it, nothing is lost, doubled, out of order or unexplained."""
    played = play_seed(seed)

    assert played.broken is None, "\n".join([*played.lines, f"seed {seed}: {played.broken}"])


def test_equal_seeds_give_equal_traces():
    """Every line of I/O depends on the seed alone, not on the hash seed of a process."""
    traces = [_digests(hash_seed) for hash_seed in ("1", "4242")]

    assert traces[0] == traces[1]
    assert len(set(traces[0])) == len(traces[0]) == 3


def _digests(hash_seed):
    done = subprocess.run(
        [sys.executable, "-c", HASH_OF_SEEDS, "1", "6", "12"],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.slow
def test_two_hundred_seeds_keep_every_promise():
    """Two hundred seeds break nothing, and reach every fault and every row that they can."""
    total = Total()
    for seed in range(200):
        played = play_seed(seed)
        assert played.broken is None, f"seed {seed}: {played.broken}"
        total.add(played)
    print(total.text())
    assert [] == total.never()["faults"]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_point_loses_nothing(name):
    """A kill -9 at each I/O of a scenario: the next runs put everything right."""
    broken = [
        f"{kill_at}: {played.broken}"
        for kill_at, played in kill_everywhere(SCENARIOS[name])
        if played.broken is not None
    ]
    assert [] == broken


@pytest.mark.slow
def test_a_kill_in_the_recovery_loses_nothing():
    """A kill -9 again while the next run puts right what the first kill left."""
    broken = [
        f"{kill_at}: {played.broken}"
        for kill_at, played in kill_everywhere(SCENARIOS["delivered"], recovery=RECOVERY, every=4)
        if played.broken is not None
    ]
    assert [] == broken


FOUND_BY = {
    "no settle wait": 3,
    "a repeated state is confirmed by its earlier visit": 0,
    "codpaid is always put, without waiting for the platform's own lift": 9,
    "the platform's cancel is ignored": 26,
    "put after a cancel: the platform's cancel counts as any other status": 92,
    "jump to the head: the steps between are left out": 3,
    "a frozen fulfillment is published all the same": 4,
    "blind retry of a put whose outcome is unknown": 3,
    "no intent before the send: everything is written with the result": 196,
    "a late event is forgotten": 2,
    "the head row is written whatever its version is": 28,
    "the result is committed before the reply: a put sent counts as confirmed": 3,
}
"""For each planted bug that the simulation finds, a seed that breaks a promise with it."""


@pytest.mark.parametrize("one", [b for b in BUGS if b.name in FOUND_BY], ids=lambda one: one.name)
def test_a_planted_bug_is_found(one):
    """A bug that is put in on purpose breaks an invariant at its seed, which is clean without."""
    seed = FOUND_BY[one.name]

    assert hunt(one, [seed], play_seed) is not None
    assert play_seed(seed).broken is None


@pytest.mark.slow
@pytest.mark.parametrize("one", SURVIVABLE, ids=lambda one: one.name)
def test_what_safety_does_not_rest_on(one):
    """Leases are for efficiency: without them, no promise is broken either."""
    assert hunt(one, range(60), play_seed) is None
