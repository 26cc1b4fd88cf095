"""Reads a file of events row by row: each row becomes an event, or a sentence that says why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, BinaryIO

from carrierflow.domain.model import Event
from carrierflow.errors import InvalidInput
from carrierflow.ledger.files.fields import event_of
from carrierflow.ledger.files.formats import Header, RowFormat, called, format_of, json_values
from carrierflow.ledger.files.other_forms import other_form
from carrierflow.ledger.files.records import CsvEnds, Record, ends_line, records
from carrierflow.ledger.files.senders import Sender


__all__ = ["EventRow", "read_rows"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """One row of a file: an event, or what is wrong with it; always exactly one of the two."""

    number: int
    """The line on which it begins, counted as an editor counts; a header is line 1."""
    event: Event | None = None
    problem: InvalidInput | None = None


def read_rows(
    stream: BinaryIO,
    *,
    kind: RowFormat | None,
    name: str,
    fill_gaps: bool,
    sender: Sender | None = None,
) -> Iterator[EventRow]:
    """Read the rows of a file or of standard input, which is called `-`.

    A row that cannot be read never stops the others. The beginning of the file is looked at
    before this returns, so a file that is no use at all is refused at once; the rest is read
    as the rows are asked for.

    Raises:
        InvalidInput: if the file is empty, has no header, or is in no known format.
    """
    sender = sender or Sender()
    lines = records(stream, ended=ends_line)
    first = next((line for line in _without_bom(lines) if not line.is_blank), None)
    if first is None:
        raise InvalidInput(f"{called(name)} is empty.")
    if other := other_form(first.raw):
        raise InvalidInput(f"{called(name)} is {other}.")
    if (kind or format_of(name, first)) is RowFormat.JSONL:
        return _rows(chain([first], lines), json_values, sender, fill_gaps=fill_gaps)
    header = Header.of(first, name=name, knows=sender.knows)
    ends = CsvEnds(header.delimiter)
    body = records(stream, ended=ends, number=first.last + 1)
    return _rows(body, header.values, sender, fill_gaps=fill_gaps)


def _without_bom(lines: Iterable[Record]) -> Iterator[Record]:
    for line in lines:
        yield line.without_bom() if line.number == 1 else line


def _rows(
    found: Iterable[Record],
    values_of: Callable[[Record], Mapping[str, Any] | None],
    sender: Sender,
    *,
    fill_gaps: bool,
) -> Iterator[EventRow]:
    for record in found:
        try:
            values = values_of(record)
            if values is None:
                continue
            event = event_of(
                sender.named(values),
                fill_gaps=fill_gaps,
                moment=sender.moment,
                status=sender.status,
            )
            row = EventRow(number=record.number, event=event)
        except InvalidInput as problem:
            row = EventRow(number=record.number, problem=problem)
        yield row
