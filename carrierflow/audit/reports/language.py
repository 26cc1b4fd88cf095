"""The languages in which a report is told, each of them whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.audit.reports.vietnamese import TEXTS, UNITS, WORDS
from carrierflow.audit.reports.wording import ENGLISH_UNITS, span
from carrierflow.domain.lifecycle import label_of


__all__ = ["ENGLISH", "Language", "Tongue"]


class Language(StrEnum):
    """A language of reports."""

    EN = "en"
    VI = "vi"


@dataclass(frozen=True, slots=True)
class Tongue:
    """Says what the pages say in one language.

    A text is named by its English; one that has no Vietnamese is a `KeyError`, never shown in
    the other language. Codes of which there is no word, such as a platform's, stay as they are.
    """

    language: Language

    @property
    def is_english(self) -> bool:
        """Tell whether it is English."""
        return self.language is Language.EN

    def text(self, english: str) -> str:
        """Return a text as this language has it, with the places for facts still in it."""
        return english if self.is_english else TEXTS[english]

    def say(self, english: str, /, **facts: object) -> str:
        """Return a text with its facts."""
        return self.text(english).format(**facts)

    def word(self, code: str) -> str:
        """Return what a code of ours is called."""
        return code if self.is_english else WORDS.get(code, code)

    def label(self, status: str) -> str:
        """Return what a status is called."""
        label = label_of(status)
        return label.en if self.is_english else label.vi

    def beside(self, status: str) -> str:
        """Return what else a status is called: in English, what sellers in Vietnam read."""
        return label_of(status).vi if self.is_english else ""

    def span(self, seconds: int | None) -> str:
        """Write a span by its two largest parts."""
        units: Mapping[str, str] = ENGLISH_UNITS if self.is_english else UNITS
        return span(seconds, units)


ENGLISH = Tongue(Language.EN)
