"""Standard streams that never change how a command ends: closed, full, or in another encoding.

How a command ends says what became of the work. What could not be printed is said on stderr, if
that is there, and changes nothing about it.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import IO, Any


__all__ = ["Outlet", "lost", "open_streams", "why_lost"]

STREAMS = (0, 1, 2)


class Outlet(io.RawIOBase):
    """A way out that swallows what cannot be written any more, and remembers why."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        super().__init__()
        self._stream = stream
        self.problem: OSError | None = None if stream else OSError(errno.EBADF, "it is closed")

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor below."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Tell whether a person's terminal is at the end."""
        return self._stream is not None and self._stream.isatty()

    def write(self, content: Any) -> int:
        """Write all of it, or take note that it cannot be."""
        if self.problem is None and self._stream is not None:
            try:
                self._stream.write(content)
                self._stream.flush()
            except OSError as error:
                self.problem = error
                self._drain(self._stream)
        return len(content)

    def _drain(self, stream: IO[bytes]) -> None:
        """Let what is still held go nowhere: it would fail again when the process ends."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except OSError:
            return


def open_streams() -> None:
    """Make the standard streams of this process such that any text can be written to them.

    A closed one is opened to nowhere first: else the next file that is opened, a database for
    one, would take its place. Signs that an encoding lacks are shown by their codes.
    """
    for number in STREAMS:
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _lasting(sys.stdout)
    sys.stderr = _lasting(sys.stderr)


def lost(stream: Any) -> bool:
    """Tell whether something of what was written to a stream went nowhere."""
    return why_lost(stream) is not None


def why_lost(stream: Any) -> OSError | None:
    """Return why something could not be written to a stream; None if all of it was."""
    outlet = getattr(stream, "buffer", None)
    return outlet.problem if isinstance(outlet, Outlet) else None


def _lasting(stream: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        Outlet(getattr(stream, "buffer", None)),  # type: ignore[arg-type]  # unbuffered below
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
