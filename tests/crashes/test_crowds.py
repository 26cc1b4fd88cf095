"""Many processes at the same parcels at once."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from carrierflow.domain.model import Status
from carrierflow.storage.tables import history

from .busy_carrier import PLATFORMS, busy, kept
from .processes import CONTEXT, Worker, all_at_once, reconciling


PROCESSES = 8
ATTEMPTS = int(os.environ.get("CARRIERFLOW_TEST_ATTEMPTS", "10000"))
EACH = ATTEMPTS // 2 // PROCESSES
"""Events that each process records in each of the two tests."""


def happenings(real, count):
    """Return that many events of fewer parcels."""
    events = real.happenings("alpha", count // 2, seed=4)[:count]
    assert count == len(events)
    return events


def turned(events, rng):
    """Return the events parcel by parcel in a random order of parcels, each in its own order."""
    rank = {event.fulfillment_id: rng.random() for event in events}
    return sorted(events, key=lambda event: (rank[event.fulfillment_id], event.occurred_at))


def recorded_at_once(real, shares):
    """Have each share recorded by a process of its own, all at once; return their answers."""
    gate = CONTEXT.Barrier(len(shares))
    workers = [
        Worker(all_at_once, real.settings, gate, share, (1, 1, 7, 50)[number % 4])
        for number, share in enumerate(shares)
    ]
    return [[word for some in worker.end(seconds=300) for word in some] for worker in workers]


@pytest.mark.slow
def test_eight_processes_record_the_same_events_once(own_database):
    """Of eight processes that record the same events one is the first, and nobody fails."""
    with busy(own_database.url) as real:
        events = happenings(real, EACH)
        shares = [turned(events, random.Random(number)) for number in range(PROCESSES)]

        answers = recorded_at_once(real, shares)

        by_key = {event.key: Counter() for event in events}
        for share, words in zip(shares, answers, strict=True):
            for event, word in zip(share, words, strict=True):
                by_key[event.key][word] += 1
        assert [Counter(accepted=1, duplicate=PROCESSES - 1)] * EACH == list(by_key.values())
        assert {event.key: 1 for event in events} == kept(real.app.store.engine)
        assert real.app.verify().ok


@pytest.mark.slow
def test_eight_processes_tell_different_things_of_the_same_parcels(own_database):
    """Of eight scanners that contradict each other, each word is kept and answered as it is."""
    with busy(own_database.url) as real:
        events = happenings(real, EACH)
        shares = [told_by(number, events) for number in range(PROCESSES)]

        answers = recorded_at_once(real, shares)

        words = Counter(word for each in answers for word in each)
        engine = real.app.store.engine
        assert {"accepted", "late", "refused"} == words.keys()
        assert PROCESSES * EACH == words.total()
        assert {event.key for share in shares for event in share} == kept(engine).keys()
        assert words["accepted"] <= accepted(engine) <= words["accepted"] + words["refused"]
        again = [answer for share in shares for answer in real.app.ledger.record_many(share)]
        assert {"duplicate"} == {answer.verdict for answer in again}
        assert real.app.verify().ok
        print(dict(words))


HOT = 40
"""Events that each process tells of the one parcel."""


@pytest.mark.slow
def test_eight_processes_at_one_parcel(own_database):
    """Eight processes that tell of nothing but one parcel wait for each other, and none fails."""
    with busy(own_database.url) as real:
        (first, *_) = real.happenings("alpha", 1, seed=9)
        shares = [
            [
                replace(
                    first,
                    key=f"{number}-{step}",
                    status=(Status.NOTMEETCUSTOMER, Status.DELIVERING)[step % 2],
                    occurred_at=first.occurred_at + timedelta(seconds=step),
                    fill_gaps=True,
                )
                for step in range(HOT)
            ]
            for number in range(PROCESSES)
        ]

        answers = recorded_at_once(real, shares)

        assert {"accepted", "late", "refused"} >= {word for each in answers for word in each}
        told = {event.key for share in shares for event in share}
        assert told == kept(real.app.store.engine).keys()
        assert real.app.verify().ok


RUNS = 4


@pytest.mark.slow
@pytest.mark.parametrize("platform", PLATFORMS)
def test_runs_that_take_the_shop_from_each_other_double_nothing(own_database, platform):
    """Runs whose lease ends before they do overlap all the time: every step is told once."""
    with busy(own_database.url, platform=platform, lease_seconds=0.03) as real:
        real.record_all(real.happenings("alpha", 50, seed=12))
        runs = [Worker(reconciling, real.settings, "alpha") for _ in range(RUNS)]
        end = time.monotonic() + 20
        while real.unpublished and time.monotonic() < end:
            for run in runs:
                run.listen(seconds=0.05)
                run.check()
        for run in runs:
            run.kill()

        real.assert_in_agreement(ambiguous=RUNS)
        heard = Counter(word for run in runs for word in run.heard)
        assert heard["ShopHeld"]
        print(dict(heard))


def told_by(number, events):
    """Return the events as one scanner of several would tell them: its own keys, its own times."""
    rng = random.Random(number)
    told = [
        replace(
            event,
            key=f"{event.key}-{number}",
            occurred_at=event.occurred_at + timedelta(minutes=rng.randrange(120)),
        )
        for event in events
    ]
    return turned(told, rng)


def accepted(engine):
    """Count the entries of history that events with keys became."""
    with engine.connect() as connection:
        query = select(func.count()).where(history.c.event_key.like("%-%-%"))
        return connection.execute(query).scalar()
