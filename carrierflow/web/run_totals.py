"""What the runs came to that ended since this process began, whichever process made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.shop import EndedRun
from carrierflow.web.figures import PER_RUN


__all__ = ["RunSums", "RunTotals"]

OVERLAP = timedelta(minutes=5)
"""How much later than it says the end of a run may be committed, clocks that differ included."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSums:
    """Sums over runs."""

    totals: Mapping[str, int]
    """Of all shops since the process began, by the names of counters."""
    throttled: Mapping[str, int]
    """By shop, of the last hour; shops without are left out."""


class RunTotals:
    """Adds up what runs counted, each run once."""

    def __init__(self, carrierflow: Carrierflow) -> None:
        self._app = carrierflow
        self._lock = ProcessLock()
        self._began = self._read_to = carrierflow.now()
        self._seen: dict[str, datetime] = {}
        self._totals: Counter[str] = Counter()
        self._throttled: list[EndedRun] = []

    def read(self) -> RunSums:
        """Return the sums with the runs that were not there yet."""
        with self._lock:
            now = self._app.now()
            self._add_new()
            self._read_to = now
            self._throttled = [run for run in self._throttled if run.ended_at > now - HOUR]
            throttled: Counter[str] = Counter()
            for run in self._throttled:
                throttled[run.shop] += run.counters["throttled"]
            return RunSums(totals=dict(self._totals), throttled=throttled)

    def _add_new(self) -> None:
        """Add them; those that ended lately are looked for again."""
        since = max(self._began, self._read_to - OVERLAP)
        for run in self._app.runs_ended(since, known=self._seen):
            self._seen[run.id] = run.ended_at
            self._totals.update({name: run.counters.get(name, 0) for name in PER_RUN})
            if run.counters.get("throttled"):
                self._throttled.append(run)
        self._seen = {run: ended for run, ended in self._seen.items() if ended >= since}
