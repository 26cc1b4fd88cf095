"""What a sandbox on a port does without being asked: it sends webhooks and polls carriers."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.api import Haravan


__all__ = ["Background"]

_PAUSE = 0.05
_MOMENT = 1.0


class Background:
    """Two threads, so that a slow answer to one kind of call does not hold up the other."""

    def __init__(self, haravan: Haravan) -> None:
        self._haravan = haravan
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin the rounds."""
        for work in (self._send, self._poll):
            thread = threading.Thread(target=work, name=f"sandbox{work.__name__}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the rounds; a call under way is not waited for longer than a moment."""
        self._ended.set()
        for thread in self._threads:
            thread.join(_MOMENT)
        self._threads.clear()

    def _send(self) -> None:
        while not self._ended.wait(_PAUSE):
            self._haravan.webhook_sender.deliver()

    def _poll(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(_PAUSE):
            every = self._haravan.world.app.poll_seconds
            if every and time.monotonic() - last >= every:
                self._haravan.world.poll_all()
                last = time.monotonic()
