"""Real processes that are made to be killed, forked from a warm one so that each costs little."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pkgutil
import signal
import traceback
from typing import ClassVar

import carrierflow
from carrierflow.app.build import build
from carrierflow.domain import clock
from carrierflow.errors import CarrierflowError, TryLater


__all__ = ["Worker", "all_at_once", "reconciling", "recording"]

LIBRARIES = (
    *("alembic.command", "psycopg", "pymysql", "requests", "rich.console", "transitions"),
    *("sqlalchemy.dialects.mysql.pymysql", "sqlalchemy.dialects.postgresql.psycopg"),
    "sqlalchemy.dialects.sqlite.pysqlite",
)
"""What is imported by name only, or at first use."""

NOT_OURS = ("carrierflow.integrations", "carrierflow.storage.migrations.", "carrierflow.__main__")
"""What frameworks import, alembic runs, or is a program by itself."""

OURS = tuple(
    part.name
    for part in pkgutil.walk_packages(carrierflow.__path__, "carrierflow.")
    if not part.name.startswith(NOT_OURS)
)

CONTEXT = multiprocessing.get_context("forkserver")
# Also what we import only where it is needed: else each process would import that anew, which
# takes longer than most of what is tried with it.
CONTEXT.set_forkserver_preload([*LIBRARIES, *OURS])

SOON = 0.02
"""Seconds that a process waits before it tries again what could not be done now."""


class Worker:
    """One process of a carrier, and what it said; that outlives it."""

    started: ClassVar[list[Worker]] = []

    def __init__(self, work, settings, *arguments):
        self._ear, mouth = CONTEXT.Pipe(duplex=False)
        self.process = CONTEXT.Process(
            target=_live, args=(mouth, work, settings, *arguments), daemon=True
        )
        self.process.start()
        mouth.close()
        self.heard = []
        Worker.started.append(self)

    def listen(self, *, seconds=0.0):
        """Take in what it says, for so long or until it is silent; return what is new."""
        before = len(self.heard)
        try:
            while self._ear.poll(seconds):
                self.heard.append(self._ear.recv())
                seconds = 0.0
        except (EOFError, ConnectionResetError):
            pass
        return self.heard[before:]

    def listened(self):
        """Listen, and count what it has said so far and nobody took away."""
        self.listen()
        return len(self.heard)

    @property
    def lives(self):
        """Whether it still runs."""
        return self.process.is_alive()

    def kill(self):
        """Kill -9 it; False if it had ended before."""
        self.process.kill()
        self.process.join()
        self.listen()
        return self.process.exitcode == -signal.SIGKILL

    def end(self, *, seconds=120):
        """Wait for its end, which must be a good one, and return all that it said."""
        while self.lives:
            self.listen(seconds=0.1)
            seconds -= 0.1
            assert seconds > 0, "a process does not end"
        self.listen()
        assert self.process.exitcode == 0, self.heard[-1]
        return self.heard

    def check(self):
        """Fail with its traceback if it ended in an error of its own."""
        assert self.process.exitcode in {None, 0, -signal.SIGKILL}, self.heard[-1:]


def _live(mouth, work, settings, *arguments):
    """Build what a process of a carrier holds, and work; only the test is told how it goes."""
    logging.disable(logging.CRITICAL)
    app = build(settings)
    try:
        work(app, mouth.send, *arguments)
    except Exception:  # noqa: BLE001 - whatever it is, the test is told
        mouth.send(traceback.format_exc())
        mouth.close()
        os._exit(1)
    finally:
        app.store.engine.dispose()


def reconciling(app, tell, shop):
    """Reconcile a shop again and again until the end; say each trouble by its name."""
    tell("begun")
    while True:
        try:
            app.reconcile([shop])
        except TryLater as error:
            tell(type(error).__name__)
        clock.sleep(SOON)


def recording(app, tell, events, chunks):
    """Record events in chunks of these sizes, each until it is acknowledged, and say so."""
    tell("begun")
    start = 0
    for size in chunks:
        batch = events[start : start + size]
        answers = _insist(app, tell, batch)
        tell(
            [(event.key, str(answer.verdict)) for event, answer in zip(batch, answers, strict=True)]
        )
        start += size


def _insist(app, tell, batch):
    """Record a batch as often as it takes, singly or in bulk by its size."""
    while True:
        try:
            if len(batch) == 1:
                return [app.ledger.record(batch[0])]
            return list(app.ledger.record_many(batch))
        except TryLater as error:
            tell(type(error).__name__)
            clock.sleep(SOON)


def all_at_once(app, tell, gate, events, chunk):
    """Wait at a gate for the others, record everything, and say what each event was answered."""
    app.shops.all()
    gate.wait()
    if chunk == 1:
        answers = [_answer(app, event) for event in events]
    else:
        answers = list(app.ledger.record_many(events, chunk=chunk))
    for start in range(0, len(answers), 20):
        tell([_told(answer) for answer in answers[start : start + 20]])


def _answer(app, event):
    try:
        return app.ledger.record(event)
    except CarrierflowError as error:
        return error


def _told(answer):
    return type(answer).__name__ if isinstance(answer, Exception) else str(answer.verdict)
