"""What is heard of whoever is asked over a network: since when nothing, and how fast it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


__all__ = ["Hearing"]


class Hearing:
    """Kept by who asks, and looked at by any thread.

    It goes by a monotonic time that nobody replaces in a running program: it bounds waiting on
    sockets.

    Attributes:
        lost: whether a request has ended without an answer since the last answer.
        answers: how many answers came.
        waited: for how many seconds they were waited for, in all.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.lost = False
        self.answers = 0
        self.waited = 0.0
        self._monotonic = monotonic
        self._since: float | None = None

    def silent_for(self) -> float | None:
        """Return the seconds since the first question that got no answer; None if all did."""
        since = self._since
        return None if since is None else self._monotonic() - since

    @contextmanager
    def question(self) -> Iterator[None]:
        """Ask within this; whatever it raises means that no answer came."""
        began = self._monotonic()
        if self._since is None:
            self._since = began
        try:
            yield
        except BaseException:
            self.lost = True
            raise
        self.answers += 1
        self.waited += self._monotonic() - began
        self.lost, self._since = False, None
