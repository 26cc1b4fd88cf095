"""What a sandbox on a port does without being asked, like sending webhooks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["Background"]

_PAUSE = 0.05
_MOMENT = 1.0


class Background:
    """A thread for each round, so that a slow answer to one does not hold up the other."""

    def __init__(self, *rounds: Callable[[], object]) -> None:
        self._rounds = rounds
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin the rounds, each of which is made again after a short pause."""
        for number, each in enumerate(self._rounds):
            thread = threading.Thread(
                target=self._repeat, args=(each,), name=f"sandbox-round-{number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the rounds; a call under way is not waited for longer than a moment."""
        self._ended.set()
        for thread in self._threads:
            thread.join(_MOMENT)
        self._threads.clear()

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self._ended.wait(_PAUSE):
            work()
