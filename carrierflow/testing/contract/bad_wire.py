"""A network on which everything goes wrong now and then, the same way for one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from carrierflow.sandbox.clocks import TICKS_PER_SECOND, ManualClock
from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.wire_faults import page
from carrierflow.testing.contract.answers import CUT, throttling
from carrierflow.testing.contract.wire import Mishap, afterwards, instead


__all__ = ["BadWire"]

STALE = 20 * TICKS_PER_SECOND
"""No reading is older than this, as the settle window of a run assumes."""
LATEST = 30.0
"""Nor does a write take longer than so many seconds to arrive."""

_EMPTY = HttpReply(status=200)
_HALF = HttpReply(status=200, body=b'{"half": ' * 20, is_truncated=True)

_MISHAPS: tuple[tuple[str, Mishap, int], ...] = (
    ("lost request", instead(CUT), 5),
    ("lost reply", afterwards(CUT), 5),
    ("500 before", instead(page(500, "Oh")), 3),
    ("502 after", afterwards(page(502, "Bad Gateway")), 3),
    ("429", instead(throttling(2)), 3),
    ("page", afterwards(page(200, "We are back soon")), 2),
    ("empty body", afterwards(_EMPTY), 2),
    ("half a body", afterwards(_HALF), 2),
)
_LATE, _OLD = 5, 5
_FINE = 100 - sum(weight for *_, weight in _MISHAPS) - _LATE - _OLD


class BadWire:
    """What becomes of each request on a bad network, for `Wire.goes_wrong`."""

    def __init__(self, clock: ManualClock, *, seed: int) -> None:
        self.befell: Counter[str] = Counter()
        self.blind_repeats: list[str] = []
        """Writes that were made again, with nothing read since they were made before."""
        self._clock = clock
        self._chance = random.Random(seed)  # noqa: S311 (to be repeated, not secret)
        self._late: list[tuple[int, HttpRequest]] = []
        self._shown: dict[object, list[tuple[int, Outcome]]] = {}
        self._unread: set[object] = set()
        names = [(name, mishap) for name, mishap, _ in _MISHAPS]
        self._kinds: list[tuple[str, Mishap]] = [
            ("fine", self._answer),
            ("late", self._answer_late),
            ("stale", self._answer_stale),
            *names,
        ]
        self._weights = [_FINE, _LATE, _OLD, *(weight for *_, weight in _MISHAPS)]

    def __call__(self, request: HttpRequest, answer: Callable[[HttpRequest], Outcome]) -> Outcome:
        """Let something become of a request."""
        self._arrive(answer)
        ((name, mishap),) = self._chance.choices(self._kinds, self._weights)
        if name != "fine":
            self.befell[name] += 1
        self._watch(request, was_heard=name != "429")
        return mishap(request, answer)

    def _watch(self, request: HttpRequest, *, was_heard: bool) -> None:
        if request.method == "GET":
            self._unread.clear()
            return
        write = (request.method, request.path, request.body)
        if write in self._unread:
            self.blind_repeats.append(f"{request.method} {request.path}")
        if was_heard:
            self._unread.add(write)

    def _arrive(self, answer: Callable[[HttpRequest], Outcome]) -> None:
        """Let arrive what was on its way for long enough."""
        now = self._clock.ticks()
        due = [request for at, request in self._late if at <= now]
        self._late = [each for each in self._late if each[0] > now]
        for request in due:
            answer(request)

    def _answer(self, request: HttpRequest, answer: Callable[[HttpRequest], Outcome]) -> Outcome:
        outcome = answer(request)
        if request.method == "GET":
            seen = self._shown.setdefault(_question(request), [])
            seen.append((self._clock.ticks(), outcome))
        return outcome

    def _answer_late(
        self, request: HttpRequest, answer: Callable[[HttpRequest], Outcome]
    ) -> Outcome:
        if request.method == "GET":
            return self._answer(request, answer)
        span = round(self._chance.uniform(1, LATEST) * TICKS_PER_SECOND)
        self._late.append((self._clock.ticks() + span, request))
        return CUT

    def _answer_stale(
        self, request: HttpRequest, answer: Callable[[HttpRequest], Outcome]
    ) -> Outcome:
        since = self._clock.ticks() - STALE
        for at, outcome in self._shown.get(_question(request), ()):
            if at >= since and request.method == "GET":
                return outcome
        return self._answer(request, answer)


def _question(request: HttpRequest) -> object:
    return request.path, tuple(sorted(request.query.items()))
