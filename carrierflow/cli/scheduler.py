"""`schedule`: jobs inside this process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from carrierflow.cli.session import FAILED, INTERRUPTED, Session, command
from carrierflow.cli.stopping import stopping
from carrierflow.domain import clock
from carrierflow.errors import InvalidInput
from carrierflow.scheduling import Job, JobRun, Loop, load_jobs


__all__ = ["register"]

JOBS = click.option(
    "--jobs",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("jobs"),
    show_default=True,
    help="The directory of job files.",
)


@click.group("schedule")
def schedule_group() -> None:
    """Run jobs from a directory of plain files."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(schedule_group)


@command(schedule_group, "list", example="carrierflow schedule list --jobs jobs")
@JOBS
def list_jobs(session: Session, directory: Path) -> None:
    """List the jobs of a directory."""
    jobs = load_jobs(directory)
    documents = [
        {"name": job.name, "every_seconds": job.every.total_seconds(), "summary": job.summary}
        for job in jobs
    ]
    rows = [(job.name, job.every, job.summary) for job in jobs]
    session.emit({"jobs": documents}, lambda c: c.table(("name", "every", "summary"), rows))


@command(schedule_group, "once", example="carrierflow schedule once reconcile_open --jobs jobs")
@click.argument("names", nargs=-1, metavar="[JOB]...")
@JOBS
def once(session: Session, names: Sequence[str], directory: Path) -> None:
    """Run jobs once, all of them if none is named; exits with 1 if one failed.

    Stopped before they were done, it exits with 130.
    """
    jobs = _chosen(directory, names)
    session.require_tables(now=True)
    loop = Loop(jobs, session.app, sleep=clock.sleep)
    with stopping(session) as stopped:
        loop.run_all(stopped.is_set)
    _report(session, loop.runs)
    if stopped.is_set():
        raise click.exceptions.Exit(INTERRUPTED)


@command(schedule_group, "run", example="carrierflow schedule run --jobs jobs")
@click.argument("names", nargs=-1, metavar="[JOB]...")
@JOBS
def run(session: Session, names: Sequence[str], directory: Path) -> None:
    """Run jobs whenever they are due, until Ctrl-C.

    A job that fails is logged and waits for its next turn like any other. Ctrl-C also ends what
    a job waits for.
    """
    jobs = _chosen(directory, names)
    session.require_tables(now=False)
    session.stays = True
    loop = Loop(jobs, session.app, sleep=clock.sleep)
    with stopping(session) as stopped:
        loop.run_until(stopped.is_set)
    _report(session, loop.runs)


def _chosen(directory: Path, names: Sequence[str]) -> list[Job]:
    jobs = load_jobs(directory)
    known = {job.name for job in jobs}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(f"There is no job {unknown[0]!r}; there are {', '.join(sorted(known))}.")
    return [job for job in jobs if not names or job.name in names]


def _report(session: Session, runs: Sequence[JobRun]) -> None:
    documents = [
        {"name": run.name, "ok": run.ok, "seconds": round(run.seconds, 3), "error": run.error}
        for run in runs
    ]
    rows = [(run.name, "ok" if run.ok else run.error, f"{run.seconds:.1f} s") for run in runs]
    columns = ("job", "result", "took")
    session.emit({"runs": documents}, lambda c: c.table(columns, rows))
    if not all(run.ok for run in runs):
        raise click.exceptions.Exit(FAILED)
