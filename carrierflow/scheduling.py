"""Jobs inside one process, for carriers without cron; the only user of `schedule`.

A job is a plain file that defines one `JOB`. It is loaded by path under a private name, so that
the files need no package and no name of the host's is taken.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import schedule

from carrierflow.app import Carrierflow
from carrierflow.clock import Sleep
from carrierflow.errors import ConfigurationError
from carrierflow.loading import load_name


__all__ = ["Job", "JobRun", "Loop", "load_jobs"]

log = logging.getLogger(__name__)

POLL = 1.0
"""Seconds between two looks at what is due."""


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
    """Run a job once; whatever it raises is logged, for the next job must run all the same."""
    began = time.monotonic()
    try:
        result = job.run(app)
    except Exception as error:
        log.exception("carrierflow.job.failed", extra={"job": job.name})
        sentence = f"{type(error).__name__}: {error}"
        return JobRun(name=job.name, ok=False, seconds=time.monotonic() - began, error=sentence)
    seconds = time.monotonic() - began
    log.info("carrierflow.job.done", extra={"job": job.name, "seconds": round(seconds, 3)})
    return JobRun(name=job.name, ok=True, seconds=seconds, result=result)


class Loop:
    """Runs jobs when they are due, one at a time; after a gap each runs once, not once a slot."""

    def __init__(self, jobs: Sequence[Job], app: Carrierflow, *, sleep: Sleep) -> None:
        self._scheduler = schedule.Scheduler()
        self._app = app
        self._sleep = sleep
        self.runs: list[JobRun] = []
        for job in jobs:
            seconds = max(1, round(job.every.total_seconds()))
            self._scheduler.every(seconds).seconds.do(self._run, job).tag(job.name)

    def run_all(self) -> list[JobRun]:
        """Run every job once, now."""
        self._scheduler.run_all()
        return self.runs

    def run_until(self, stop: Callable[[], bool]) -> list[JobRun]:
        """Run every job once, and then each when it is due, until somebody asks to stop."""
        self._scheduler.run_all()
        while not stop():
            self._scheduler.run_pending()
            idle = self._scheduler.idle_seconds
            self._sleep(min(POLL, max(0.0, idle if idle is not None else POLL)))
        return self.runs

    def _run(self, job: Job) -> None:
        self.runs = [*self.runs[-99:], run_job(job, self._app)]


def _load(file: Path) -> Job:
    job = load_name(file, "JOB")
    if not isinstance(job, Job):
        raise ConfigurationError(f"The JOB of {file} is no `Job` of carrierflow.")
    return job
