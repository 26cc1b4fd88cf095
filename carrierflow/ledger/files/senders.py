"""How one sender of files names its columns and writes its times, as a person has told us."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from carrierflow.errors import InvalidInput
from carrierflow.ledger.files.fields import COLUMNS, shown
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

    def __post_init__(self) -> None:
        for theirs, ours in self.columns.items():
            if ours and ours not in COLUMNS:
                raise InvalidInput(
                    f"{shown(theirs)} cannot be {shown(ours)}; the columns are "
                    f"{', '.join(COLUMNS)}."
                )
        if self.date_format is not None:
            _check_form(self.date_format, has_zone=self.zone is not None)

    def knows(self, column: str) -> bool:
        """Tell whether a column of a header is one of ours, under whichever name."""
        return self.columns.get(column, column) in COLUMNS

    def named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the values of a row by our columns, without those that are passed over.

        Raises:
            InvalidInput: if two of them are the same column.
        """
        found: dict[str, Any] = {}
        for theirs, value in values.items():
            ours = self.columns.get(theirs, theirs)
            if ours in found:
                raise InvalidInput(f"The row has two columns for {shown(ours)}.")
            if ours:
                found[ours] = value
        return found

    def moment(self, text: str) -> datetime:
        """Return the moment that a text of this sender names, as an aware UTC datetime.

        Raises:
            BadTime: if it is in another form, does not exist, or could be more than one moment.
        """
        if self.date_format is None:
            return parse_time(text, zone=self.zone)
        return parse_time_by(self.date_format, text, zone=self.zone)


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
