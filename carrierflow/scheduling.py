"""Jobs inside one process, for carriers without cron; the only user of `schedule`.

A job is a plain file that defines one `JOB`. It is loaded by path under a private name, so that
the files need no package and no name of the host's is taken.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import schedule

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.app.load_file import load_name
from carrierflow.domain.clock import Sleep
from carrierflow.domain.waiting import Stop, never
from carrierflow.errors import ConfigurationError
from carrierflow.reconcile import RunReport


__all__ = ["Job", "JobRun", "Loop", "load_jobs"]

log = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two looks at what is due."""

BEGINNING = datetime(2000, 1, 1)  # noqa: DTZ001 - a moment of no wall clock
"""Where the loop's own clock begins; `schedule` keeps moments without a zone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Something to do again and again."""

    name: str
    every: timedelta
    run: Callable[[Carrierflow], object]
    """Does the work once; what it returns is logged, what it raises is logged too."""
    summary: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRun:
    """What became of one execution of a job."""

    name: str
    ok: bool
    seconds: float
    result: object = None
    error: str | None = None


def load_jobs(directory: Path) -> list[Job]:
    """Load the jobs of a directory, by the names of their files.

    Raises:
        ConfigurationError: if there is no such directory, or a file defines no `JOB`.
    """
    if not directory.is_dir():
        raise ConfigurationError(f"There is no directory {directory}; --jobs names it.")
    files = sorted(file for file in directory.glob("*.py") if not file.name.startswith("_"))
    jobs = [_load(file) for file in files]
    names = [job.name for job in jobs]
    if len(set(names)) != len(names):
        raise ConfigurationError(f"Two jobs in {directory} bear one name.")
    return jobs


def run_job(job: Job, app: Carrierflow) -> JobRun:
    """Run a job once; whatever it raises is logged, for the next job must run all the same.

    So is `sys.exit`: it is this job's failure and not the end of the process. Ctrl-C is. A job
    whose runs could do nothing for a shop has failed too, if it returns their reports.
    """
    ran = _run_job(job, app)
    app.counters.count("jobs", job=job.name, result="ok" if ran.ok else "failed")
    return ran


def _run_job(job: Job, app: Carrierflow) -> JobRun:
    began = time.monotonic()
    try:
        result = job.run(app)
    except (Exception, SystemExit) as error:
        log.exception("carrierflow.job.failed", extra={"job": job.name})
        sentence = f"{type(error).__name__}: {error}"
        return JobRun(name=job.name, ok=False, seconds=time.monotonic() - began, error=sentence)
    seconds = time.monotonic() - began
    if failed := _failed_shops(result):
        log.error("carrierflow.job.failed", extra={"job": job.name, "shops": failed})
        sentence = f"Shops that could not be looked after: {failed}"
        return JobRun(name=job.name, ok=False, seconds=seconds, result=result, error=sentence)
    log.info("carrierflow.job.done", extra={"job": job.name, "seconds": round(seconds, 3)})
    return JobRun(name=job.name, ok=True, seconds=seconds, result=result)


def _failed_shops(result: object) -> str:
    """Return which shops a job's runs could do nothing for, and why; nothing of other results."""
    reports = result if isinstance(result, list | tuple) else [result]
    return "; ".join(
        f"{each.shop}: {each.end_reason}"
        for each in reports
        if isinstance(each, RunReport) and each.failed
    )


class Loop:
    """Runs jobs when they are due, one at a time; after a gap each runs once, not once a slot.

    What is due is told by a clock that only goes forward. `schedule` itself asks the one on the
    wall: where that is put back for an hour, in autumn or by a time server, nothing would run.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        app: Carrierflow,
        *,
        sleep: Sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._scheduler = schedule.Scheduler()
        self._app = app
        self._sleep = sleep
        self._monotonic = monotonic
        self._stop = never
        self.runs: list[JobRun] = []
        for job in jobs:
            seconds = max(1, round(job.every.total_seconds()))
            self._scheduler.every(seconds).seconds.do(self._run, job).tag(job.name)

    def run_all(self, stop: Stop = never) -> list[JobRun]:
        """Run every job once, now, until somebody asks to stop."""
        self._stop = stop
        self._run_each(self._scheduler.jobs)
        return self.runs

    def run_until(self, stop: Stop) -> list[JobRun]:
        """Run every job once, and then each when it is due, until somebody asks to stop.

        Jobs are given an application that asks too, whatever it waits for.
        """
        self.run_all(stop)
        while not stop():
            self._run_each(sorted(job for job in self._scheduler.jobs if self._left(job) <= 0))
            self._sleep(min([POLL, *(max(0.0, self._left(j)) for j in self._scheduler.jobs)]))
        return self.runs

    def _run_each(self, jobs: Sequence[schedule.Job]) -> None:
        for job in jobs:
            if self._stop():
                return
            job.run()  # type: ignore[no-untyped-call] # schedule's own gap
            job.next_run = self._now() + timedelta(seconds=job.interval)

    def _left(self, job: schedule.Job) -> float:
        return ((job.next_run or BEGINNING) - self._now()).total_seconds()

    def _now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._monotonic())

    def _run(self, job: Job) -> None:
        app = self._app.stopped_by(self._stop)
        self.runs = [*self.runs[-99:], run_job(job, app)]


def _load(file: Path) -> Job:
    job = load_name(file, "JOB")
    if not isinstance(job, Job):
        raise ConfigurationError(f"The JOB of {file} is no `Job` of carrierflow.")
    return job
