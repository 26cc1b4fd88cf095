"""A platform that falls silent in the middle of a request: all is told, and nothing twice."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

from .busy_carrier import busy
from .commands import Command
from .proxy import Freeze, Wire
from .test_stopping import SECONDS


WRITES = {b"PUT ", b"POST "}
"""How a platform is told a status; the first is let through, so that there is one before it."""

LIMIT = 15
"""Seconds within which a run gives up; each of its requests has one."""

JOB = """
from datetime import timedelta
from carrierflow import Job
JOB = Job(name="look", every=timedelta(hours=1), run=lambda app: app.reconcile(full=True))
"""

COMMANDS = {
    "reconcile": ["reconcile", "--full"],
    "reconcile --wait": ["reconcile", "--full", "--wait"],
    "schedule once": ["schedule", "once", "--jobs", "{jobs}"],
    "schedule run": ["schedule", "run", "--jobs", "{jobs}"],
    "serve": ["serve", "--port", "0", "--jobs", "{jobs}"],
    "apply": ["apply", "{plan}"],
}
"""Commands that tell a platform something."""


@contextmanager
def office(database, folder, platform):
    """Yield a carrier that has much to tell a platform at the far end of a wire, and that wire."""
    with busy(database.url, platform=platform) as real:
        host, port = real.server.url.removeprefix("http://").split(":")
        with Wire(host, int(port)) as wire:
            real.app.shops.change("alpha", base_url=f"http://127.0.0.1:{wire.port}")
            real.record_all(real.happenings("alpha", 6, seed=3))
            (folder / "jobs").mkdir()
            (folder / "jobs" / "look.py").write_text(JOB)
            plan, *_ = real.app.plan(["alpha"], full=True)
            (folder / "plan.jsonl").write_text(plan.to_text())
            yield real, wire


def started(real, folder, name):
    """Start a command of this carrier."""
    words = {"jobs": str(folder / "jobs"), "plan": str(folder / "plan.jsonl")}
    arguments = [each.format(**words) for each in COMMANDS[name]]
    return Command(arguments, folder=folder, environment=real.environment)


def thaw(wire):
    """Let the platform answer again; what was held back is lost."""
    wire.cut_all()
    wire.thaw()


def wait_until_frozen(wire, command):
    """Let a command come as far as that."""
    while not wire.is_frozen:
        assert command.lives, command.said
        command.wait(0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("platform", "word"), [("haravan", b"PUT "), ("sapo", b"POST "), ("onflow", b"GET ")]
)
@pytest.mark.parametrize("how", Freeze)
def test_a_run_gives_a_silent_platform_up(sqlite_database, tmp_path, platform, word, how):
    """It ends by itself, and the next one tells what is missing: nothing that had arrived."""
    with office(sqlite_database, tmp_path, platform) as (real, wire):
        wire.freeze(after=2 if word in WRITES else 1, word=word, how=how)
        command = started(real, tmp_path, "reconcile")
        wait_until_frozen(wire, command)
        took = command.end(seconds=4 * LIMIT)

        assert took is not None
        assert took < LIMIT
        assert command.code in {1, 3}, command.said
        assert "Traceback" not in command.said
        thaw(wire)
        real.assert_in_agreement(ambiguous=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "how"), [(signal.SIGTERM, Freeze.INSIDE), (signal.SIGINT, Freeze.BEFORE)]
)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_write_under_way_to_a_silent_platform_is_stopped(
    sqlite_database, tmp_path, name, number, how
):
    """Within five seconds; the write has had its time-out, and is looked for before another."""
    with office(sqlite_database, tmp_path, "haravan") as (real, wire):
        wire.freeze(after=2, word=b"PUT ", how=how)
        command = started(real, tmp_path, name)
        wait_until_frozen(wire, command)
        command.send(number)
        took = command.end(seconds=4 * LIMIT)

        assert took is not None
        assert took < SECONDS
        assert command.code == 130 or name == "schedule run", command.said
        thaw(wire)
        real.assert_in_agreement(ambiguous=0)
