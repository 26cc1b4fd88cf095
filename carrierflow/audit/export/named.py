"""Exports by name: the digest that stands for all bytes of one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from carrierflow.audit.export.format import MANIFEST, SUMS
from carrierflow.errors import InvalidInput


__all__ = ["NamedExport", "name_export"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedExport:
    """An export as a report names it."""

    digest: str
    """SHA-256 of its `SHA256SUMS`, which names the bytes of every other file."""
    size: int
    """How many entries its checkpoint covers."""
    root: str
    rows: int
    whole: bool


def name_export(folder: Path) -> NamedExport:
    """Return what an export is called; whether it holds, `audit verify --export` says.

    Raises:
        InvalidInput: if there is none, or its manifest is not the one that its sums name.
    """
    try:
        sums = (folder / SUMS).read_bytes()
        manifest = (folder / MANIFEST).read_bytes()
        said = json.loads(manifest)
        found = NamedExport(
            digest=hashlib.sha256(sums).hexdigest(),
            size=int(said["size"]),
            root=str(said["root"]),
            rows=int(said["rows"]),
            whole=said["whole"] is True,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{folder} holds no export that can be read.") from error
    if f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}".encode() not in sums.splitlines():
        raise InvalidInput(f"The manifest of {folder} is not the one that {SUMS} names.")
    return found
