"""How long many shops take on each engine, two workers of which one is killed in the middle.

Every shop is due, and a look at one takes 50 ms of waiting. Workers are processes, queues and
databases are real, and so is time: a machine that does other things besides takes longer. What
it costs in CPU time is told beside it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import mkdtemp

from conformance.engines import ENGINES, running, until
from databases import create
from rabbitmq import brokerless

from .measure import Spread
from .results import Budget, Figure


__all__ = ["draining"]

WORK, WORKERS, THREADS, LEASE = 0.05, 2, 8, 20

WALL = 65.0
"""Seconds for ten thousand shops; without any cost but the waiting they would take 31."""
BACK = LEASE + 2.0
LONGEST = 600

ON = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mariadb": "MariaDB"}
NAMES = {"loop": "the loop", "celery-threads": "Celery", "procrastinate": "Procrastinate"}


def draining(kinds, size, folder):
    """Drain the shops on each engine and each database that it can use."""
    for name, who in NAMES.items():
        if name.startswith("celery") and brokerless():
            continue
        for kind in ENGINES[name].databases:
            if kind in kinds and (name == "loop" or kind == "postgres"):
                yield from _drained(name, who, kind, size.due, folder)


def _drained(name, who, kind, count, folder):
    folder = Path(mkdtemp(dir=folder))
    with ExitStack() as stack:
        database = stack.enter_context(create(kind, folder))
        engine = stack.enter_context(
            running(
                name, database.url, folder, work=WORK, threads=THREADS, workers=WORKERS, lease=LEASE
            )
        )
        shops = set(engine.add_shops(count))
        doomed, _ = engine.start_worker(), engine.start_worker()
        engine.start_dispatcher()
        until(lambda: len(engine.notes.done()) >= count / 2, seconds=LONGEST, every=0.5)
        pids, killed = engine.kill(doomed)
        engine.start_worker()
        until(lambda: engine.notes.done() >= shops, seconds=LONGEST, every=0.5)
        runs, interrupted = engine.notes.runs(), engine.notes.interrupted(pids)
        busy = engine.cpu_seconds()
    wall = max(run.end for run in runs if run.end is not None) - runs[0].begin
    again = [
        min(run.begin for run in runs if run.shop == shop and run.begin > killed) - killed
        for shop in interrupted
    ]
    where = f"{count:,} shops, {ON[kind]}"
    yield Figure(bench="draining", where=where, who=who, spread=_one(wall), unit="s")
    yield Figure(
        bench="draining, CPU of the workers alive at the end",
        where=where,
        who=who,
        spread=_one(1000 * busy / count),
        unit="ms a shop",
    )
    for promise, limit, value, unit in (
        ("until every shop was looked after", WALL, wall, "s"),
        ("shops that were lost", 0, len(shops - {run.shop for run in runs}), "shops"),
        ("shops that had two runs at once", 0, len(engine.notes.overlapping()), "shops"),
        ("until the last interrupted shop was taken up", BACK, max(again, default=0), "s"),
    ):
        yield Budget(
            promise=promise, where=f"{where}, {who}", limit=limit, spread=_one(value), unit=unit
        )


def _one(value):
    return Spread.of([value])
