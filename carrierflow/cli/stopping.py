"""Ctrl-C and a polite kill: whatever a command waits for, it ends within seconds."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import click

from carrierflow.cli.session import INTERRUPTED, Session, tell
from carrierflow.errors import DatabaseUnavailable


__all__ = ["hanging_up", "stopping"]

GRACE = 1.5
"""Seconds that a database still gets for each answer once the process is to end."""

LOOK = 0.25
"""Seconds between two looks at what still waits."""


@contextmanager
def stopping(
    session: Session, *, sentence: str = "Stopping after the request under way …"
) -> Iterator[Event]:
    """Let Ctrl-C and a polite kill set a flag: runs end after the request under way.

    A database that says nothing then is waited for no longer. An empty sentence is not told.
    """
    stopped = Event()

    def stop(*_: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()
        if sentence:
            tell(sentence)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with hanging_up(session, stopped.is_set):
            yield stopped
    except DatabaseUnavailable:
        if not stopped.is_set():
            raise
        raise click.exceptions.Exit(INTERRUPTED) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def hanging_up(session: Session, leaving: Callable[[], bool]) -> Iterator[None]:
    """Once the process is to end, cut the database connections that hang, until it has ended."""
    over, store = Event(), session.app.store

    def watch() -> None:
        since = None
        while not over.wait(LOOK):
            if since is None and leaving():
                since = time.monotonic()
            if since is not None:
                store.hang_up(since=since, after=GRACE)

    watcher = Thread(target=watch, name="hanging up", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
