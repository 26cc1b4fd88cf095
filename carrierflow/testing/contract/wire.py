"""What stands between an adapter and a sandbox: it sees every request, and any may go wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from carrierflow.sandbox.exchange import Dropped, HttpRequest, Outcome
from carrierflow.sandbox.faults import Faults
from carrierflow.testing.contract.under_test import PlatformUnderTest


__all__ = ["Mishap", "Passed", "Wire", "afterwards", "instead", "once", "rewriting"]

Mishap: TypeAlias = Callable[[HttpRequest, Callable[[HttpRequest], Outcome]], Outcome]
"""What becomes of a request, by who may let the sandbox answer it, or not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """One request that came by."""

    at: int
    """In ticks of the sandbox's clock."""
    request: HttpRequest
    outcome: Outcome

    @property
    def is_write(self) -> bool:
        """Whether it changes something."""
        return self.request.method != "GET"


class Wire:
    """A platform in process, with whatever goes wrong before it; what passes is written down."""

    def __init__(self, under_test: PlatformUnderTest) -> None:
        self.faults = Faults()
        self.passed: list[Passed] = []
        self.reads: Mishap | None = None
        self.writes: Mishap | None = None
        self.before: Callable[[HttpRequest], None] | None = None
        """Called with each request before anything becomes of it."""
        self._under_test = under_test
        self._lock = threading.RLock()

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request, or let go wrong what is to."""
        with self._lock:
            if self.before is not None:
                self.before(request)
            at = self._under_test.clock.ticks()
            mishap = self.reads if request.method == "GET" else self.writes
            answer = self._under_test.handle
            outcome = answer(request) if mishap is None else mishap(request, answer)
            self.passed.append(Passed(at=at, request=request, outcome=outcome))
            return outcome

    def goes_wrong(self, mishap: Mishap | None) -> None:
        """Let one thing become of every request from now on; None lets all be well."""
        self.reads = self.writes = mishap

    @property
    def writes_passed(self) -> list[Passed]:
        """The requests so far that change something."""
        return [each for each in self.passed if each.is_write]


def instead(outcome: Outcome) -> Mishap:
    """Return what is answered without the platform, which hears nothing."""
    return lambda _request, _answer: outcome


def afterwards(outcome: Outcome) -> Mishap:
    """Return what is answered though the platform did as it was asked."""

    def befall(request: HttpRequest, answer: Callable[[HttpRequest], Outcome]) -> Outcome:
        answer(request)
        return outcome

    return befall


def rewriting(change: Callable[[bytes], bytes]) -> Mishap:
    """Return what changes the body of each good answer that has one."""

    def befall(request: HttpRequest, answer: Callable[[HttpRequest], Outcome]) -> Outcome:
        outcome = answer(request)
        if isinstance(outcome, Dropped) or not outcome.body:
            return outcome
        return replace(outcome, body=change(outcome.body))

    return befall


def once(mishap: Mishap) -> Mishap:
    """Return what befalls one request, and no other after it."""
    left = [mishap]

    def befall(request: HttpRequest, answer: Callable[[HttpRequest], Outcome]) -> Outcome:
        return left.pop()(request, answer) if left else answer(request)

    return befall
