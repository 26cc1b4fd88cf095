"""Questions to a database that may never answer, for somebody who waits a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from threading import Thread
from time import monotonic
from typing import Generic, TypeVar

from carrierflow.domain.forking import ProcessLock, in_children
from carrierflow.errors import CarrierflowError, DatabaseUnavailable


__all__ = ["SECONDS", "Question"]

SECONDS = 4.0
"""How long whoever asks for health or figures is kept waiting: probes give up after five."""

T = TypeVar("T")


class Question(Generic[T]):
    """Asks one thing again and again, and never twice at once, however many want to know.

    So a database that hangs holds one thread of ours, and not one more with each probe.
    """

    def __init__(self, ask: Callable[[], T], *, seconds: float = SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = ProcessLock()
        self._pending: Future[T] | None = None
        in_children(self._free)  # no thread there is under way to an answer

    def answer(self) -> T:
        """Return the answer to a question that was asked since this was called.

        Raises:
            DatabaseUnavailable: if there is none in time.
            CarrierflowError: what asking itself raised.
        """
        end = monotonic() + self._seconds
        if (earlier := self._under_way()) is not None:
            with suppress(CarrierflowError):
                self._wait(earlier, end)
        return self._wait(self._asked(), end)

    def _wait(self, pending: Future[T], end: float) -> T:
        try:
            return pending.result(timeout=max(0.0, end - monotonic()))
        except NotYet:
            raise DatabaseUnavailable(f"no answer came within {self._seconds:g} s") from None

    def _under_way(self) -> Future[T] | None:
        with self._lock:
            return self._pending

    def _asked(self) -> Future[T]:
        """Return what is under way, and ask first where nothing is."""
        with self._lock:
            if self._pending is None:
                self._pending = Future()
                thread = Thread(target=self._work, args=(self._pending,), daemon=True)
                thread.start()
            return self._pending

    def _work(self, pending: Future[T]) -> None:
        try:
            found = self._ask()
        except BaseException as error:  # noqa: BLE001 - whoever waits is told
            self._free()
            pending.set_exception(error)
        else:
            self._free()
            pending.set_result(found)

    def _free(self) -> None:
        """Let the next one ask anew: what was found is of the moment it was asked at."""
        with self._lock:
            self._pending = None
