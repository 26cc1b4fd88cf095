"""A database server that is stopped, and that crashes, under the work of a carrier."""

from __future__ import annotations

import random
import time

import pytest
from databases import every_database

from .busy_carrier import busy, kept
from .processes import Worker, reconciling, recording
from .servers import PRIVATE


ROUNDS = 3
"""How often the server is stopped in each of its two ways."""


@pytest.fixture(params=every_database(but=["sqlite"]))
def server(request):
    with PRIVATE[request.param]() as started:
        yield started


@pytest.mark.slow
def test_restarts_and_crashes_of_the_server_lose_and_double_nothing(server):
    """What was acknowledged survives a server that dies; the rest is told again, and is once."""
    rng, restarts = random.Random(3), 0
    with busy(server.database.url) as real:
        events = real.happenings("alpha", 120, seed=5)
        chunks = rng.choices((1, 1, 1, 4), k=len(events))
        scanner = Worker(recording, real.settings, events, chunks)
        run = Worker(reconciling, real.settings, "alpha")
        for how in server.stops * ROUNDS:
            after_some_work(scanner, real)
            server.stop(how)
            time.sleep(rng.uniform(0, 0.2))
            server.start()
            restarts += 1
            scanner.listen()
            assert acknowledged(scanner) <= kept(real.app.store.engine).keys()
        scanner.end()
        run.listen()
        run.check()
        run.kill()

        real.assert_in_agreement(ambiguous=restarts)

    troubles = {said for worker in (scanner, run) for said in worker.heard if type(said) is str}
    assert {"begun", "DatabaseUnavailable"} <= troubles
    assert troubles <= {"begun", "DatabaseUnavailable", "CommitUnknown", "ShopHeld"}


def after_some_work(scanner, real):
    """Wait until both have done something since."""
    judged = real.world.recorder
    told, shown, end = scanner.listened(), len(judged.puts), time.monotonic() + 10
    while time.monotonic() < end and (
        scanner.listened() < told + 3 or len(judged.puts) < shown + 3
    ):
        time.sleep(0.002)


def acknowledged(scanner):
    """Return the keys of what the ledger said is written."""
    return {key for said in scanner.heard if isinstance(said, list) for key, _ in said}
