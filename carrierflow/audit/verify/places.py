"""What was found for each place of the log while the tables were read, each in its own order.

The leaf that a row makes and the moment that it bears are written down at its place, and compared
in the order of the log afterwards. It lies on the disk: 64 bytes a place, so that a log of any
length takes no more memory.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Self


__all__ = ["EMPTY", "OTHER", "STEP", "Places"]

CELL = struct.Struct("32s27sc4x")
"""A leaf, a moment as canonical texts have it, and what it is."""

EMPTY, STEP, OTHER = b"\x00", b"s", b"o"


class Places:
    """The leaf and the moment of the row at each place, and whether it is a step."""

    def __init__(self, size: int, *, shared: Path | None = None) -> None:
        """`shared` is the file of another process, which made it and writes into it, too."""
        self.size = size
        self.waiting: dict[str, str] = {}
        """The earliest moment of the rows of each kind that have no place yet."""
        self._file = shared.open("r+b") if shared else _made(max(1, size) * CELL.size)
        self._map = mmap.mmap(self._file.fileno(), 0)

    @property
    def file(self) -> Path:
        """Where other processes find it as long as it is open."""
        return Path(str(self._file.name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._map.close()
        self._file.close()

    def put(self, position: int, text: bytes, moment: str | None, mark: bytes = STEP) -> None:
        """Write down what a row says; what got its place after we began is left alone."""
        if position < self.size:
            leaf = sha256(b"\x00" + text).digest()
            CELL.pack_into(
                self._map, position * CELL.size, leaf, str(moment).encode(errors="replace"), mark
            )

    def wait(self, kind: str, moment: str | None) -> None:
        """Take in a row that has no place yet."""
        if moment is not None:
            self.waiting[kind] = min(moment, self.waiting.get(kind, moment))

    def read(self, start: int, count: int) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Return the leaf, the moment and the mark at some places, as far as there are any."""
        end = min(self.size, start + count)
        cells = self._map[start * CELL.size : end * CELL.size]
        return CELL.iter_unpack(cells)


def _made(length: int) -> IO[bytes]:
    file = NamedTemporaryFile(prefix="carrierflow-")  # noqa: SIM115 - closed by __exit__
    file.truncate(length)
    return file
