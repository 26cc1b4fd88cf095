"""Real commands: killed at any moment, run twice at once, sharing one budget."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from contextlib import suppress

import pytest
from carrier import LEGAL

from carrierflow.sandbox.haravan import Faults, SandboxServer, World

from .busy_carrier import PLATFORMS, BusyCarrier, busy, kept, quick_faults


KILLS = {"haravan": 20, "sapo": 10, "onflow": 10}
"""Each takes a command's whole start."""
ON_A_BAD_NETWORK = 5
"""Kills there, where each run takes longer."""


ON_EACH_PLATFORM = pytest.mark.parametrize("platform", PLATFORMS)


@pytest.fixture
def platform():
    """Return the platform where a test names none."""
    return "haravan"


@pytest.fixture
def faults(request):
    """Return what goes wrong, by a seed; nothing where a test says nothing of it."""
    return quick_faults(request.param) if hasattr(request, "param") else Faults()


@pytest.fixture
def real(own_database, platform, faults):
    with busy(own_database.url, platform=platform, faults=faults) as carrier:
        yield carrier


def killed_after(real, *, writes, seconds):
    """Start a run and kill -9 it that long after so many writes; False if it ended before.

    A shop that is named never rests, however silent it was.
    """
    target = real.writes + writes
    process = real.start("reconcile", "--shop", "alpha")
    while process.poll() is None and real.writes < target:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.002)
    return killed(process, seconds=seconds)


