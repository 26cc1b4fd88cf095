"""Cuts a stream of bytes into records, in memory that does not grow with the stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import BinaryIO

from carrierflow.errors import InvalidInput


__all__ = ["LONGEST", "CsvEnds", "Record", "ends_line", "records"]

LONGEST = 64 * 1024
"""Bytes that a record may have, its line end not counted."""

_BOM = b"\xef\xbb\xbf"
_QUOTE = ord('"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """The bytes of one record, and the lines that it stands on."""

    number: int
    """The line on which it begins; the first one of a file is 1."""
    last: int
    raw: bytes
    """Without the line end; of a record that is too long, only how it begins."""
    size: int

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing stands in it."""
        return self.size <= LONGEST and not self.raw.strip()

    @property
    def called(self) -> str:
        """What a sentence about this record begins with."""
        if self.last == self.number:
            return "The row"
        return f"The row that begins in line {self.number} and ends in line {self.last}"

    def without_bom(self) -> Record:
        """Return this record without a byte order mark at its beginning."""
        raw = self.raw.removeprefix(_BOM)
        return replace(self, raw=raw, size=self.size - len(self.raw) + len(raw))

    def text(self) -> str:
        """Return the record as text.

        Raises:
            InvalidInput: if it is too long, is not UTF-8, or holds a NUL.
        """
        if self.size > LONGEST:
            hint = "" if self.last == self.number else "; look for a quote that is not closed"
            raise InvalidInput(f"{self.called} has more than {LONGEST} bytes{hint}.")
        if b"\0" in self.raw:
            raise InvalidInput(f"{self.called} holds a NUL byte.")
        try:
            return self.raw.decode()
        except UnicodeDecodeError as error:
            where = f"from byte {error.start + 1} on"
            raise InvalidInput(f"{self.called} is not UTF-8 {where}; save it as UTF-8.") from None


def records(
    stream: BinaryIO, *, ended: Callable[[bytes], bool], number: int = 1
) -> Iterator[Record]:
    """Yield one record after the other; `ended` tells whether one is over after a piece.

    Nothing is read ahead: between two records the stream stands exactly between them.
    """
    first, last, size, held = number, number, 0, bytearray()
    while piece := stream.readline(LONGEST):
        last, size = number, size + len(piece)
        if len(held) <= LONGEST:
            held += piece
        number += piece.endswith(b"\n")
        if ended(piece):
            yield _record(first, last, bytes(held), size)
            first, size, held = number, 0, bytearray()
    if size:
        yield _record(first, last, bytes(held), size)


def _record(number: int, last: int, held: bytes, size: int) -> Record:
    raw = held
    if len(held) == size:
        raw = held.removesuffix(b"\n").removesuffix(b"\r")
        size = len(raw)
    return Record(number=number, last=last, raw=raw, size=size)


def ends_line(piece: bytes) -> bool:
    """Tell whether a piece ends a record where each line is one."""
    return piece.endswith(b"\n")


class _At(Enum):
    START = auto()
    INSIDE = auto()
    QUOTED = auto()
    CLOSING = auto()


class CsvEnds:
    """Follows the quotes of a CSV file, to tell which line ends also end a record.

    The inside of a quoted field is never taken for rows, however long it is and whether or not
    it is ever closed: what a customer wrote into a note must not become an event.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = ord(delimiter)
        self._at = _At.START

    def __call__(self, piece: bytes) -> bool:
        """Tell whether a piece ends a record."""
        ends = piece.endswith(b"\n")
        if not ends or _QUOTE in piece:
            self._follow(piece)
        if not ends or self._at is _At.QUOTED:
            return False
        self._at = _At.START
        return True

    def _follow(self, piece: bytes) -> None:
        at, delimiter = self._at, self._delimiter
        for byte in piece:
            if at is _At.QUOTED:
                at = _At.CLOSING if byte == _QUOTE else at
            elif byte == _QUOTE and at is not _At.INSIDE:
                at = _At.QUOTED
            else:
                at = _At.START if byte == delimiter else _At.INSIDE
        self._at = at
