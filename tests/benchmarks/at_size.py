"""What it takes to see how things stand in a network of ten thousand shops, against one of ten.

What is promised is time on the wall, which other people's work slows too; our own CPU time stands
beside it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from click.testing import CliRunner
from databases import create
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import Engine, event, update

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.cli import cli
from carrierflow.domain.clock import now
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import fulfillments
from carrierflow.web.metrics import Metrics

from .many_shops import fill_network
from .measure import Spread, as_installed, of_children, timed
from .results import Budget, Figure
from .servers import settle


__all__ = ["at_size"]

FEW = (10, 1_000)
"""Shops and parcels of the network that the large one is compared with."""

STATUS, METRICS, COVERAGE = "carrierflow status", "/metrics", "coverage"
COMMANDS = {
    STATUS: ["status"],
    "carrierflow status --json": ["status", "--json"],
    "carrierflow runs": ["runs"],
    "carrierflow shop list": ["shop", "list"],
}
STARTED = "carrierflow --version"
"""What any command takes before it does anything."""

MOST_LINES, MOST_SCRAPE, MOST_ASKED, MOST_STATUS = 500, 2_000, 150, 1_000
"""In lines of `/metrics`, and in milliseconds."""


@dataclass
class Seen:
    """What one answer took in milliseconds, ours and the database's, and how much it is."""

    wall: list = field(default_factory=list)
    busy: list = field(default_factory=list)
    database: list = field(default_factory=list)
    statements: list = field(default_factory=list)
    lines: list = field(default_factory=list)


def at_size(kinds, size, folder):
    """Ask what operators ask, in a large network and in a small one; yield what it took."""
    for kind in kinds:
        with create(kind, folder) as small, create(kind, folder) as large:
            few = dict(_asked(small, FEW, rounds=1))
            many = dict(_asked(large, size.network, rounds=size.rounds))
            for name, seen in many.items():
                yield from _figures(kind, name, seen)
                if name in few:
                    spread = Spread.of(
                        [a / b for a in seen.statements for b in few[name].statements]
                    )
                    promise = f"{name}: statements, against {FEW[0]} shops"
                    yield Budget(promise=promise, where=kind, limit=1, spread=spread)
            yield from _budgets(kind, many)
            for name, arguments in ({STARTED: ["--version"]} | COMMANDS).items():
                yield from _whole_command(kind, name, arguments, large, size.rounds)


def _asked(database, network, *, rounds):
    """Fill a database and yield what each question took there."""
    engine = database.build()
    fill_network(engine, *network)
    settle(engine)
    key = generate_key()
    app = build(Settings(database_url=database.url, secret_key=key), engine=engine)
    environment = {"CARRIERFLOW_DATABASE_URL": database.url, "CARRIERFLOW_SECRET_KEY": key}
    registry = CollectorRegistry()
    registry.register(Metrics(app))
    questions = {COVERAGE: lambda: repr(len(app.coverage())), METRICS: partial(_scrape, registry)}
    for name, arguments in COMMANDS.items():
        questions[name] = partial(_command, arguments, environment)
    for name, question in questions.items():
        yield name, _seen(question, rounds)
    _look_at_all(engine)
    yield f"{COVERAGE}, after a look at every parcel", _seen(questions[COVERAGE], rounds)
    engine.dispose()


def _scrape(registry):
    return generate_latest(registry).decode()


def _command(arguments, environment):
    return CliRunner().invoke(cli, arguments, env=environment, catch_exceptions=False).stdout


def _look_at_all(engine):
    """Write that each open parcel was looked at now, as a round of runs does."""
    with engine.begin() as connection:
        connection.execute(
            update(fulfillments).where(fulfillments.c.open).values(verified_at=now())
        )


def _seen(question, rounds):
    seen = Seen()
    question()  # what is made once, statements among it, is made here
    for _ in range(rounds):
        with _statements() as spans:
            began, busy = time.perf_counter(), time.process_time()
            text = question()
            seen.busy.append((time.process_time() - busy) * 1e3)
            seen.wall.append((time.perf_counter() - began) * 1e3)
        seen.database.append(sum(spans) * 1e3)
        seen.statements.append(len(spans))
        seen.lines.append(text.count("\n"))
    return seen


@contextmanager
def _statements():
    """Collect how many seconds the database took for each statement, whoever asks it.

    That we begin a transaction is none; only SQLite is told so by a statement.
    """
    spans, began = [], []

    def before(*_):
        began.append(time.perf_counter())

    def after(_connection, _cursor, statement, *_):
        span = time.perf_counter() - began.pop()
        if not statement.startswith("BEGIN"):
            spans.append(span)

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield spans
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


def _figures(kind, name, seen):
    for what, values, unit in (
        ("wall", seen.wall, "ms"),
        ("our CPU", seen.busy, "ms"),
        ("in the database", seen.database, "ms"),
        ("statements", seen.statements, ""),
        ("lines", seen.lines, ""),
    ):
        yield Figure(
            bench=f"at size: {what}", where=kind, who=name, spread=Spread.of(values), unit=unit
        )


def _growth(kind, name, many, few):
    """Return the promise that many shops are as many statements as few."""
    spread = Spread.of([number / few.statements[0] for number in many.statements])
    promise = f"{name}: statements, against {FEW[0]} shops"
    return Budget(promise=promise, where=kind, limit=1, spread=spread)


def _budgets(kind, many):
    for promise, limit, values, unit in (
        ("coverage: time in the database", MOST_ASKED, many[COVERAGE].database, "ms"),
        ("coverage: statements", 2, many[COVERAGE].statements, ""),
        ("/metrics: time", MOST_SCRAPE, many[METRICS].wall, "ms"),
        ("/metrics: lines", MOST_LINES, many[METRICS].lines, ""),
    ):
        yield Budget(promise=promise, where=kind, limit=limit, spread=Spread.of(values), unit=unit)


def _whole_command(kind, name, arguments, database, rounds):
    """Yield what a command takes in a process of its own, from its start to its end."""
    environment = as_installed() | {
        "CARRIERFLOW_DATABASE_URL": database.url,
        "CARRIERFLOW_SECRET_KEY": generate_key(),
    }
    command = [sys.executable, "-m", "carrierflow", *arguments]
    start = partial(subprocess.run, command, env=environment, capture_output=True, check=False)
    start()
    timings = [timed(start, elsewhere=of_children) for _ in range(rounds)]
    wall = [timing.wall * 1e3 for timing in timings]
    busy = [timing.busy * 1e3 for timing in timings]
    for what, values in (("wall", wall), ("its CPU", busy)):
        bench, spread = f"at size: the whole command, {what}", Spread.of(values)
        yield Figure(bench=bench, where=kind, who=name, spread=spread, unit="ms")
    if name == STATUS:
        yield Budget(
            promise="status, the whole command: time",
            where=kind,
            limit=MOST_STATUS,
            spread=Spread.of(wall),
            unit="ms",
        )
