"""psycopg's connection, which waits for its server no longer than it may."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import waiting
from psycopg.pq import TransactionStatus


__all__ = ["PostgresLine"]

INTERVAL = 0.1
"""Seconds after which one who waits looks at the time."""

CANCEL = 1
"""Seconds for asking the server to leave off what nobody waits for any more."""


class PostgresLine(psycopg.Connection[Any]):
    """A connection whose every answer has its time.

    libpq itself has a time limit for connecting alone: a server that takes packets and says
    nothing would be waited for without end.
    """

    limit: float | None = None
    """Seconds for one answer; None is no limit."""
    waiting_since: float | None = None

    # 3.2 knows no `timeout`, and later ones pass it
    def wait(  # type: ignore[override]
        self, gen: Any, interval: float = INTERVAL, **others: Any
    ) -> Any:
        """Wait for an answer.

        Raises:
            psycopg.OperationalError: if it does not come in time; the connection is closed then.
        """
        self.waiting_since = time.monotonic()
        try:
            return waiting.wait(self._within(gen), self.fileno(), interval=interval, **others)
        except (KeyboardInterrupt, _Unanswered):
            self._leave()
            raise
        finally:
            self.waiting_since = None

    def _within(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Go on with what waits, and look at the time whenever it was woken by nothing."""
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and self._is_late():
                    raise _Unanswered(f"no answer came within {self.limit:g} s")
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _is_late(self) -> bool:
        if self.limit is None or self.waiting_since is None:
            return False
        return time.monotonic() - self.waiting_since > self.limit

    def _leave(self) -> None:
        """Close, and let the server know as far as that goes: it may hold locks for us."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                self.cancel_safe(timeout=CANCEL)
        self.close()


class _Unanswered(psycopg.OperationalError):
    """The server said nothing for too long."""
