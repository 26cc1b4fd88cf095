"""Tells files apart by their bytes, so that the same one is not recorded twice unnoticed."""

from __future__ import annotations

import hashlib
from typing import BinaryIO


__all__ = ["digest_of"]

AT_ONCE = 1024 * 1024


def digest_of(stream: BinaryIO) -> str:
    """Return the hex SHA-256 of a file's bytes, whatever its size, and go back to its beginning.

    Raises:
        OSError: if the file cannot be read.
    """
    found = hashlib.sha256()
    while piece := stream.read(AT_ONCE):
        found.update(piece)
    stream.seek(0)
    return found.hexdigest()
