"""Hosts fork: whatever the parent did before, parent and children work on as if they were alone."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.model import Opening

from .busy_carrier import busy


HOSTS = Path(__file__).parent / "forking_hosts"
CHILDREN = 4


def in_a_child(work):
    """Do some work in a process that is forked from this one; tell whether it went well."""
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            work()
        except BaseException:  # noqa: BLE001 - it must not go on as a second pytest
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def test_a_lock_is_free_in_a_child():
    """What a thread of the parent holds at the moment of a fork, no child waits for."""
    lock, held, done = ProcessLock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            done.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    assert in_a_child(lock.__enter__)
    done.set()
    thread.join()


def test_a_child_has_connections_of_its_own(store, engine, shop):
    """What the parent had open stays open there, and is used and closed by no child."""
    with engine.connect() as connection:
        mine = id(connection.connection.driver_connection)

    def work():
        with engine.connect() as connection:
            assert mine != id(connection.connection.driver_connection)
        assert shop == store.shop(shop).code
        engine.dispose()

    assert [True] * CHILDREN == [in_a_child(work) for _ in range(CHILDREN)]
    with engine.connect() as connection:
        assert mine == id(connection.connection.driver_connection)
    assert shop == store.shop(shop).code


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own_database", "order"),
    [
        ("sqlite", "workers-first"),  # a lock of SQLite's own, held at the fork, nobody renews
        pytest.param("postgres", "threads-first", marks=pytest.mark.servers),
        pytest.param("mariadb", "threads-first", marks=pytest.mark.servers),
    ],
    indirect=["own_database"],
)
def test_workers_of_a_parent_with_threads(own_database, order, tmp_path):
    """Four children of a parent whose threads use the ledger: no error, and no step told twice."""
    with busy(own_database.url) as real:
        events = real.happenings("alpha", 40, seed=3)
        shares = [
            [event for event in events if int(event.fulfillment_id) % CHILDREN == number]
            for number in range(CHILDREN)
        ]
        (tmp_path / "shares").write_bytes(pickle.dumps(shares))
        done = subprocess.run(
            [sys.executable, HOSTS / "executor.py", tmp_path / "shares", order],
            env=real.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

        assert 0 == done.returncode, done.stderr
        told = json.loads(done.stdout)
        assert [] == told["troubles"]
        assert {"accepted"} == {verdict for answers in told["answers"] for verdict in answers}
        real.assert_in_agreement(ambiguous=0)


def parcels(real, count):
    """Make parcels that nothing happened to yet, on both sides; return their ids."""
    for _ in range(count):
        with real.server.lock:
            real.refs.append(real.platform_parcel("alpha"))
        real.app.ledger.open(Opening(ref=real.refs[-1], cod_amount=0))
    real.all_due += count
    return [ref.fulfillment_id for ref in real.refs]


@contextmanager
def running(real, *arguments, **environment):
    """Run a program of a host's among its own files, and end it as a supervisor does."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=real.environment | environment,
        cwd=HOSTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = []
    try:
        yield process
    finally:
        process.terminate()
        said.append(process.communicate(timeout=60)[0])
        assert not any(word in said[0] for word in ("Traceback", "Error")), said[0]


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("own_database", ["postgres", "mariadb"], indirect=True)
def test_gunicorn_with_preload(own_database):
    """Gunicorn's four workers share what was loaded before, and no connection."""
    with busy(own_database.url) as real:
        numbers = parcels(real, 40)
        options = ("--preload", "--workers", "4", "--bind", "127.0.0.1:0", "--no-control-socket")
        with running(real, "gunicorn", *options, "wsgi:site") as server:
            url = listening(server)
            with ThreadPoolExecutor(8) as callers:
                replies = callers.map(
                    lambda n: requests.get(f"{url}/{n}", timeout=60).text, numbers
                )
                told = [reply.split() for reply in replies]

        assert {"accepted"} == {verdict for _, verdict in told}
        assert len({process for process, _ in told}) > 1
        in_agreement(real)


def listening(server):
    """Return where a server says that it listens."""
    for line in server.stdout:
        if "Listening at: " in line:
            return line.split("Listening at: ")[1].split()[0]
    raise AssertionError("it does not listen")


def in_agreement(real):
    """Both sides agree, and each step was told once."""
    real.until_in_order()
    judged = real.judgement()
    assert ([], (), ()) == (real.apart(), judged.illegal, judged.repeated)
    assert real.all_due == judged.applied
    assert real.app.verify().ok


@pytest.mark.slow
@pytest.mark.servers
@pytest.mark.parametrize("own_database", ["postgres", "mariadb"], indirect=True)
def test_celery_s_workers(own_database, tmp_path):
    """Celery's prefork workers share what was loaded before, and no connection."""
    for name in ("queue", "control", "results"):
        (tmp_path / name).mkdir()
    with busy(own_database.url) as real:
        numbers = parcels(real, 40)
        environment = {"CELERY_FOLDER": str(tmp_path)}
        options = ("--pool", "prefork", "--concurrency", "4", "--loglevel", "WARNING")
        with running(real, "celery", "--app", "tasks:queue", "worker", *options, **environment):
            told = json.loads(asked(real, numbers, environment))

        assert {"accepted"} == {verdict for _, verdict in told}
        assert len({process for process, _ in told}) > 1
        in_agreement(real)


def asked(real, numbers, environment):
    """Have Celery do a task for each parcel, by a program of its own; return what came of them."""
    code = (
        "import json, sys, tasks\n"
        "asked = [tasks.picked.delay(number) for number in sys.argv[1:]]\n"
        "print(json.dumps([each.get(timeout=120) for each in asked]))\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *numbers],
        env=real.environment | environment,
        cwd=HOSTS,
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    ).stdout
