"""Tells the first errors of each kind, and of the others how many there were."""

from __future__ import annotations

import re
from collections import Counter

from carrierflow.errors import CarrierflowError


__all__ = ["GroupedErrors"]

TOLD = 10
"""Errors of one kind that are told one by one."""
MOST_KINDS = 50
"""Kinds that are told apart; whatever comes after them is one more."""

_DIFFERS = re.compile(r"""'[^']*'|"[^"]*"|[0-9]+""")
"""What differs between two sentences of one kind: what is quoted, and numbers."""


class GroupedErrors:
    """Counts the errors of a file by their kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, error: CarrierflowError) -> bool:
        """Count an error, and say whether it is among the first of its kind."""
        kind = _DIFFERS.sub("…", str(error))
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = "Errors of other kinds."
        self._counts[kind] += 1
        return self._counts[kind] <= TOLD

    def untold(self) -> list[str]:
        """Return a line for each kind of which some were not told."""
        return [
            f"and {count - TOLD} more rows: {kind}"
            for kind, count in self._counts.items()
            if count > TOLD
        ]
