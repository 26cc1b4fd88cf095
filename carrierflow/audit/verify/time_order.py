"""Whether time runs forward along the log: a row of last week cannot have been written today."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from carrierflow.audit.verify.replay import Findings


__all__ = ["TOLERANCE", "TimeCheck"]

TOLERANCE = timedelta(minutes=5)
"""How far clocks may differ, and how long a transaction may stay open, where nobody says."""


class TimeCheck:
    """Follows the moments of entries in the order of their places.

    Places up to the first entry of another kind than a step were given by a version that put
    steps into another order; the rule begins with it.
    """

    def __init__(
        self,
        findings: Findings,
        *,
        tolerance: timedelta = TOLERANCE,
        signed: Sequence[tuple[int, datetime]] = (),
        unit: str = "place",
    ) -> None:
        """`signed` are the sizes of checkpoints, each with when it was signed."""
        self._findings = findings
        self._unit = unit
        self._tolerance = tolerance
        self._begun = False
        self._latest = ""
        self._signed: Iterator[tuple[int, datetime]] = iter(sorted(signed))
        self._covers, self._limit = 0, ""

    def add(self, position: int, moment: str, *, is_step: bool) -> None:
        """Take in the next entry that there is; `moment` is a stamp."""
        if not self._begun:
            self._begun = not is_step
        if position >= self._covers:
            self._next_checkpoint(position)
        if self._limit and moment > self._limit:
            self._add(position, f"it says {moment}, which is after the checkpoint that covers it")
        if not self._begun:
            return
        if moment >= self._latest:
            self._latest = moment
        elif _read(self._latest) - _read(moment) > self._tolerance:
            what = f"it says {moment}, and stands behind one of {self._latest}: it was backdated"
            self._add(position, what)

    def _add(self, position: int, what: str) -> None:
        self._findings.add(f"{self._unit} {position}", what)

    def _next_checkpoint(self, position: int) -> None:
        """Find the first checkpoint that covers a place, and what an entry there may say."""
        for size, moment in self._signed:
            if size > position:
                last = (moment + self._tolerance).isoformat(timespec="microseconds")
                self._covers, self._limit = size, last.replace("+00:00", "Z")
                return
        self._covers, self._limit = 1 << 63, ""


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
