"""Threads that work through many shops; one that waits for a silent host keeps no other waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from carrierflow.domain.hearing import Hearing
from carrierflow.domain.shop import Shop
from carrierflow.errors import PlatformUnavailable
from carrierflow.reconcile.ports import RequestCounts
from carrierflow.reconcile.run_report import RunReport
from carrierflow.reconcile.silence import Patience


__all__ = ["Attention", "Crew", "Turn"]

SPARE = 28
"""Further threads that take over from those that wait for a silent host."""

LANE = SPARE // 2
"""How many of them may wait for hosts that were silent in the run before."""

LONGEST_LANE = 8 * LANE
"""So many of them wait at most, before others are asked for."""

LOOK = 0.25
"""Seconds between two looks at who is silent."""


@dataclass(eq=False, slots=True, kw_only=True)
class Attention:
    """What is paid to one host, while a run goes on there."""

    hearing: Hearing = field(default_factory=Hearing)
    """What is heard of its host, while it is asked."""
    over: list[Hearing] = field(default_factory=list)
    """What was heard of it before."""
    dropped: bool = False
    """Whether its host was waited for long enough."""
    longest: float | None = None
    """Seconds that it is waited for where nobody watches, and half of them once a request was lost;
    None is until the last try."""

    @contextmanager
    def listening(self) -> Iterator[Callable[[RequestCounts], None]]:
        """Yield what is to be called with the requests that are made within this.

        Afterwards nobody is asked, so that nobody is silent.
        """
        try:
            yield self._listen
        finally:
            self.over.append(self.hearing)
            self._attend(Hearing())

    def _listen(self, requests: RequestCounts) -> None:
        self._attend(requests.hearing)

    def _attend(self, hearing: Hearing) -> None:
        self.hearing, self.dropped = hearing, False

    def all_heard(self) -> Iterable[Hearing]:
        """Return all that was heard of its host so far."""
        return (*self.over, self.hearing)

    @property
    def was_answered(self) -> bool:
        """Tell whether its host has said anything."""
        return any(heard.answers for heard in self.all_heard())

    def check(self) -> None:
        """End the wait for a host that is silent still.

        A write under way does not ask: it gets its answer, or its time-out.

        Raises:
            PlatformUnavailable: if it was dropped, and nothing was heard since.
        """
        longest = self.longest
        if longest is not None and self.is_over(longest, once_lost=longest / 2):
            self.dropped = True
        if self.dropped and self.hearing.silent_for() is not None:
            raise PlatformUnavailable("no answer came for too long")
        self.dropped = False

    def waits(self, seconds: float) -> bool:
        """Tell whether its host has failed to answer, or has been silent for so long."""
        silent = self.hearing.silent_for()
        return silent is not None and (self.hearing.lost or silent >= seconds)

    def is_over(self, patience: float, *, once_lost: float) -> bool:
        """Tell whether its host was waited for long enough, if there is something else to do."""
        silent = self.hearing.silent_for()
        return silent is not None and silent >= (once_lost if self.hearing.lost else patience)


@dataclass(eq=False, slots=True)
class Turn(Attention):
    """One go at one shop."""

    shop: Shop
    beside: bool = False
    """Whether it began without a place of its own, since its host was silent in the run before."""


class More(Protocol):
    """Where further shops come from, as long as there are any."""

    def take(self, most: int, *, idle: bool) -> Sequence[Shop]:
        """Return so many; whoever is `idle` may be kept waiting for them."""
        ...

    def is_over(self) -> bool:
        """Tell whether nobody is to be begun with any more."""
        ...


class Crew:
    """So many threads as shops may be looked after at once, and spare ones.

    A shop whose host says nothing is waited for by a thread, and not instead of another shop: its
    place is given to the next one. A shop that was silent in the run before begins so. Waiting
    ends where a silent host takes the last thread, or where nothing but silent ones is left.
    """

    def __init__(self, parallel: int, *, patience: Patience) -> None:
        self._parallel = parallel
        self._patience = patience
        self._running: dict[Future[RunReport], Turn] = {}
        self._lane: deque[Shop] = deque()
        self._answers, self._waited = 0, 0.0

    def work(
        self,
        shops: Iterable[Shop],
        do: Callable[[Turn], RunReport],
        again: deque[Shop],
        *,
        more: More | None = None,
    ) -> Iterator[tuple[Shop, RunReport]]:
        """Work through some shops; yields the reports as they come.

        What is put into `again` meanwhile is worked on after all that was there before. `more` is
        asked for further ones whenever nobody waits, until it says that there are none.
        """
        self._line_up(shops, again)
        with ThreadPoolExecutor(max_workers=self._parallel + SPARE) as pool:
            while self._goes_on(again, more):
                while (turn := self._next(again, more)) is not None:
                    self._running[pool.submit(do, turn)] = turn
                self._drop(waiting=bool(again or self._lane))
                done, _ = wait(self._running, timeout=LOOK, return_when=FIRST_COMPLETED)
                for future in done:
                    turn = self._running.pop(future)
                    self._answers += sum(heard.answers for heard in turn.all_heard())
                    self._waited += sum(heard.waited for heard in turn.all_heard())
                    yield turn.shop, future.result()

    def left(self, again: deque[Shop]) -> list[Shop]:
        """Return the shops that wait and were not begun with."""
        return [*again, *self._lane]

    def _line_up(self, shops: Iterable[Shop], again: deque[Shop]) -> None:
        for shop in shops:
            (self._lane if shop.unanswered else again).append(shop)

    def _goes_on(self, again: deque[Shop], more: More | None) -> bool:
        """Take in who is to come, and tell whether anybody is looked after, or will be."""
        if more is None:
            return bool(again or self._lane or self._running)
        if more.is_over():
            return bool(self._running)
        if not again and len(self._lane) < LONGEST_LANE:
            idle = not (self._running or self._lane)
            self._line_up(more.take(self._parallel, idle=idle), again)
        return True

    def _next(self, again: deque[Shop], more: More | None) -> Turn | None:
        """Begin with the next shop that there is room for."""
        if not self._has_thread() or (more is not None and more.is_over()):
            return None
        first = again or self._lane
        if first and self._has_place():
            return Turn(first.popleft())
        if self._lane and self._has_lane():
            return Turn(self._lane.popleft(), beside=True)
        return None

    def _has_thread(self) -> bool:
        return len(self._running) < self._parallel + SPARE

    def _has_place(self) -> bool:
        busy = [turn for turn in self._running.values() if self._is_busy(turn)]
        return len(busy) < self._parallel

    def _is_busy(self, turn: Turn) -> bool:
        if turn.beside and not turn.was_answered:
            return False
        return not self._waits(turn)

    def _has_lane(self) -> bool:
        """Tell whether one more may be tried beside: not while one of those before answers."""
        beside = [turn for turn in self._running.values() if turn.beside]
        return len(beside) < LANE and all(self._waits(turn) for turn in beside)

    def _waits(self, turn: Turn) -> bool:
        return turn.waits(self._patience.before_others(self._usual()))

    def _usual(self) -> float | None:
        """Return what an answer takes usually, in seconds, as far as one came."""
        now = [heard for turn in self._running.values() for heard in turn.all_heard()]
        answers = self._answers + sum(heard.answers for heard in now)
        waited = self._waited + sum(heard.waited for heard in now)
        return waited / answers if answers else None

    def _drop(self, *, waiting: bool) -> None:
        """Wait no longer for silent hosts, where others wait for a thread or all else is done."""
        if waiting and self._has_thread():
            return
        turns = self._running.values()
        patience = self._patience.after_others(self._usual())
        over = [it for it in turns if it.is_over(patience, once_lost=self._patience.least)]
        if waiting or len(over) == len(turns):
            for turn in over:
                turn.dropped = True
