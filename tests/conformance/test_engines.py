"""What every engine keeps, whatever happens to its workers, its queue and its database."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from functools import partial

import pytest
from databases import create
from rabbitmq import broker_to_oneself, restart, shared_broker

from carrierflow import Event, FulfillmentRef, Opening, Status

from .engines import running, until


SERVERS, BROKER = pytest.mark.servers, pytest.mark.broker

pytestmark = pytest.mark.slow

ON_BROKER = [
    pytest.param("celery-threads", "postgres", marks=[SERVERS, BROKER]),
    pytest.param("celery-threads", "mariadb", marks=[SERVERS, BROKER]),
    pytest.param("celery-prefork", "postgres", marks=[SERVERS, BROKER]),
]
QUEUED = [*ON_BROKER, pytest.param("procrastinate", "postgres", marks=SERVERS)]
EVERY = [
    pytest.param("loop", "postgres", marks=SERVERS),
    pytest.param("loop", "mariadb", marks=SERVERS),
    *QUEUED,
]
every_engine = pytest.mark.parametrize(("name", "kind"), EVERY)
every_queue = pytest.mark.parametrize(("name", "kind"), QUEUED)

LONG = 120
"""Seconds within which anything has happened on a busy machine."""
LEASE, SLACK = 3, 5
"""A lease in seconds, and how much later a shop may be looked at again on a busy machine."""

CUT = {
    "postgres": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist"
    " WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}


@pytest.fixture
def engine(name, kind, tmp_path):
    """Build the engine of a test; all of it is gone at the end."""
    with ExitStack() as stack:

        def make(*, alone=False, **options):
            if name.startswith("celery"):
                stack.enter_context(broker_to_oneself() if alone else shared_broker())
            database = stack.enter_context(create(kind, tmp_path))
            return stack.enter_context(running(name, database.url, tmp_path, **options))

        yield make


def all_done(engine, shops):
    """Wait until each shop has had a run that came to its end, and none at the same time."""
    until(
        lambda: engine.notes.done() >= set(shops),
        seconds=LONG,
        what="every shop's run",
    )
    assert [] == engine.notes.overlapping()


@every_engine
def test_every_shop_has_its_run(engine):
    """Two dispatchers and two workers: each shop has one run, and no shop two at once."""
    one = engine(work=0.02)
    shops = one.add_shops(100)
    for start in (one.start_worker, one.start_dispatcher) * 2:
        start()

    all_done(one, shops)

    assert sorted(shops) == sorted(run.shop for run in one.notes.runs())


@every_engine
def test_a_killed_worker_s_shops_come_back(engine):
    """After `kill -9` its shops are looked after by another one once their lease is over."""
    one = engine(work=1.0, lease=LEASE, hold=2 * LEASE)
    shops = one.add_shops(96)
    doomed, other, _ = one.start_worker(), one.start_worker(), one.start_dispatcher()
    for worker in (doomed, other):
        until(
            lambda worker=worker: one.pids_of(worker) & {run.pid for run in one.notes.runs()},
            seconds=LONG,
            what="a run of each worker",
        )

    pids, when = one.kill(doomed)

    all_done(one, shops)
    for shop in one.notes.interrupted(pids):
        again = min(run.begin for run in one.notes.by_shop()[shop] if run.begin > when)
        assert again - when < LEASE + one.work + SLACK, (shop, again - when)


@every_engine
def test_a_frozen_worker_writes_nothing_once_another_took_over(engine):
    """Its fence is refused: the platform is told once, by whoever holds the shop."""
    one = engine(work=1.5, lease=LEASE, hold=2 * LEASE)
    (shop,) = one.add_shops(1)
    app = one.application()
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")
    app.ledger.open(Opening(ref=ref, cod_amount=0))
    for status in (Status.READYTOPICK, Status.PICKING):
        app.ledger.record(Event(shop=shop, fulfillment_id="1", status=status))
    frozen = one.start_worker()
    one.start_dispatcher()
    until(one.notes.runs, seconds=LONG, what="a run")
    one.signal(frozen, signal.SIGSTOP)
    try:
        one.start_worker()
        until(lambda: one.notes.written(shop), seconds=LONG, what="the other one's write")
    finally:
        one.signal(frozen, signal.SIGCONT)

    until(lambda: not one.unended(), seconds=LONG, what="the end of the frozen run")
    assert 2 <= len({run.pid for run in one.notes.runs()})
    (writer,) = one.notes.written(shop)
    assert writer not in one.pids_of(frozen)
    app.close()


@every_engine
def test_cut_connections(engine, kind):
    """Whoever loses its connections to the database goes on, or is started again and does."""
    one = engine(work=0.05, lease=LEASE, hold=2 * LEASE)
    shops = one.add_shops(300)
    for start in (one.start_worker, one.start_worker, one.start_dispatcher):
        start()

    def supervised(part):
        one.restart_dead()  # some end only a while after the cut
        return len(one.notes.done()) > part

    for part in (20, 80, 160):
        until(partial(supervised, part), seconds=LONG, what="some runs")
        for (found,) in one.on_database(CUT[kind]):
            if kind == "mariadb":
                one.on_database(f"KILL {found}", missing_ok=True)

    def whole():
        one.restart_dead()
        one.wake_failed()
        return one.notes.done() >= set(shops)

    until(whole, seconds=LONG, every=0.5, what="every shop's run")
    assert [] == one.notes.overlapping()


@every_queue
def test_an_emptied_queue(engine):
    """What somebody threw away is sent again once its hold is over."""
    one = engine(work=0.2, hold=3)
    shops = one.add_shops(60)
    one.start_dispatcher()
    one.start_worker()
    for part in (3, 12):
        until(lambda part=part: len(one.notes.runs()) > part, seconds=LONG, what="some runs")
        one.purge()

    all_done(one, shops)


@pytest.mark.parametrize(("name", "kind"), ON_BROKER)
def test_a_restarted_broker(engine):
    """Workers and beat find it again, and nothing is lost that was under way."""
    one = engine(work=0.1, hold=6, lease=LEASE, alone=True)
    shops = one.add_shops(200)
    for start in (one.start_worker, one.start_worker, one.start_dispatcher):
        start()
    until(lambda: len(one.notes.done()) > 30, seconds=LONG, what="some runs")

    restart()

    all_done(one, shops)
