"""Tells the first errors of each kind, and of the others how many there were."""

from __future__ import annotations

import re
from collections import Counter

from carrierflow.errors import CarrierflowError, UnknownStatus


__all__ = ["GroupedErrors"]

TOLD = 10
"""Errors of one kind that are told one by one."""
MOST_KINDS = 50
"""Kinds that are told apart; whatever comes after them is one more."""

MOST_WORDS = 20
"""Words that are no status and are told at the end, those first that came most often."""
MOST_KEPT = 1_000
"""Words that are counted apart at all, in a file where no two are the same."""

_DIFFERS = re.compile(r"""'[^']*'|"[^"]*"|[0-9]+""")
"""What differs between two sentences of one kind: what is quoted, and numbers."""


class GroupedErrors:
    """Counts the errors of a file by their kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        self._beyond = 0

    def add(self, error: CarrierflowError) -> bool:
        """Count an error, and say whether it is among the first of its kind."""
        if isinstance(error, UnknownStatus):
            return self._add_word(error.word)
        kind = _DIFFERS.sub("…", str(error))
        if kind not in self._counts and len(self._counts) >= MOST_KINDS:
            kind = "Errors of other kinds."
        self._counts[kind] += 1
        return self._counts[kind] <= TOLD

    def untold(self) -> list[str]:
        """Return a line for each kind of which some were not told; one for all unknown words."""
        more = [
            f"and {count - TOLD} more rows: {kind}"
            for kind, count in self._counts.items()
            if count > TOLD
        ]
        return [*more, *self._unknown_words()]

    def _add_word(self, word: str) -> bool:
        if word in self._words or len(self._words) < MOST_KEPT:
            self._words[word] += 1
        else:
            self._beyond += 1
        return self._unknown <= TOLD

    @property
    def _unknown(self) -> int:
        """How many rows have a word that is no status."""
        return self._words.total() + self._beyond

    def _unknown_words(self) -> list[str]:
        if self._unknown <= TOLD:
            return []
        told = self._words.most_common(MOST_WORDS)
        words = ", ".join(f"{word!r} ({times})" for word, times in told)
        rest = self._unknown - sum(times for _, times in told)
        others = f", others ({rest})" if rest else ""
        more = self._unknown - TOLD
        return [f"and {more} more rows: not a status. In how many rows: {words}{others}"]
