"""PyMySQL's connection, which says since when it waits for its server, and asks it for less."""

from __future__ import annotations

import time
from typing import Any

from pymysql.connections import Connection


__all__ = ["MariadbLine"]


class MariadbLine(Connection):  # type: ignore[misc]  # PyMySQL has no types
    """A connection that has the time limit of connecting also for the handshake."""

    waiting_since: float | None = None
    _unended = False
    """Whether anything was said since a transaction ended last."""
    _read_timeout: float | None

    def connect(self, sock: Any = None) -> None:
        """Connect, and let answers take longer only then."""
        limit, self._read_timeout = self._read_timeout, self.connect_timeout
        super().connect(sock)
        self._read_timeout = limit

    def fileno(self) -> int:
        """Return the socket's number."""
        if self._sock is None:
            raise ValueError("it is closed")
        return int(self._sock.fileno())

    @property
    def limit(self) -> float | None:
        """Seconds for one answer; None is no limit."""
        return self._read_timeout

    @limit.setter
    def limit(self, seconds: float | None) -> None:
        self._read_timeout = self._write_timeout = seconds

    def query(self, *statement: Any, **options: Any) -> Any:
        """Say a statement, which begins a transaction."""
        self._unended = True
        return super().query(*statement, **options)

    def begin(self) -> None:
        """Begin a transaction."""
        self._unended = True
        super().begin()

    def commit(self) -> None:
        """Commit."""
        super().commit()
        self._unended = False

    def rollback(self) -> None:
        """Roll back what there may be; a pool asks for it after each COMMIT, too."""
        if self._unended:
            super().rollback()
            self._unended = False

    def _read_bytes(self, num_bytes: int) -> Any:
        self.waiting_since = time.monotonic()
        try:
            return super()._read_bytes(num_bytes)
        finally:
            self.waiting_since = None

    def _write_bytes(self, data: Any) -> None:
        self.waiting_since = time.monotonic()
        try:
            super()._write_bytes(data)
        finally:
            self.waiting_since = None
