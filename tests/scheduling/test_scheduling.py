"""Jobs as plain files, run in one process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from carrierflow.errors import ConfigurationError
from carrierflow.scheduling import Job, Loop, load_jobs


JOBS = Path(__file__).parents[2] / "jobs"


def test_the_shipped_jobs_load_by_path():
    """Each file of jobs/ defines one job under the name of its file."""
    names = [job.name for job in load_jobs(JOBS)]

    assert [
        "audit_pass",
        "erase_old",
        "reconcile_hinted",
        "reconcile_open",
        "report_coverage",
        "seal_history",
        "verify_history",
    ] == names


def test_a_failing_job_waits_for_its_next_turn():
    """A job that raises is logged and does not fire again at every look; the others run."""
    calls = []

    def fail(_app):
        calls.append("fail")
        raise RuntimeError("canary")

    jobs = [
        Job(name="fail", every=timedelta(minutes=5), run=fail),
        Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append("work")),
    ]
    with freeze_time(datetime(2026, 3, 1, tzinfo=UTC)) as frozen:
        loop = Loop(jobs, app=None, sleep=lambda _: frozen.tick(timedelta(seconds=1)))
        end = datetime(2026, 3, 1, 0, 10, 30)
        loop.run_until(lambda: datetime.now() >= end)

    assert 3 == calls.count("fail")
    assert 11 == calls.count("work")
    assert {"fail": False, "work": True} == {run.name: run.ok for run in loop.runs}
    assert {"RuntimeError: canary", None} == {run.error for run in loop.runs}


def test_after_a_gap_a_job_runs_once():
    """A process that slept through many turns runs a job once, not once for each."""
    calls = []
    job = Job(name="work", every=timedelta(minutes=1), run=lambda _: calls.append(1))
    moments = iter([timedelta(hours=5), timedelta(seconds=1)])
    with freeze_time(datetime(2026, 3, 1, tzinfo=UTC)) as frozen:
        loop = Loop([job], app=None, sleep=lambda _: frozen.tick(next(moments)))
        looks = iter([False, False, True])
        loop.run_until(lambda: next(looks))

    assert 2 == len(calls)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("x = 1", "defines no JOB"),
        ("raise ValueError('broken')", "cannot be loaded: broken"),
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
