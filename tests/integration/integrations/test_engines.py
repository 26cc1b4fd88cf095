"""What the tasks of every engine do, and how Celery and Procrastinate are told of them."""

from __future__ import annotations

import logging
import socket
import threading
import warnings
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from celery import Celery, current_app, signals
from celery.schedules import crontab
from croniter import croniter
from databases import every_database
from procrastinate import App, PsycopgConnector
from procrastinate.testing import InMemoryConnector
from sqlalchemy import text

from carrierflow import Settings, build, generate_key
from carrierflow.domain.waiting import never
from carrierflow.errors import InvalidInput
from carrierflow.integrations import celery as on_celery
from carrierflow.integrations import procrastinate as on_procrastinate
from carrierflow.integrations.engine_tasks import DUTIES, EngineTasks
from carrierflow.storage import build_engine


COUNT = 9


@pytest.fixture
def carrierflow(sqlite_database):
    """An application with nine shops that are due."""
    app = build(Settings(database_url=sqlite_database.url, secret_key=generate_key()))
    for number in range(COUNT):
        app.shops.add(f"shop-{number}", token="t", base_url="http://127.0.0.1:1")
    yield app
    app.close()


def test_a_dispatch_brings_twice_the_slots_and_waits_for_room(carrierflow):
    """No more are on their way than that; the others are due as before."""
    sent = []
    EngineTasks(carrierflow, slots=2).dispatch(sent.extend, stop=lambda: len(sent) > 0)

    assert ["shop-0", "shop-1", "shop-2", "shop-3"] == sent
    assert 4 == carrierflow.outstanding()


def test_a_dispatch_ends_when_nothing_more_is_due(carrierflow):
    """All that is due is sent once, and then it is over, long before its time."""
    sent = []
    EngineTasks(carrierflow, slots=20).dispatch(sent.append, stop=never)

    assert [COUNT] == [len(shops) for shops in sent]


