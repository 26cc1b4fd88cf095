"""The two forms of a file of events, and how a record of each becomes named values."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath
from typing import Any, NoReturn

from carrierflow.errors import InvalidInput
from carrierflow.ledger.files.fields import NAMED, REQUIRED, Whole, shown
from carrierflow.ledger.files.records import Record


__all__ = ["Header", "RowFormat", "called", "format_of", "json_values"]


class RowFormat(StrEnum):
    """How a file of events is written."""

    JSONL = "jsonl"
    CSV = "csv"


_FORMATS = {
    ".jsonl": RowFormat.JSONL,
    ".ndjson": RowFormat.JSONL,
    ".json": RowFormat.JSONL,
    ".csv": RowFormat.CSV,
    ".tsv": RowFormat.CSV,
}
_DELIMITERS = (",", ";", "\t")


def called(name: str) -> str:
    """Return what to call a file in a sentence."""
    return "The input" if name in {"", "-"} else name


def format_of(name: str, first: Record) -> RowFormat:
    """Return the form that a file's extension says, or for a stream its first character.

    Raises:
        InvalidInput: for any other extension.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix in _FORMATS:
        return _FORMATS[suffix]
    if suffix:
        raise InvalidInput(
            f"{name} is in no known format; give a file that ends in {', '.join(_FORMATS)}."
        )
    return RowFormat.JSONL if first.raw.lstrip()[:1] in {b"{", b"["} else RowFormat.CSV


def json_values(record: Record) -> Mapping[str, Any] | None:
    """Return the values of a JSON line, integers as they are written; None for a blank one.

    Raises:
        InvalidInput: if it is not one JSON object, or names something twice.
    """
    if record.is_blank:
        return None
    found = _loaded(record.text())
    if not isinstance(found, dict):
        raise InvalidInput("The row is not a JSON object; write one object on each line.")
    return found


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=Whole, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        raise InvalidInput(f"The row is not JSON from character {error.pos + 1} on.") from None
    except RecursionError:
        raise InvalidInput("The row is nested too deeply; its values are texts.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = _most_common(name for name, _ in pairs)
        raise InvalidInput(f"The row names {shown(twice)} more than once.")
    return found


def _most_common(names: Iterable[str]) -> str:
    ((name, _),) = Counter(names).most_common(1)
    return name


def _no_constant(word: str) -> NoReturn:
    raise InvalidInput(f"The row is not JSON: {word} is no value.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """The columns of a CSV file, and what stands between them."""

    delimiter: str
    columns: tuple[str, ...]

    @classmethod
    def of(cls, record: Record, *, name: str, knows: Callable[[str], bool]) -> Header:
        """Read a header, with the delimiter under which most of its names are known.

        Raises:
            InvalidInput: if it names none of the columns, or one of them twice.
        """
        try:
            text = record.text()
        except InvalidInput as problem:
            raise InvalidInput(f"The header of {called(name)} cannot be read. {problem}") from None
        readings = [cls(delimiter=sign, columns=_names(text, sign)) for sign in _DELIMITERS]
        header = max(readings, key=lambda one: sum(map(knows, one.columns)))
        if not any(map(knows, header.columns)):
            raise InvalidInput(
                f"{called(name)} has no header; its first line must name the columns "
                f"{', '.join(NAMED.get(column, column) for column in REQUIRED)}, with commas, "
                "semicolons or tabs between them."
            )
        named = [column for column in header.columns if column]
        if len(set(named)) < len(named):
            twice = shown(_most_common(named))
            raise InvalidInput(f"The header of {called(name)} names {twice} more than once.")
        return header

    def values(self, record: Record) -> Mapping[str, Any] | None:
        """Return the cells of a row by their columns; None for a row without any content.

        Raises:
            InvalidInput: if it is not CSV, or has not as many cells as the header.
        """
        cells = _cells(record, self.delimiter)
        if not any(cell.strip() for cell in cells):
            return None
        if len(cells) != len(self.columns):
            raise InvalidInput(
                f"{record.called} has {len(cells)} cells, and the header has {len(self.columns)}."
            )
        found = dict(zip(self.columns, cells, strict=True))
        if any(cell for column, cell in zip(self.columns, cells, strict=True) if not column):
            raise InvalidInput(f"{record.called} has a cell in a column that has no name.")
        found.pop("", None)
        return found


def _names(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(cell.strip() for cell in _parsed(text, delimiter))
    except csv.Error:
        return ()


def _cells(record: Record, delimiter: str) -> list[str]:
    text = record.text()
    try:
        return _parsed(text, delimiter)
    except csv.Error as error:
        raise InvalidInput(
            f"{record.called} is not CSV ({error}); look for a quote that is not closed."
        ) from None


def _parsed(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])
