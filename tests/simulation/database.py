"""SQLite for processes: begin and commit are switch points, and a killed process commits nothing."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from sqlalchemy import event

from carrierflow.settings import Settings
from carrierflow.storage import build_engine
from carrierflow.wiring import build

from .scheduler import Broken, Killed


KEY = "K0Zs1xJ7m0q8h6iS0mC2y5l1Qd9cVbXwQZ3nE4rT5uY="
MEMORY = Path("/dev/shm")  # noqa: S108 - folders of our own are made in it

QUICK, SLOW = (0.0002, 0.004), (0.4, 3.0)


def new_folder():
    """Return a folder that vanishes with its object, in memory where the machine has that."""
    return tempfile.TemporaryDirectory(
        prefix="carrierflow-sim-", dir=MEMORY if MEMORY.is_dir() else None
    )


@cache
def _template():
    folder = new_folder()
    path = Path(folder.name) / "template.db"
    app = build(Settings(database_url=f"sqlite:///{path}", secret_key=KEY))
    app.upgrade()
    app.store.engine.dispose()
    return folder, path


def copy_template(folder):
    """Put a migrated database into a folder and return its path."""
    target = Path(folder) / "ledger.db"
    shutil.copyfile(_template()[1], target)
    return target


def open_engine(url, scheduler, *, hiccups=0.0):
    """Return an engine of one process, whose transactions take time and can be cut off."""
    engine = build_engine(url)
    chance, dialect = scheduler.chance, engine.dialect
    commit, rollback = dialect.do_commit, dialect.do_rollback

    def latency():
        span = SLOW if chance.random() < hiccups else QUICK
        return chance.uniform(*span)

    @event.listens_for(engine, "checkout")
    def _checkout(*_all):
        scheduler.pause(latency())
        scheduler.kill_point("before a transaction")

    @event.listens_for(engine, "begin")
    def _begin(_connection):
        if (process := scheduler.current) is None:
            return
        if any(p is not process and p.transactions for p in scheduler.processes):
            raise Broken("no transaction spans I/O", "two transactions are open at once")
        process.transactions += 1

    def do_commit(connection):
        if (process := scheduler.current) is None:
            commit(connection)
            return
        scheduler.kill_point("before a commit")
        scheduler.check_alive(process)
        commit(connection)
        process.transactions = 0
        if process.put is not None:
            process.put.committed()
        scheduler.tell("commit")
        scheduler.kill_point("after a commit")
        scheduler.pause(latency())

    def do_rollback(connection):
        if (process := scheduler.current) is not None:
            process.transactions = 0
        with suppress(Killed):
            rollback(connection)

    dialect.do_commit, dialect.do_rollback = do_commit, do_rollback
    return engine
