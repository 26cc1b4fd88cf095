"""Text for a person's terminal: what others wrote is shown as it is, and nothing of it is cut.

A text of somebody else's is never markup here: it has no colours, no names of emoji, no way to
move a cursor or to turn the reading direction. What does not print is shown by its code.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from carrierflow.domain.foreign_text import shown


__all__ = ["Page", "cells", "json_text"]

GAP = 2
"""Blanks between two columns."""

_BLANK = re.compile(r" (?![đ₫](?: |$))")
_GOES_ON = " \\"
_WIDE = frozenset("WF")
_NO_CELL = frozenset({"Mn", "Me"})
_UNSEEN = re.compile(r"[^\n -~\u00a1-\u00ac\u00ae-\u024f\u1ea0-\u1ef9]")
"""Everything but what surely prints: ASCII, Latin letters, Vietnamese. The rest is looked up."""


LONG = 1_000
"""Items of a list beyond which only a program reads a document: it is written in one line.

Python indents by itself, and writes what is not indented in C, ten times as fast.
"""


def json_text(document: Any, *, encoding: str = "utf-8") -> str:
    """Return a document as JSON that is exact, whatever stream or terminal it goes to."""
    indent = None if _is_long(document) else 2
    text = _UNSEEN.sub(_escaped, json.dumps(document, ensure_ascii=False, indent=indent))
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent)
    return text


def _is_long(document: Any) -> bool:
    parts = document.values() if isinstance(document, dict) else ()
    return any(isinstance(part, list) and len(part) > LONG for part in parts)


def _escaped(found: re.Match[str]) -> str:
    sign = found[0]
    return sign if sign.isprintable() else json.dumps(sign)[1:-1]


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(sign) in _NO_CELL
        else 1 + (unicodedata.east_asian_width(sign) in _WIDE)
        for sign in text
    )


class Page:
    """Writes lines and tables, no wider than asked for; a word is never broken.

    Without a width nothing is wrapped.
    """

    def __init__(self, write: Callable[[str], None], *, width: int | None, bold: bool) -> None:
        self._write = write
        self.width = width
        self._bold = bold

    def say(self, *lines: str) -> None:
        """Write some lines of prose; each is wrapped between words, as far indented as it was."""
        for line in lines:
            for part in self._wrapped(shown(line), self.width):
                self._write(part)

    def command(self, line: str, *, indent: str = "") -> None:
        """Write a line for a shell; where it is too long it goes on behind a backslash."""
        room = None if self.width is None else self.width - len(indent) - len(_GOES_ON)
        *parts, last = _wrap(shown(line), room)
        for part in parts:
            self._write(f"{indent}{part}{_GOES_ON}")
        self._write(f"{indent}{last}")

    def heading(self, line: str) -> None:
        """Write a line that begins something, after a blank one."""
        self._write("")
        for part in self._wrapped(shown(line), self.width):
            self._write(self._strong(part))

    def table(self, columns: Sequence[str], rows: Collection[Sequence[object]]) -> None:
        """Write a table, or where it has no room, one block of lines for each row.

        Empty cells stand for nothing known.
        """
        texts = [["" if cell is None else shown(cell) for cell in row] for row in rows]
        widths = self._widths([list(columns), *texts])
        if widths is None:
            self._blocks(columns, texts)
            return
        for line in _lines(columns, widths, ()):
            self._write(self._strong(line))
        for row in texts:
            for line in _lines(row, widths, ()):
                self._write(line)

    def grid(
        self, rows: Collection[Sequence[str]], *, indent: str = "", right: Collection[int] = ()
    ) -> None:
        """Write rows without a heading; some columns stand to the right."""
        texts = [[shown(cell) for cell in row] for row in rows]
        room = None if self.width is None else self.width - len(indent)
        widths = _fitting(texts, room) or _natural(texts)
        for row in texts:
            for line in _lines(row, widths, right):
                self._write(f"{indent}{line}")

    def _widths(self, texts: Sequence[Sequence[str]]) -> list[int] | None:
        return _natural(texts) if self.width is None else _fitting(texts, self.width)

    def _blocks(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        widest = max(map(cells, columns))
        room = None if self.width is None else max(self.width - widest - GAP, 1)
        for number, row in enumerate(rows):
            if number:
                self._write("")
            for name, cell in zip(columns, row, strict=True):
                for part, line in enumerate(_wrap(cell, room)):
                    label = name if part == 0 else ""
                    self._write(f"{_padded(label, widest + GAP)}{line}".rstrip())

    def _wrapped(self, line: str, width: int | None) -> Iterator[str]:
        indent = line[: len(line) - len(line.lstrip(" "))]
        room = None if width is None else max(width - len(indent), 1)
        for part in _wrap(line[len(indent) :], room):
            yield f"{indent}{part}"

    def _strong(self, line: str) -> str:
        return f"\x1b[1m{line}\x1b[0m" if self._bold else line


def _fitting(texts: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """Return a width for each column, as much as it wants where there is room.

    None where the columns have no room, because words are not broken. Short columns are served
    first: prose can be wrapped, and a time of day had better not.
    """
    wanted = _natural(texts)
    if width is None:
        return wanted
    columns = range(len(wanted))
    room = width - GAP * (len(wanted) - 1)
    found = [max(_longest_word(row[column]) for row in texts) for column in columns]
    if sum(found) > room:
        return None
    for column in sorted(columns, key=lambda column: wanted[column]):
        more = min(wanted[column] - found[column], room - sum(found))
        found[column] += more
    return found


def _natural(texts: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cells, column)) for column in zip(*texts, strict=True)]


def _longest_word(text: str) -> int:
    return max(map(cells, _words(text)))


def _words(text: str) -> list[str]:
    """Return what is between blanks; an amount and its currency are one word."""
    return _BLANK.split(text)


def _lines(row: Sequence[str], widths: Sequence[int], right: Collection[int]) -> Iterator[str]:
    parts = [list(_wrap(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, parts), default=0)):
        line = [part[number] if number < len(part) else "" for part in parts]
        padded = (
            _padded(text, width, right=column in right)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        yield (" " * GAP).join(padded).rstrip()


def _padded(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * (width - cells(text))
    return f"{blanks}{text}" if right else f"{text}{blanks}"


def _wrap(text: str, width: int | None) -> Iterator[str]:
    """Yield the lines of a text, broken at blanks alone; a longer word stands alone, whole."""
    if width is None or cells(text) <= width:
        yield text
        return
    line, taken = "", 0
    for number, word in enumerate(_words(text)):
        size = cells(word)
        if number and taken + 1 + size > width:
            yield line
            line, taken = word, size
        else:
            line = f"{line} {word}" if number else word
            taken += size + bool(number)
    yield line
