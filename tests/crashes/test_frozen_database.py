"""A database that says nothing in the middle of a run; `test_frozen_commands` has every command."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager

import pytest
import requests
from databases import every_database

from .busy_carrier import busy
from .test_cut_connections import wire_to
from .test_stopping import SECONDS, stop


ON_SERVERS = pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)

COMMANDS = {
    "a run": ["reconcile", "--full"],
    "a plan": ["reconcile", "--full", "--dry-run"],
}

AMONG = 34
"""Packets to the server after which it freezes: connected by then, and in the middle of it."""


@contextmanager
def frozen_office(database, **settings):
    """Yield a carrier whose commands reach their database through a wire, and that wire."""
    with wire_to(database) as (wire, url), busy(database.url, lease_seconds=1, **settings) as real:
        real.record_all(real.happenings("alpha", 6, seed=3))
        real.environment["CARRIERFLOW_DATABASE_URL"] = url
        yield real, wire


def wait_until_frozen(wire, process):
    end = time.monotonic() + 30
    while not wire.is_frozen:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.05)


@pytest.mark.slow
@ON_SERVERS
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_gives_a_silent_database_up(own_database, name):
    """It ends by itself when its time is up, says why in a sentence, and works once it is back."""
    settings = {"database_statement_timeout": 1, "database_connect_timeout": 2}
    with frozen_office(own_database, **settings) as (real, wire):
        wire.freeze(after=AMONG)
        process = real.start(*COMMANDS[name])
        wait_until_frozen(wire, process)
        began = time.monotonic()
        _, said = process.communicate(timeout=30)

        assert time.monotonic() - began < 15
        assert 1 == process.returncode
        assert "The database cannot be used now" in said or "it was lost while" in said
        assert "Traceback" not in said
        wire.thaw()
        real.until_in_order()
        again = real.start(*COMMANDS[name])
        again.communicate(timeout=30)
        assert again.returncode in {0, 3}


@pytest.mark.slow
@ON_SERVERS
@pytest.mark.parametrize(
    ("name", "number"),
    [("a run", signal.SIGINT), *((name, signal.SIGTERM) for name in COMMANDS)],
)
def test_a_command_that_waits_for_a_silent_database_can_be_stopped(own_database, name, number):
    """It ends within five seconds, however long the database might have been given."""
    with frozen_office(own_database) as (real, wire):
        wire.freeze(after=AMONG)
        process = real.start(*COMMANDS[name])
        wait_until_frozen(wire, process)
        time.sleep(0.3)

        assert stop(process, number) < SECONDS
        assert 0 != process.returncode
        wire.thaw()
        real.until_in_order()


@pytest.mark.slow
@ON_SERVERS
def test_a_server_answers_its_probes_beside_a_silent_database(own_database):
    """`/ready` and `/metrics` answer within five seconds with what they know, and so it ends."""
    with frozen_office(own_database) as (real, wire):
        process = real.start("serve", "--port", "0", "--json")
        url = _url(process)
        assert 200 == requests.get(f"{url}/ready", timeout=10).status_code
        wire.freeze()

        for _ in range(2):
            ready, metrics = _in_time(f"{url}/ready"), _in_time(f"{url}/metrics")
            assert 503 == ready.status_code
            assert "carrierflow_database_up 0.0" in metrics.text
        assert stop(process, signal.SIGTERM) < SECONDS


def _url(process):
    """Read where a server says that it listens."""
    return next(line.split('"')[3] for line in iter(process.stdout.readline, "") if '"url"' in line)


def _in_time(url):
    began = time.monotonic()
    reply = requests.get(url, timeout=10)
    assert time.monotonic() - began < SECONDS
    return reply
