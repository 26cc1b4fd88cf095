"""What happened in this process, counted: verdicts, callbacks, webhooks.

Counting costs a dictionary entry and no dependency; whoever shows figures reads them here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from carrierflow.domain.forking import ProcessLock


__all__ = ["Counters"]

Labels = tuple[tuple[str, str], ...]


class Counters:
    """Counters that only grow, by name and labels; safe for threads."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._counts: dict[str, Counter[Labels]] = {}

    def count(self, name: str, times: int = 1, /, **labels: str) -> None:
        """Count one occurrence, or several."""
        key = tuple(sorted(labels.items()))
        with self._lock:
            self._counts.setdefault(name, Counter())[key] += times

    def counts(self, name: str) -> Mapping[Labels, int]:
        """Return what was counted under a name so far, by labels."""
        with self._lock:
            return dict(self._counts.get(name, ()))
