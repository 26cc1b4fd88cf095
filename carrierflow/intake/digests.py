"""Tells files apart by their bytes, so that the same one is not recorded twice unnoticed."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path


__all__ = ["digest_of"]


def digest_of(path: str | PathLike[str]) -> str:
    """Return the hex SHA-256 of a file's bytes, whatever its size.

    Raises:
        OSError: if the file cannot be read.
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
