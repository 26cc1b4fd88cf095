"""Whether time runs forward along the log: a row of last week cannot have been written today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from carrierflow.audit.verify.replay import Findings


__all__ = ["TOLERANCE", "TimeCheck"]

EARLIEST = datetime.min.replace(tzinfo=UTC)

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
        self._latest, self._said = EARLIEST, ""
        self._signed: Iterator[tuple[int, datetime]] = iter(sorted(signed))
        self._covers, self._limit = 0, ""

    def add(self, position: int, moment: str, *, is_step: bool) -> None:
        """Take in the next entry that there is; `moment` is a stamp."""
        if not self._begun:
            self._begun = not is_step
        if position >= self._covers:
            self._next_checkpoint(position)
        at = _read(moment)
        if at is None:
            self._add(position, f"it says {moment}, which is no moment")
            return
        if self._limit and moment > self._limit:
            self._add(position, f"it says {moment}, which is after the checkpoint that covers it")
        if not self._begun:
            return
        if at >= self._latest:
            self._latest, self._said = at, moment
        elif self._is_backdated(at):
            what = f"it says {moment}, and stands behind one of {self._said}: it was backdated"
            self._add(position, what)

    def finish(self, waiting: Mapping[str, str]) -> None:
        """Look at what has no place yet: it will get one behind all that have.

        `waiting` are the earliest moments of these, by kind.
        """
        for kind, moment in waiting.items():
            at = _read(moment)
            if at is None:
                self._findings.add(kind, f"one without a place says {moment}, which is no moment")
            elif self._begun and self._is_backdated(at):
                what = f"one without a place says {moment}, and the log goes to {self._said}"
                self._findings.add(kind, f"{what}: it was backdated")

    def _is_backdated(self, at: datetime) -> bool:
        return self._latest - at > self._tolerance

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


def _read(moment: str) -> datetime | None:
    """Read a stamp; None for what is none, which a SQLite file can hold in its place."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return at if at.tzinfo else None
