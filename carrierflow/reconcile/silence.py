"""Shops whose host does not answer: they are tried later and later, and hold up nobody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import doubled
from carrierflow.reconcile.run_report import EndReason


__all__ = ["ANSWERED", "HostBreaker", "Patience", "answered", "pause_after", "rests"]

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)

IN_A_ROW = 3
"""So many shops in a row without an answer from one host, and the others there are not tried."""

MUCH_SLOWER = 3
"""A host that takes so many times as long as others usually do seems to hang."""

QUICK = 0.25
"""Seconds in which nobody counts as silent, however fast the others are."""

ANSWERED = frozenset(
    {
        EndReason.DONE,
        EndReason.QUANTUM,
        EndReason.MAX_WRITES,
        EndReason.BRAKE,
        EndReason.ACCESS_DENIED,
        EndReason.THROTTLED,
    }
)


def answered(reason: EndReason) -> bool | None:
    """Tell whether a run that ended so had an answer from the platform; None if nobody knows."""
    if reason in ANSWERED:
        return True
    return False if reason is EndReason.UNAVAILABLE else None


def pause_after(unanswered: int) -> timedelta:
    """Return how long a shop is left alone after so many runs in a row without an answer.

    After the first it is not: it only waits for the others. Then a minute, and twice as long each
    time, up to an hour.
    """
    if unanswered <= 1:
        return timedelta(0)
    return doubled(FIRST_PAUSE, times=unanswered - 2, longest=LONGEST_PAUSE)


def rests(shop: Shop, now: datetime) -> bool:
    """Tell whether a shop is left alone for now."""
    return shop.retry_at is not None and now < shop.retry_at


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long a platform may say nothing, in a run over many shops.

    `usual` is what an answer took in this run so far; None where nobody has answered, so that
    nobody knows what is slow.
    """

    least: float
    """Seconds that every host is waited for, if nothing else is left to do."""
    most: float
    """Seconds that one request may take."""

    def before_others(self, usual: float | None) -> float:
        """Return after how long a silent host keeps its shop's place no more."""
        return self.least if usual is None else min(self.most, max(QUICK, MUCH_SLOWER * usual))

    def after_others(self, usual: float | None) -> float:
        """Return how long a silent host is waited for when all else is done."""
        if usual is None:
            return self.most
        return min(self.most, max(self.least, MUCH_SLOWER * usual))


class HostBreaker:
    """What one run has learnt about the hosts that its shops are at."""

    def __init__(self) -> None:
        self._silent: Counter[str] = Counter()
        self._said: dict[str, str | None] = {}

    def learn(self, shop: Shop, reason: EndReason, sentence: str | None = None) -> None:
        """Take in how the run at a shop ended."""
        heard = answered(reason)
        if heard:
            self._silent[shop.host] = 0
        elif heard is False:
            self._silent[shop.host] += 1
            self._said[shop.host] = sentence

    def why(self, shop: Shop) -> str | None:
        """Return what was last said of a shop's host."""
        return self._said.get(shop.host)

    def is_open(self, shop: Shop) -> bool:
        """Tell whether it is of no use to ask a shop's host again in this run."""
        return self._silent[shop.host] >= IN_A_ROW
