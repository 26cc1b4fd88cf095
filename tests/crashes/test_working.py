"""`carrierflow work` as real processes: beside each other, killed, and stopped."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import suppress

import pytest
from databases import every_database
from sqlalchemy import func, select

from carrierflow.storage.tables import runs

from .busy_carrier import busy


SHOPS = tuple(f"s{number}" for number in range(6))
ON_SERVERS = pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)


@pytest.fixture
def real(own_database):
    with busy(own_database.url, shops=SHOPS, lease_seconds=5) as carrier:
        for number, shop in enumerate(SHOPS):
            carrier.record_all(carrier.happenings(shop, 5, seed=number))
        yield carrier


def until_all_is_told(real, *processes):
    """Wait until nothing is left to write; nobody may have ended by then."""
    end = time.monotonic() + 120
    while real.unpublished:
        assert time.monotonic() < end, real.unpublished
        for process in processes:
            assert process.poll() is None, process.communicate()
        with suppress(subprocess.TimeoutExpired):
            processes[0].wait(timeout=0.1)


def stopped(process):
    """Stop a process as systemd does; return how it ended, and what it said."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def assert_told_once(real, *, ambiguous):
    """Both sides agree, by legal steps; only what a killed run had under way may be told again."""
    judged = real.judgement()
    assert ([], ()) == (real.apart(), judged.illegal)
    assert len(judged.repeated) <= ambiguous
    assert real.app.verify().ok


def runs_of(real):
    with real.app.store.engine.connect() as connection:
        query = select(runs.c.id).where(runs.c.ended_at.is_not(None))
        return connection.execute(select(func.count()).select_from(query.subquery())).scalar()


@pytest.mark.slow
@ON_SERVERS
def test_two_beside_each_other_share_the_shops(real):
    """Every step is told once, and each ends cleanly when it is stopped."""
    both = [real.start("work", "--parallel", "2") for _ in range(2)]
    until_all_is_told(real, *both)

    ended = [stopped(process) for process in both]

    assert [130, 130] == [code for code, _, _ in ended], ended
    assert runs_of(real) >= len(SHOPS)
    assert_told_once(real, ambiguous=0)


@pytest.mark.slow
@ON_SERVERS
def test_what_a_killed_one_had_claimed_is_done_by_the_other(real):
    """Nothing is lost with it, and nothing is told twice that had an answer."""
    first, second = (real.start("work", "--parallel", "3") for _ in range(2))
    while real.writes < 3:
        with suppress(subprocess.TimeoutExpired):
            first.wait(timeout=0.01)
    first.kill()
    first.communicate()
    until_all_is_told(real, second)

    code, *_ = stopped(second)

    assert 130 == code
    assert_told_once(real, ambiguous=3)
