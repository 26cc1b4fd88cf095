"""How one sender of files names its columns and writes its times, as a person has told us."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any
from unicodedata import normalize

from carrierflow.domain import limits
from carrierflow.domain.model import Status, parse_status
from carrierflow.errors import InvalidInput, UnknownStatus
from carrierflow.ledger.files.fields import COLUMNS, shown, status_of
from carrierflow.ledger.files.times import parse_time, parse_time_by


__all__ = ["Sender"]

_SAMPLE = datetime(2026, 3, 21, 18, 45, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """What holds for the files of one sender; by default they are written as we ask for.

    Raises:
        InvalidInput: if a name stands for a column that there is none of, or if the form of
            times does not tell a moment.
    """

    zone: tzinfo | None = None
    """Where times without a zone of their own were written."""
    date_format: str | None = None
    """The form of times, in the directives of `strptime`; ISO 8601 where there is none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column by the sender's name for it; an empty one is passed over."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """Our status by the sender's word for it, whatever its case; where there are any, every
    status is one of these words, for a word of ours may mean something else to a sender."""
    shop: str | None = None
    """The shop of all rows, in files that have no column for it."""
    _meant: Mapping[str, Status] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for theirs, ours in self.columns.items():
            if ours and ours not in COLUMNS:
                raise InvalidInput(
                    f"{shown(theirs)} cannot be {shown(ours)}; the columns are "
                    f"{', '.join(COLUMNS)}."
                )
        object.__setattr__(self, "columns", _by_form(self.columns, one_form))
        object.__setattr__(self, "_meant", _meanings(self.statuses))
        if self.date_format is not None:
            _check_form(self.date_format, has_zone=self.zone is not None)

    def knows(self, column: str) -> bool:
        """Tell whether a column of a header is one of ours, under whichever name."""
        return self._ours(column) in COLUMNS

    def named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a row by our columns, without those that are passed over.

        Raises:
            InvalidInput: if two of them are the same column.
        """
        found: dict[str, Any] = {}
        for theirs, value in values.items():
            ours = self._ours(theirs)
            if ours in found:
                raise InvalidInput(f"The row has two columns for {shown(ours)}.")
            if ours:
                found[ours] = value
        if self.shop is not None:
            if "shop" in found:
                raise InvalidInput("The row has a shop of its own, and one is given for all rows.")
            found["shop"] = self.shop
        return found

    def status(self, text: str) -> Status:
        """Return the status that a text of this sender means.

        Raises:
            InvalidInput: if it is none of the sender's words, or of ours where there are none.
        """
        if not self._meant:
            return status_of(text)
        found = self._meant.get(one_form(text).casefold())
        if found is not None:
            return found
        if len(text) > limits.WORD:
            raise InvalidInput(f"The status has {len(text)} characters; it is none that we know.")
        raise UnknownStatus(one_form(text), known=tuple(self.statuses), of_sender=True)

    def moment(self, text: str) -> datetime:
        """Return the moment that a text of this sender names, as an aware UTC datetime.

        Raises:
            BadTime: if it is in another form, does not exist, or could be more than one moment.
        """
        if self.date_format is None:
            return parse_time(text, zone=self.zone)
        return parse_time_by(self.date_format, text, zone=self.zone)

    def _ours(self, theirs: str) -> str:
        """Return our name of a column; the same letters may be written in more than one form."""
        return self.columns.get(one_form(theirs), theirs)


def one_form(text: str) -> str:
    """Return a text as everybody writes it: letters with their marks in one, single blanks.

    What one program writes as one letter another writes as a letter and its marks.
    """
    return " ".join(normalize("NFC", text).split())


def _by_form(names: Mapping[str, str], form: Callable[[str], str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for theirs, ours in names.items():
        if found.setdefault(form(theirs), ours) != ours:
            raise InvalidInput(f"{shown(theirs)} is mapped to {shown(ours)}, and to another.")
    return found


def _meanings(statuses: Mapping[str, str]) -> dict[str, Status]:
    named = _by_form(statuses, lambda word: one_form(word).casefold())
    for theirs in statuses:
        if not theirs.strip() or len(theirs) > limits.WORD:
            raise InvalidInput(f"A sender's word has 1 to {limits.WORD} characters.")
    return {theirs: parse_status(ours) for theirs, ours in named.items()}


def _check_form(form: str, *, has_zone: bool) -> None:
    """Refuse a form that loses a part of a moment: what is lost would be guessed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a form without a year, which is refused below
            read = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 (likewise)
    except ValueError:
        read = None
    if read is None or read.replace(tzinfo=UTC) != _SAMPLE:
        raise InvalidInput(
            f"The date format {shown(form)} must tell year, month, day, hour and minute, such "
            "as %d/%m/%Y %H:%M."
        )
    if read.tzinfo is None and not has_zone:
        raise InvalidInput(f"The date format {shown(form)} has no zone; name the time zone too.")