def killed(process, *, seconds):
    """Kill -9 a process so much later; False if it ended before."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def kill_runs(real, rng, *, many, most=12):
    """Have runs with work enough, until many have been killed at random moments of it."""
    kills = tried = 0
    while kills < many:
        if real.unpublished < 2 * most:
            real.record_all(real.happenings("alpha", 60, seed=tried))
        tried += 1
        kills += killed_after(real, writes=rng.randrange(1, most), seconds=rng.uniform(0, 0.03))


@pytest.mark.slow
@ON_EACH_PLATFORM
def test_killed_runs_lose_and_double_nothing(real, platform):
    """Kill -9 at random moments of runs: agreement after, no write doubled beyond ambiguity."""
    kill_runs(real, random.Random(7), many=KILLS[platform])

    real.assert_in_agreement(ambiguous=KILLS[platform])


@pytest.mark.slow
@ON_EACH_PLATFORM
@pytest.mark.parametrize("faults", [3], indirect=True)
def test_killed_runs_on_a_bad_network_lose_and_double_nothing(real, faults):
    """Kill -9 while requests and replies are lost, late, old or spoilt, and two runs are started.

    No write is illegal, and none is repeated whose outcome was known. A run may give up.
    """
    kill_runs(real, random.Random(7), many=ON_A_BAD_NETWORK)
    processes = [real.start("reconcile") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in processes]
    assert {process.returncode for process in processes} <= {0, 1, 3, 75}, said
    faults.plan()

    unknown = len(real.judged().ambiguous)
    assert unknown, "nothing went wrong"
    real.assert_in_agreement(ambiguous=ON_A_BAD_NETWORK + unknown)
    print(f"{real.writes} writes for {real.all_due} due, {unknown} of unknown outcome")


PARCELS = 2_500


@pytest.mark.slow
def test_a_killed_recording_of_a_file_goes_on_where_it_was(real, tmp_path):
    """Kill -9 while a file is recorded: recorded again, each of its rows stands there once."""
    events, rng = real.happenings("alpha", PARCELS, seed=3), random.Random(11)
    file = tmp_path / "scans.jsonl"
    file.write_text("".join(f"{json.dumps(row_of(event))}\n" for event in events))
    kills = sum(
        killed(real.start("record-file", str(file)), seconds=rng.uniform(0.5, 3)) for _ in range(5)
    )

    process = real.start("record-file", str(file), "--force", "--json")
    output, errors = process.communicate(timeout=120)

    answered = json.loads(output)
    assert 0 == process.returncode, errors
    assert len(events) == answered["accepted"] + answered["duplicate"]
    assert {event.key: 1 for event in events} == kept(real.app.store.engine)
    assert real.app.verify().ok
    print(f"{kills} kills, {answered['duplicate']} of {len(events)} rows were there before the end")


def row_of(event):
    """Write an event as a row of a file."""
    return {
        "shop": event.shop,
        "fulfillment_id": event.fulfillment_id,
        "order_id": event.opening.ref.order_id,
        "cod_amount": event.opening.cod_amount,
        "status": str(event.status),
        "at": event.occurred_at.isoformat(),
        "key": event.key,
    }


@pytest.mark.slow
@ON_EACH_PLATFORM
def test_two_runs_at_once_do_the_work_once(real):
    """Of two runs at once one works and the other says 75; nothing is sent twice."""
    real.record_all(real.happenings("alpha", 80, seed=2))
    processes = [real.start("reconcile") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in processes]
    codes = sorted(process.returncode for process in processes)
    assert codes in ([0, 75], [0, 0], [3, 75], [0, 3]), said

    real.assert_in_agreement(ambiguous=0)

    assert real.all_due == real.writes
    assert real.judged().is_clean


SHOPS = ("alpha", "beta", "gamma")


def answered(real, *arguments):
    """Run a command to its good end, and return its JSON.

    A run may find a parcel that nobody has told the ledger of yet; that is work for a person.
    """
    process = real.start(*arguments, "--json")
    output, errors = process.communicate(timeout=300)
    assert process.returncode in {0, 3}, errors
    return json.loads(output)


@pytest.mark.slow
@ON_EACH_PLATFORM
def test_one_command_tells_exactly_what_is_missing(own_database, platform):
    """Of 300 parcels in three shops, each told halfway: a dry run writes nothing, a run the rest.

    How many writes that takes is counted from the histories and the platform's documents. The
    next run writes nothing.
    """
    with busy(own_database.url, platform=platform, shops=SHOPS, latency=0) as real:
        events = [
            event for n, shop in enumerate(SHOPS) for event in real.happenings(shop, 100, seed=n)
        ]
        events.sort(key=lambda event: event.occurred_at)
        half = len(events) // 2
        real.record_all(events[:half])
        answered(real, "reconcile")
        real.record_all(events[half:])
        missing, before, rows = real.unpublished, real.writes, real.rows()

        plan = answered(real, "reconcile", "--dry-run")["plan"]

        assert (before, rows) == (real.writes, real.rows())
        first = answered(real, "reconcile")["shops"]
        wrote = real.writes - before
        second = answered(real, "reconcile", "--full")["shops"]

        assert missing == wrote == sum(shop["published"] for shop in first)
        assert missing == sum(len(line["puts"]) for line in plan) > 20
        assert [0, 0, 0] == [shop["requests"]["put"] for shop in second]
        assert [0, 0, 0] == [shop["left"] for shop in second]
        assert [] == real.apart()
        assert real.judged().is_clean
        print(f"{len(events)} events, {missing} writes missing, {wrote} told, then 0")


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
        carrier = BusyCarrier(f"sqlite:///{tmp_path}/l.db", world, server, rate_reserve=0)
        world.add_shop(code="alpha", token="t")
        carrier.app.shops.add("alpha", token="t", base_url=server.url)
        order, _ = world.add_parcel(shop="alpha")
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(SPAN), str(order)],
                env=carrier.environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        made = [process.communicate(timeout=SPAN * 2)[0].split() for process in processes]
        carrier.app.store.engine.dispose()
    total, throttled = sum(int(one) for one, _ in made), sum(int(two) for _, two in made)
    bound = 80 + 4 * SPAN
    print(f"{total} requests of {bound} in {SPAN} s, {throttled} throttled")
    assert 0 == throttled == carrier.judged().throttled
    assert total >= 0.95 * bound
