"""Real processes: killed at any moment, run twice at once, sharing one budget."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from carrierflow.model import Event, FulfillmentRef, Opening, Status
from carrierflow.sandbox import SandboxServer, World
from carrierflow.sealing import generate_key
from carrierflow.settings import Settings
from carrierflow.wiring import build

from .stage import LEGAL, random_walk


QUICK = {
    "settle_seconds": 0.5,
    "request_timeout": 1.0,
    "connect_timeout": 0.5,
    "send_deadline_seconds": 0.5,
    "lease_seconds": 1.0,
    "rate_bucket": 100_000,
    "rate_leak": 100_000.0,
}

KILLS = 20

DAY = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=number) for number in range(12)]


class RealStage:
    """A carrier whose runs are processes of their own; time is real, and settings are quick."""

    def __init__(self, url, server, world, **settings):
        self.world, self.server = world, server
        self.settings = Settings(database_url=url, secret_key=generate_key(), **settings)
        self.app = build(self.settings)
        self.app.upgrade()
        self.environment = os.environ | {
            "CARRIERFLOW_DATABASE_URL": url,
            "CARRIERFLOW_SECRET_KEY": self.settings.secret_key.get_secret_value(),
            **{f"CARRIERFLOW_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def start(self, *arguments):
        """Start the command line as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "carrierflow", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def killed_after(self, *, puts, seconds):
        """Start a run and kill -9 it that long after so many PUTs; False if it ended before."""
        target = len(self.world.judge.puts) + puts
        process = self.start("reconcile")
        while process.poll() is None and len(self.world.judge.puts) < target:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.002)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return process.returncode == -signal.SIGKILL

    def until_in_order(self, *, most=40):
        """Run reconcile again and again until it says that all is in order."""
        for _ in range(most):
            process = self.start("reconcile", "--full", "--wait")
            output, errors = process.communicate(timeout=120)
            if process.returncode == 0:
                return
            assert process.returncode in {3, 75}, output + errors
        raise AssertionError(f"not in order after {most} runs: {output}")

    def parcels(self, shop, count, *, seed):
        """Make parcels with random histories, and record them all."""
        rng, refs, missing, events = random.Random(seed), [], 0, []
        for _ in range(count):
            cod = rng.choice([0, 250_000])
            order, fulfillment = self.world.add_parcel(shop=shop, cod_amount=cod)
            ref = FulfillmentRef(shop=shop, order_id=str(order), fulfillment_id=str(fulfillment))
            opening = Opening(ref=ref, cod_amount=cod)
            walk = random_walk(rng, cod=cod)
            self.app.ledger.open(opening)
            refs.append(ref)
            missing += len(walk)
            events += [
                Event(
                    shop=shop,
                    fulfillment_id=ref.fulfillment_id,
                    status=Status(status),
                    occurred_at=DAY[index],
                )
                for index, status in enumerate(walk)
            ]
        assert {"accepted"} == {answer.verdict for answer in self.app.ledger.record_many(events)}
        return refs, missing

    def apart(self, refs):
        """Return the parcels on which both sides disagree."""
        wrong = []
        for ref in refs:
            parcel = self.app.parcel(ref.shop, ref.fulfillment_id)
            shown = self.world.shop(ref.shop).parcel(int(ref.order_id), int(ref.fulfillment_id))
            mine = (parcel.delivery.status, parcel.cod.status)
            if mine != (str(shown.carrier_status), str(shown.cod_status)):
                wrong.append(ref)
        return wrong


@pytest.fixture
def real(own_database):
    world = World()
    with SandboxServer(world, legal=LEGAL, latency=0.01) as server:
        stage = RealStage(own_database.url, server, world, **QUICK)
        world.add_shop(code="alpha", token="t", bucket_size=100_000, leak_per_second=100_000)
        stage.app.shops.add("alpha", token="t", base_url=server.url)
        yield stage
        stage.app.store.engine.dispose()


@pytest.mark.slow
def test_twenty_kills_lose_and_double_nothing(real):
    """Kill -9 at random moments of runs: agreement after, no PUT doubled beyond ambiguity."""
    refs, missing = real.parcels("alpha", 120, seed=1)
    rng = random.Random(7)
    killed = 0
    while killed < KILLS:
        if len(real.apart(refs)) < 20:
            refs, more = extend(real, refs, seed=killed)
            missing += more
        killed += real.killed_after(puts=rng.randrange(1, 12), seconds=rng.uniform(0, 0.03))

    real.until_in_order()

    judged = real.world.judge.report(LEGAL)
    assert [] == real.apart(refs)
    assert () == judged.illegal
    assert () == judged.after_cancel
    assert len(judged.duplicates) <= KILLS
    assert judged.puts_applied - judged.no_ops == missing
    assert [] == real.app.incidents.all()
    assert real.app.verify().ok
    print(f"{KILLS} kills, {missing} missing, {judged.puts_received} PUTs received")


def extend(real, refs, *, seed):
    """Give the runs more to do: further parcels."""
    more, missing = real.parcels("alpha", 40, seed=100 + seed)
    return refs + more, missing


@pytest.mark.slow
def test_two_runs_at_once_do_the_work_once(real):
    """Of two runs at once one works and the other says 75; nothing is sent twice."""
    refs, missing = real.parcels("alpha", 80, seed=2)
    processes = [real.start("reconcile") for _ in range(2)]
    for process in processes:
        process.communicate(timeout=120)
    codes = sorted(process.returncode for process in processes)
    assert codes in ([0, 75], [0, 0], [3, 75], [0, 3])

    real.until_in_order()

    judged = real.world.judge.report(LEGAL)
    assert [] == real.apart(refs)
    assert missing == judged.puts_received
    assert judged.is_clean


WORKER = """
import sys, time
from carrierflow import Settings, build
app = build(Settings())
shop = app.shops.get("alpha")
platform = app.reconciler.connect(shop)
end = time.monotonic() + float(sys.argv[1])
made = 0
while time.monotonic() < end:
    platform.orders([sys.argv[2]])
    made += 1
print(made, platform.requests.throttled)
"""

SPAN = 60


@pytest.mark.slow
def test_four_processes_share_one_bucket(tmp_path):
    """Four processes on one shop for a minute: no 429, and 95 % of what the bucket allows."""
    world = World()
    with SandboxServer(world, legal=LEGAL) as server:
        stage = RealStage(f"sqlite:///{tmp_path}/l.db", server, world, rate_reserve=0)
        world.add_shop(code="alpha", token="t")
        stage.app.shops.add("alpha", token="t", base_url=server.url)
        order, _ = world.add_parcel(shop="alpha")
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(SPAN), str(order)],
                env=stage.environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        made = [process.communicate(timeout=SPAN * 2)[0].split() for process in processes]
        stage.app.store.engine.dispose()
    total, throttled = sum(int(one) for one, _ in made), sum(int(two) for _, two in made)
    bound = 80 + 4 * SPAN
    print(f"{total} requests of {bound} in {SPAN} s, {throttled} throttled")
    assert 0 == throttled == world.judge.report(LEGAL).throttled
    assert total >= 0.95 * bound
