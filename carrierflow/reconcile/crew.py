"""Threads that work through many shops; one that waits for a silent host keeps no other waiting."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from carrierflow.domain.shop import Shop
from carrierflow.errors import PlatformUnavailable
from carrierflow.reconcile.run_report import RunReport


__all__ = ["Crew", "Turn"]

SPARE = 12
"""Further threads that take over from those that wait for a silent host."""

SILENT = 2.0
"""Seconds without a word from the platform after which a shop counts as silent."""

LOOK = 0.25
"""Seconds between two looks at who is silent."""


@dataclass(eq=False, slots=True)
class Turn:
    """One go at one shop."""

    shop: Shop
    began: float = field(default_factory=time.monotonic)
    heard: bool = False
    """Whether the platform has shown anything of it."""
    dropped: bool = False
    """Whether it was waited for long enough."""

    def check(self) -> None:
        """End the wait for a host that was silent before and still is, once all else is done.

        Raises:
            PlatformUnavailable: if it was dropped.
        """
        if self.dropped and not self.heard:
            raise PlatformUnavailable("no answer came while the other shops were looked after")

    def silent_for(self) -> float:
        """Return for how many seconds nothing was heard; 0 once something was."""
        return 0.0 if self.heard else time.monotonic() - self.began


class Crew:
    """So many threads as shops may be looked after at once, and spare ones.

    A shop whose host says nothing is waited for by a thread, and not instead of another shop.
    """

    def __init__(self, parallel: int, *, patience: float) -> None:
        self._parallel = parallel
        self._patience = patience
        self._running: dict[Future[RunReport], Turn] = {}

    def work(
        self, shops: Iterable[Shop], do: Callable[[Turn], RunReport], again: deque[Shop]
    ) -> Iterator[tuple[Shop, RunReport]]:
        """Work through some shops; yields the reports as they come.

        What is put into `again` meanwhile is worked on after all that was there before.
        """
        again.extend(shops)
        with ThreadPoolExecutor(max_workers=self._parallel + SPARE) as pool:
            while again or self._running:
                while again and self._has_room():
                    turn = Turn(again.popleft())
                    self._running[pool.submit(do, turn)] = turn
                if not again:
                    self._drop()
                done, _ = wait(self._running, timeout=LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    yield self._running.pop(future).shop, future.result()

    def _has_room(self) -> bool:
        busy = [turn for turn in self._running.values() if turn.silent_for() < SILENT]
        return len(busy) < self._parallel and len(self._running) < self._parallel + SPARE

    def _drop(self) -> None:
        """Wait no longer for hosts known as silent than for one request, if for nothing else."""
        turns = self._running.values()
        if all(turn.shop.unanswered and turn.silent_for() > self._patience for turn in turns):
            for turn in turns:
                turn.dropped = True
