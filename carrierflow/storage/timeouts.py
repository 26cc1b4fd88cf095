"""How long a database may keep us waiting, and how whoever waits for one is made to stop."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol
from weakref import WeakSet

from carrierflow.domain.forking import ProcessLock, in_children
from carrierflow.errors import DatabaseUnavailable


__all__ = ["DatabaseTimeouts", "Lines", "Waiting", "keep_alive"]

IDLE, INTERVAL, PROBES = 30, 10, 3
"""TCP keep-alive, in seconds and in times: a peer that is gone is noticed within a minute."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DatabaseTimeouts:
    """How long a database may keep us waiting, in seconds."""

    connect: float = 3
    statement: float = 60
    """For each answer: to a statement, to the next rows of one, to a COMMIT."""
    lock: float = 30
    """For a row, a table or a file that somebody else holds."""
    pool: float = 10
    """For one of this process's own connections."""


class Waiting(Protocol):
    """A driver's connection that tells since when it waits for its server."""

    waiting_since: float | None
    """By the monotonic clock; None while it waits for nothing."""

    def fileno(self) -> int:
        """Return its socket."""
        ...


class Lines:
    """The connections of one engine to its server, so that those that hang can be hung up."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        in_children(self._leave_to_parent)
        self._open: WeakSet[Waiting] = WeakSet()
        self._connecting: dict[int, float] = {}
        self.is_cut = False
        """Whether nobody should wait for this database any more."""

    def _leave_to_parent(self) -> None:
        """Forget lines on which a thread of the parent may wait: they are never cut from here."""
        self._open = WeakSet()
        self._connecting = {}

    def add(self, connection: Waiting) -> None:
        """Keep an eye on a connection, for as long as it lives."""
        with self._lock:
            self._open.add(connection)

    def begin(self) -> None:
        """Let a thread connect, which it waits for.

        Raises:
            DatabaseUnavailable: if the process is ending and was kept waiting already.
        """
        if self.is_cut:
            raise DatabaseUnavailable("this process is ending, and it does not answer")
        with self._lock:
            self._connecting[threading.get_ident()] = time.monotonic()

    def end(self) -> None:
        """Say that a thread is connected, or could not be."""
        with self._lock:
            self._connecting.pop(threading.get_ident(), None)

    def hang_up(self, *, since: float, after: float) -> None:
        """Cut every connection that has waited for so many seconds, not counting those before.

        Once one was cut, no other is made: whoever waited would only wait again.
        """
        now = time.monotonic()

        def hangs(began: float | None) -> bool:
            return began is not None and now - max(began, since) >= after

        with self._lock:
            hung = [each for each in self._open if hangs(each.waiting_since)]
            self.is_cut |= bool(hung) or any(map(hangs, self._connecting.values()))
        for each in hung:
            with suppress(Exception):  # it may be closed by now, which each driver says in its way
                _shut(each.fileno())


def _shut(number: int) -> None:
    """End a connection under whoever waits for it; the number stays theirs to close."""
    with socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as twin:
        twin.shutdown(socket.SHUT_RDWR)


def keep_alive(line: socket.socket) -> None:
    """Notice a server that is gone, also where nothing is asked of it; as far as the system can."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", IDLE),
        ("TCP_KEEPINTVL", INTERVAL),
        ("TCP_KEEPCNT", PROBES),
    ):
        if hasattr(socket, name):
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