def test_a_host_that_says_nothing_keeps_a_slot_for_one_request(sqlite_database):
    """A worker that sees no other shops wait for its place tries no second time all the same."""
    brief = {"connect_timeout": 0.2, "request_timeout": 0.4, "get_backoff_seconds": 60}
    settings = Settings(database_url=sqlite_database.url, secret_key=generate_key(), **brief)
    with socket.create_server(("127.0.0.1", 0)) as silent, closing(build(settings)) as app:
        app.shops.add("shop", token="t", base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        for _ in range(2):  # the first look of all only notes where to begin
            EngineTasks(app).reconcile_shop("shop", stop=never)

        assert "unavailable" == app.last_runs()["shop"].end_reason


def test_one_dispatch_at_a_time_in_a_process(carrierflow):
    """A second one ends at once: threads are for shops."""
    tasks, sent = EngineTasks(carrierflow, slots=20), []

    def send(shops):
        sent.append(len(shops))
        tasks.dispatch(send, stop=never)

    tasks.dispatch(send, stop=never)

    assert [COUNT] == sent


def test_two_dispatchers_share_the_shops(carrierflow):
    """Each shop is sent by one of them."""
    sent = []
    threads = [
        threading.Thread(
            target=EngineTasks(carrierflow, slots=20).dispatch,
            args=(sent.extend,),
            kwargs={"stop": never},
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(f"shop-{number}" for number in range(COUNT)) == sorted(sent)


def test_what_a_broker_did_not_take_is_given_back(carrierflow):
    """The shops are due again at once, and the engine is told of the error."""

    def send(shops):
        raise ConnectionError

    with pytest.raises(ConnectionError):
        EngineTasks(carrierflow, slots=2).dispatch(send, stop=never)

    assert 0 == carrierflow.outstanding()
    assert COUNT == len(carrierflow.due(100))


def test_a_silent_database_ends_a_dispatch_and_a_task(tmp_path, caplog):
    """The log says so, and neither fails."""
    gone = f"sqlite:///{tmp_path / 'nowhere' / 'ledger.db'}"
    tasks = EngineTasks(build(Settings(database_url=gone, secret_key=generate_key())))
    with caplog.at_level(logging.WARNING, "carrierflow"):
        tasks.dispatch(lambda _: None, stop=never)
        tasks.reconcile_shop("shop-0", stop=never)

    assert ["carrierflow.queue_unavailable", "carrierflow.shop_missed"] == [
        record.message for record in caplog.records
    ]


def test_a_task_of_a_shop_that_cannot_be_looked_after(carrierflow, caplog):
    """Its host does not answer, or it is not there: the log says which shop, and no more."""
    tasks = EngineTasks(carrierflow)
    tasks.reconcile_shop("shop-0", stop=never)  # of a new shop nothing has to be read
    with caplog.at_level(logging.WARNING, "carrierflow.integrations"):
        tasks.reconcile_shop("shop-0", stop=never)
        tasks.reconcile_shop("nobody", stop=never)

    assert ["shop-0", "nobody"] == [
        it.shop for it in caplog.records if it.message == "carrierflow.shop_missed"
    ]


def test_the_application_is_built_once_and_late(carrierflow):
    """Declaring tasks builds nothing; the first task does, and the next ones use the same."""
    built = []

    def factory():
        built.append(carrierflow)
        return carrierflow

    tasks = EngineTasks(factory)
    assert [] == built
    tasks.dispatch(lambda _: None, stop=never)
    tasks.dispatch(lambda _: None, stop=never)

    assert [carrierflow] == built


WRONG = {
    "slots": [0, -1, 5_001, 1.5, float("nan"), "8", None],
    "hold": [timedelta(0), timedelta(days=-1), timedelta(days=50_000), 120, None],
    "seconds": [0, 0.0, -1.0, float("nan"), float("inf"), "20", None],
    "requests": [0, -1, 1.5, "80", None],
    "queue": ["", " shops", "q\0", "q" * 300, 3, None],
    "carrierflow": [None, "carrierflow"],
}


@pytest.mark.parametrize("declare", [on_celery.install, on_procrastinate.install])
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_what_cannot_be_is_refused_where_it_is_declared(carrierflow, declare, name, value):
    """A worker would say so with each task, or say nothing and idle."""
    hosts = {
        on_celery.install: Celery("host", broker="memory://", set_as_current=False),
        on_procrastinate.install: App(connector=InMemoryConnector()),
    }
    given = {"carrierflow": carrierflow, name: value}
    with pytest.raises(InvalidInput):
        declare(hosts[declare], given.pop("carrierflow"), **given)


@pytest.mark.parametrize("declare", [on_celery.install, on_procrastinate.install])
@pytest.mark.parametrize("host", [None, "host", 3])
def test_tasks_are_declared_on_an_application_of_the_engine(carrierflow, declare, host):
    """Whatever else it is given is refused by a sentence of ours."""
    with pytest.raises(InvalidInput, match="application"):
        declare(host, carrierflow)


def test_a_proxy_of_an_application_is_one(carrierflow):
    """Celery's `current_app` is what many hosts have at hand."""
    host = Celery("host", broker="memory://")
    on_celery.install(current_app, carrierflow)

    assert "carrierflow.dispatch" in host.tasks


def test_beat_needs_a_queue():
    """What no queue can be called is no part of a name either."""
    with pytest.raises(InvalidInput):
        on_celery.beat_schedule(queue=None)


def test_what_builds_no_application_is_told_of():
    """The first task says what came of it."""
    tasks = EngineTasks(lambda: None)
    with pytest.raises(InvalidInput, match="NoneType"):
        tasks.dispatch(lambda _: None, stop=never)


@pytest.fixture
def celery(carrierflow):
    """A Celery application with our tasks, which does them where they are sent."""
    host = Celery("host", broker="memory://", set_as_current=False)
    host.conf.update(task_always_eager=True, worker_prefetch_multiplier=1)
    on_celery.install(host, carrierflow, slots=2, seconds=20)
    yield host
    for signal in (signals.celeryd_after_setup, signals.worker_shutting_down):
        signal.receivers.clear()


def test_celery_s_tasks(celery):
    """A shop's task is acknowledged late, given back, ended in time; no task is kept or retried."""
    task = celery.tasks["carrierflow.reconcile_shop"]
    ours = [it for name, it in celery.tasks.items() if name.startswith("carrierflow.")]

    assert (True, True) == (task.acks_late, task.reject_on_worker_lost)
    one_read = 4 * (60 + 13)
    assert 20 + one_read < task.soft_time_limit < task.time_limit < 600
    assert {(True, 0)} == {(it.ignore_result, it.max_retries) for it in ours}


def test_celery_s_beat_knows_every_task(celery):
    """What is sent is declared, expires, and every task but a shop's is sent."""
    sent = on_celery.beat_schedule()
    ours = {name for name in celery.tasks if name.startswith("carrierflow.")}

    assert ours - {"carrierflow.reconcile_shop"} == {each["task"] for each in sent.values()}
    often = [each for each in sent.values() if not isinstance(each["schedule"], crontab)]
    assert all(each["options"]["expires"] >= each["schedule"] for each in often)
    assert {"carrierflow-duties"} == {each["options"]["queue"] for each in sent.values()}


@pytest.mark.parametrize("duty", [duty for duty in DUTIES if duty.every >= timedelta(days=1)])
def test_what_is_done_daily_is_done_at_night_in_vietnam(celery, duty):
    """By no clock that begins anew with each beat, and on both engines at the same time."""
    hour, minute = 19, 20  # of UTC
    (by_celery,) = (
        each["schedule"]
        for each in on_celery.beat_schedule().values()
        if each["task"] == f"carrierflow.{duty.name}"
    )
    assert "UTC" == str(celery.timezone)
    begin = datetime(2026, 3, 2, hour, minute, tzinfo=UTC)
    by_celery.nowfun = lambda: begin
    left = by_celery.remaining_estimate(begin)

    assert timedelta(0) < left < timedelta(hours=3)
    cron = on_procrastinate.WHEN[duty.name]
    assert begin + left == croniter(cron, begin).get_next(datetime)


def test_celery_dispatches(celery, carrierflow):
    """A dispatch has each due shop looked after."""
    celery.tasks["carrierflow.dispatch"].delay()

    assert COUNT == len(carrierflow.last_runs())


@pytest.mark.parametrize("duty", DUTIES, ids=lambda duty: duty.name)
def test_celery_does_each_duty(celery, carrierflow, duty, caplog):
    """A duty runs to its end, and is counted."""
    with caplog.at_level(logging.INFO, "carrierflow"):
        celery.tasks[f"carrierflow.{duty.name}"].delay()

    done = [it.job for it in caplog.records if it.message.startswith("carrierflow.job.")]
    assert [duty.name] == done


class Worker:
    """What Celery says of a worker that starts."""

    def __init__(self, app, prefetch):
        self.app, self.prefetch_multiplier = app, prefetch


def starting(celery, *, prefetch=1):
    """Let a worker start; return what it was warned of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        worker = Worker(celery, prefetch)
        signals.celeryd_after_setup.send("here", instance=worker, conf=celery.conf)
    return [str(each.message) for each in told]


def test_a_worker_that_fits_is_told_nothing(celery):
    """One task at a time for each thread, on a broker that keeps what is not acknowledged."""
    assert [] == starting(celery)


def test_a_worker_that_takes_too_much_is_told(celery):
    """Celery's own default is four for each thread."""
    (sentence,) = starting(celery, prefetch=4)
    assert "worker_prefetch_multiplier is 4" in sentence


def test_a_worker_on_redis_is_told(celery, monkeypatch):
    """Its visibility timeout hands out what is under way."""

    class Read:
        transport_cls = "redis"

    monkeypatch.setattr(celery, "connection_for_read", Read)
    (sentence,) = starting(celery)
    assert "visibility timeout" in sentence


def test_procrastinate_s_tasks(carrierflow):
    """They have no lock, bear our name, and every one but a shop's is sent by the clock."""
    host = App(connector=InMemoryConnector())
    on_procrastinate.install(host, carrierflow, slots=2)
    ours = {name: task for name, task in host.tasks.items() if name.startswith("carrierflow:")}
    periodic = {name for name, _ in host.periodic_registry.periodic_tasks}

    assert {None} == {task.lock for task in ours.values()}
    assert set(ours) - {"carrierflow:reconcile_shop"} == periodic
    assert {f"carrierflow:{duty.name}" for duty in DUTIES} < periodic


def test_procrastinate_dispatches(carrierflow):
    """A dispatch defers each due shop, and a worker looks after it."""
    host = App(connector=InMemoryConnector())
    on_procrastinate.install(host, carrierflow, slots=COUNT)
    with host.open():
        host.tasks["carrierflow:dispatch"].defer(timestamp=0)
        host.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)

    assert COUNT == len(carrierflow.last_runs())


@pytest.mark.parametrize(("silent", "back"), [(15, False), (21, True)])
@pytest.mark.parametrize("empty_database", every_database(but=["sqlite", "mariadb"]), indirect=True)
def test_what_a_dead_worker_had_fetched_is_back(carrierflow, empty_database, silent, back):
    """A shop whose job was fetched and not begun waits neither for its hold, nor for a lease."""
    url = empty_database.url
    assert carrierflow.due(COUNT, hold=timedelta(minutes=2))
    host = App(connector=PsycopgConnector(conninfo=url))
    on_procrastinate.install(host, carrierflow, slots=COUNT)
    with host.open():
        host.schema_manager.apply_schema()
        host.tasks["carrierflow:seal"].defer(timestamp=0)
        host.tasks["carrierflow:reconcile_shop"].defer(shop="shop-1")
    engine = build_engine(url)
    with engine.begin() as connection:
        dead = "SELECT worker_id FROM procrastinate_register_worker_v1()"
        worker = connection.execute(text(dead)).scalar_one()
        fetch = "SELECT id FROM procrastinate_fetch_job_v2(NULL, :worker)"
        for _ in range(2):
            assert connection.execute(text(fetch), {"worker": worker}).scalar_one()
        age = "UPDATE procrastinate_workers SET last_heartbeat = now() - :silent * interval '1 s'"
        connection.execute(text(age), {"silent": silent})
    engine.dispose()

    with host.open():
        host.tasks["carrierflow:seal"].defer(timestamp=1)  # which keeps the first from its place
        host.tasks["carrierflow:rescue_stalled"].defer(timestamp=0)
        host.run_worker(wait=False, install_signal_handlers=False, listen_notify=False)

    assert ["shop-1"] * back == list(carrierflow.last_runs())
