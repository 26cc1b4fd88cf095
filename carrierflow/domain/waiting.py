"""The one way of waiting: in slices, and between two of them somebody is asked whether to go on.

Whoever waits for a platform holds something meanwhile: a shop, a thread, a person's patience. So
no wait is one long sleep. What is asked between the slices raises where the waiting must end.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from carrierflow.domain.clock import Sleep
from carrierflow.errors import Interrupted


__all__ = [
    "LISTEN",
    "SLICE",
    "Idle",
    "Stop",
    "doubled",
    "in_slices",
    "keep_waiting",
    "never",
    "unheard",
    "until",
]

SLICE = 1.0
"""Seconds after which one who waits is asked again."""

LISTEN = 0.25
"""The same for one who listens on a socket: somebody else may wait for him to end."""

Stop = Callable[[], bool]
"""Asked again and again whether somebody wants the work to end."""

Idle = Callable[[], None]
"""Called between two slices of a wait; it raises where the waiting must end."""


def never() -> bool:
    """Say that nobody asked to stop."""
    return False


def keep_waiting() -> None:
    """Let a wait go on to its end."""


def unheard(_count: int) -> None:
    """Tell nobody how far something is that takes long."""


def until(stop: Stop) -> Idle:
    """Return what ends a wait, by raising `Interrupted`, as soon as somebody asks to stop."""

    def ask() -> None:
        if stop():
            raise Interrupted

    return ask


def in_slices(sleep: Sleep, idle: Idle) -> Sleep:
    """Return a sleep that calls `idle` before each slice, and once more when it is over."""

    def wait(duration: float) -> None:
        left = duration
        while left > 0:
            idle()
            sleep(min(SLICE, left))
            left -= SLICE
        idle()

    return wait


def doubled(first: timedelta, *, times: int, longest: timedelta) -> timedelta:
    """Return a pause that has doubled so many times, and is no longer than the longest."""
    pause: timedelta = first * 2.0 ** min(times, 30)
    return min(pause, longest)
