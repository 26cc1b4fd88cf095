"""SQLite for processes: begin and commit are switch points; who was killed commits nothing."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import event

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.clock import EARLIEST
from carrierflow.storage import build_engine

from .scheduler import Broken


KEY = "K0Zs1xJ7m0q8h6iS0mC2y5l1Qd9cVbXwQZ3nE4rT5uY="
MEMORY = Path("/dev/shm")  # noqa: S108 - folders of our own are made in it

QUICK, SLOW = (0.0002, 0.004), (0.4, 3.0)


@cache
def _home():
    """Return this Python process's own folder, in memory where the machine has that."""
    return tempfile.TemporaryDirectory(
        prefix="carrierflow-sim-", dir=MEMORY if MEMORY.is_dir() else None
    )


@cache
def _template():
    path = Path(_home().name) / "template.db"
    settings = Settings(database_url=f"sqlite:///{path}", secret_key=KEY)
    app = build(settings, now=lambda: EARLIEST)
    app.upgrade()
    app.store.engine.dispose()
    return path


def fresh_database():
    """Put a migrated database where the last one was, and return its path."""
    ENGINES.forget()
    target = Path(_home().name) / "ledger.db"
    for leftover in target.parent.glob("ledger.db*"):
        leftover.unlink()
    shutil.copyfile(_template(), target)
    return target


class Engines:
    """One engine for each process; what a dead process leaves open is closed.

    An engine compiles every statement anew, which takes longer than all the rest.
    """

    def __init__(self):
        self.idle = []

    @contextmanager
    def lent(self, url, scheduler, hiccups):
        """Lend an engine without any open transaction, for as long as a process lives."""
        found = next((e for e in self.idle if str(e.engine.url) == url), None)
        instrumented = found or Instrumented(url)
        if found:
            self.idle.remove(found)
        instrumented.scheduler, instrumented.hiccups = scheduler, hiccups
        try:
            yield instrumented.engine
        finally:
            died = instrumented.process is not None and instrumented.process.killed
            instrumented.scheduler = None
            if died:
                instrumented.engine.dispose()
            self.idle.append(instrumented)

    def forget(self):
        """Close every connection: the database is to be another one."""
        for instrumented in self.idle:
            instrumented.engine.dispose()


ENGINES = Engines()


class Instrumented:
    """An engine whose transactions take virtual time and can be cut off by a kill."""

    def __init__(self, url):
        self.engine, self.scheduler, self.hiccups = build_engine(url), None, 0.0
        dialect = self.engine.dialect
        self._commit, self._rollback = dialect.do_commit, dialect.do_rollback
        dialect.do_commit, dialect.do_rollback = self.commit, self.rollback
        event.listen(self.engine, "checkout", self.checkout)
        event.listen(self.engine, "begin", self.begin)

    @property
    def process(self):
        """The process that uses this engine now; None for the stage itself."""
        return self.scheduler.current if self.scheduler else None

    def pause(self):
        """Let some time pass, outside any transaction."""
        chance = self.scheduler.chance
        is_slow = chance.random() < self.hiccups
        self.scheduler.met["slow database"] += is_slow
        self.scheduler.pause(chance.uniform(*(SLOW if is_slow else QUICK)))

    def checkout(self, *_all):
        """Wait before a transaction begins; the pool gives one connection for each."""
        if self.process is not None:
            self.pause()
            self.scheduler.kill_point("before a transaction")

    def begin(self, _connection):
        """Note that a transaction is open."""
        if (process := self.process) is not None:
            others = [p for p in self.scheduler.processes if p is not process]
            if any(p.transactions for p in others):
                raise Broken("no transaction spans I/O", "two transactions are open at once")
            process.transactions += 1

    def commit(self, connection):
        """Commit, if the process lives."""
        if (process := self.process) is None:
            self._commit(connection)
            return
        self.scheduler.kill_point("before a commit")
        self._commit(connection)
        process.transactions = 0
        if process.put is not None:
            process.put.committed()
        self.scheduler.tell("commit")
        self.scheduler.kill_point("after a commit")
        self.pause()

    def rollback(self, connection):
        """Roll back; the database does so too for a process that died."""
        if (process := self.process) is not None:
            process.transactions = 0
        self._rollback(connection)
