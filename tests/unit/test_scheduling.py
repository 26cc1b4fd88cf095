"""Jobs as plain files, run in one process."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from freezegun import freeze_time

from carrierflow.domain.counters import Counters
from carrierflow.errors import ConfigurationError
from carrierflow.scheduling import Job, Loop, load_jobs


JOBS = Path(__file__).parents[2] / "jobs"


def test_the_shipped_jobs_load_by_path():
    """Each file of jobs/ defines one job under the name of its file."""
    names = [job.name for job in load_jobs(JOBS)]

    assert [
        "audit_pass",
        "deliver_changes",
        "erase_old",
        "notify_incidents",
        "reconcile_due",
        "report_coverage",
        "seal_history",
        "verify_history",
    ] == names


class Application:
    """Stands for the application: remembers by whom its waits can be ended."""

    asks = None
    counters = Counters()

    def stopped_by(self, stop):
        self.asks = stop
        return self


class Monotonic:
    """A clock that only goes forward, by sleeping."""

    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds

    def sleep(self, seconds):
        self.seconds += max(seconds, 0.001)


@pytest.fixture
def monotonic():
    """The clock of the loop."""
    return Monotonic()


@pytest.fixture
def make_loop(monotonic):
    """Build loops that wait in no time."""

    def make(*jobs, sleep=monotonic.sleep):
        return Loop(jobs, Application(), sleep=sleep, monotonic=monotonic)

    return make


def test_a_failing_job_waits_for_its_next_turn(make_loop, monotonic):
    """A job that raises is logged and does not fire again at every look; the others run."""
    calls = []

    def fail(_app):
        calls.append("fail")
        raise RuntimeError("canary")

    loop = make_loop(
        Job(name="fail", every=timedelta(minutes=5), run=fail),
        Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append("work")),
    )
    loop.run_until(lambda: monotonic() >= 1000 + 630)

    assert 3 == calls.count("fail")
    assert 11 == calls.count("work")
    assert {"fail": False, "work": True} == {run.name: run.ok for run in loop.runs}
    assert {"RuntimeError: canary", None} == {run.error for run in loop.runs}


def test_a_job_that_exits_is_a_failed_job(make_loop, caplog):
    """`sys.exit` in a job is logged as its failure; the process and the other jobs go on."""
    calls = []
    loop = make_loop(
        Job(name="leave", every=timedelta(minutes=5), run=lambda _: sys.exit("enough")),
        Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append("work")),
    )

    assert [False, True] == [run.ok for run in loop.run_all()]
    assert "SystemExit: enough" == loop.runs[0].error
    assert ["carrierflow.job.failed"] == [record.message for record in caplog.records]


def test_ctrl_c_in_a_job_ends_all(make_loop):
    """Whoever interrupts the process does not mean one job."""

    def interrupt(_app):
        raise KeyboardInterrupt

    loop = make_loop(
        Job(name="interrupt", every=timedelta(minutes=5), run=interrupt),
        Job(name="work", every=timedelta(minutes=1), run=lambda _: pytest.fail("it went on")),
    )

    with pytest.raises(KeyboardInterrupt):
        loop.run_all()


@pytest.mark.parametrize("leap", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-9000)])
def test_the_clock_on_the_wall_moves_no_job(make_loop, monotonic, leap):
    """Where clocks are put back or forward, jobs run as often as they would have."""
    calls = []
    job = Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append(monotonic()))
    with freeze_time(datetime(2026, 10, 25, tzinfo=UTC)) as frozen:

        def sleep(seconds):
            monotonic.sleep(seconds)
            if len(calls) == 3:
                frozen.move_to(datetime(2026, 10, 25, tzinfo=UTC) + leap)

        make_loop(job, sleep=sleep).run_until(lambda: monotonic() >= 1000 + 630)

    assert [60] * 10 == [round(b - a) for a, b in pairwise(calls)]


def test_after_a_gap_a_job_runs_once(make_loop, monotonic):
    """A process that slept through many turns runs a job once, not once for each."""
    calls = []
    job = Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append(1))
    moments = iter([5 * 3600, 1])
    looks = iter([False, False, False, False, True])

    make_loop(job, sleep=lambda _: monotonic.sleep(next(moments))).run_until(lambda: next(looks))

    assert 2 == len(calls)


def test_who_asks_to_stop_is_heard_between_two_jobs_and_in_them(make_loop):
    """No further job begins, and a job can ask the same question through its application."""
    seen = []

    def look(app):
        seen.append(app.asks())

    answers = iter([False, True, True, True])
    jobs = [Job(name=name, every=timedelta(minutes=1), run=look) for name in "ab"]

    make_loop(*jobs).run_until(lambda: next(answers))

    assert [True] == seen


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1", "defines no JOB"),
        ("raise ValueError('broken')", "cannot be loaded: broken"),
        ("raise SystemExit('enough')", "cannot be loaded: enough"),
        ("this is not Python", "cannot be loaded"),
    ],
)
def test_a_file_that_is_no_job_is_named(tmp_path, content, says):
    """A file that cannot be a job is an error with its name, before any job runs."""
    (tmp_path / "odd.py").write_text(content)

    with pytest.raises(ConfigurationError, match=says):
        load_jobs(tmp_path)


def test_two_jobs_of_one_name_are_refused(tmp_path):
    """Names tell jobs apart in logs and on the command line."""
    text = (
        "from datetime import timedelta\nfrom carrierflow import Job\n"
        "JOB = Job(name='same', every=timedelta(hours=1), run=print)\n"
    )
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text(text)

    with pytest.raises(ConfigurationError, match="bear one name"):
        load_jobs(tmp_path)
