"""Whatever a command waits for, SIGTERM and Ctrl-C end it within five seconds."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from carrierflow.domain import clock
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule, World
from carrierflow.storage.shops import change_shop
from carrierflow.storage.tables import runs, shops

from .busy_carrier import BusyCarrier, busy
from .silence import DRIP, deaf, useless


SECONDS = 5
"""How long the end may take."""

REF = FulfillmentRef(shop="alpha", order_id="1001", fulfillment_id="2001")


def reply(status, body=b"{}", **headers):
    """Write a reply of a platform."""
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{named}\r\n"
    return head.encode() + body


SHORT_PAUSE = reply(429, Retry_After=50)
LONG_PAUSE = reply(429, Retry_After=3600)
FULL = reply(200, b'{"orders": []}', X_Haravan_Api_Call_Limit="999999/80")


def asked(_carrier, platform):
    """Tell whether a request has come, so that the process waits for what follows it."""
    return platform.requests > 0


def begun(carrier, _platform):
    """Tell whether a run holds the shop."""
    return held(carrier)


def ended(carrier, _platform):
    """Tell whether a run has ended, and waits to begin another."""
    return bool(endings(carrier))


def held(carrier):
    with carrier.app.store.engine.connect() as connection:
        return connection.execute(select(shops.c.lease_owner)).scalar() is not None


def endings(carrier):
    with carrier.app.store.engine.connect() as connection:
        found = connection.execute(select(runs.c.end_reason)).scalars().all()
    return [reason for reason in found if reason is not None]


@contextmanager
def waiting_for_another_renewal(carrier):
    """Let the shop's token have ended, and another process have the right to renew it."""
    now, encrypt = clock.now(), carrier.app.shops._encryptor.encrypt
    values = {
        "refresh_token": encrypt(b"r", context="refresh token of shop alpha"),
        "token_expires_at": now,
        "refreshing_until": now + timedelta(minutes=5),
    }
    carrier.app.store.transact(lambda c: change_shop(c, "alpha", **values))
    yield


CASES = {
    "a silent platform": (lambda: useless(b""), asked, []),
    "a platform that drips": (lambda: useless(DRIP), asked, []),
    "a platform that takes no connection": (deaf, begun, []),
    "a pause that a run sits through": (lambda: useless(SHORT_PAUSE), asked, []),
    "a pause between two runs": (lambda: useless(LONG_PAUSE), ended, ["--wait"]),
    "a full bucket": (lambda: useless(FULL), asked, []),
    "another process that renews the token": (lambda: useless(b""), begun, []),
}


def stop(process, number):
    """Send a signal; return after how many seconds the process had ended."""
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=60)
    return time.monotonic() - began


def wait_until(process, condition):
    """Wait until something is so, and a little longer; the process must not have ended by then."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it never came so far"
        assert process.poll() is None, process.communicate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.05)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("name", CASES)
def test_every_wait_of_a_run_can_be_stopped(tmp_path, name, number):
    """It ends within five seconds, says 130, and leaves the shop free for the next run."""
    make, condition, options = CASES[name]
    with make() as platform:
        carrier = BusyCarrier(f"sqlite:///{tmp_path}/l.db", World(), None, rate_leak=0.5)
        carrier.app.shops.add("alpha", token="t", base_url=platform.url)
        carrier.app.ledger.open(Opening(ref=REF, cod_amount=0))
        if "renews" in name:
            with waiting_for_another_renewal(carrier):
                pass
        process = carrier.start("reconcile", *options)
        wait_until(process, lambda: condition(carrier, platform))

        seconds = stop(process, number)

        assert seconds < SECONDS
        assert 130 == process.returncode
        assert not held(carrier)
        assert endings(carrier)[-1] == ("throttled" if options else "interrupted")
        carrier.app.store.engine.dispose()


@pytest.mark.slow
def test_a_settle_window_can_be_stopped(sqlite_database):
    """`--wait` that waits for an unanswered PUT ends too, and does not hold the shop meanwhile."""
    with busy(sqlite_database.url, settle_seconds=60.0) as real:
        real.record_all(real.happenings("alpha", 3, seed=1))
        lost = Rule(fault=Fault(kind=FaultKind.LOST_REPLY), method="PUT", times=100)
        real.server.faults.plan(script=[lost])
        process = real.start("reconcile", "--wait")
        wait_until(process, lambda: ended(real, None))
        assert not held(real)

        assert stop(process, signal.SIGTERM) < SECONDS
        assert 130 == process.returncode


JOB = """
from datetime import timedelta
from carrierflow import Job
JOB = Job(name="look", every=timedelta(hours=1), run=lambda app: app.reconcile())
"""


@pytest.mark.slow
def test_a_job_that_waits_can_be_stopped(tmp_path):
    """`schedule run` ends although its job is in the middle of a wait."""
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "look.py").write_text(JOB)
    with useless(b"") as platform:
        carrier = BusyCarrier(f"sqlite:///{tmp_path}/l.db", World(), None)
        carrier.app.shops.add("alpha", token="t", base_url=platform.url)
        carrier.app.ledger.open(Opening(ref=REF, cod_amount=0))
        process = carrier.start("schedule", "run", "--jobs", str(tmp_path / "jobs"), "--json")
        wait_until(process, lambda: asked(carrier, platform))

        assert stop(process, signal.SIGTERM) < SECONDS
        assert ["interrupted"] == endings(carrier)
        carrier.app.store.engine.dispose()
