"""A part of the log as files that prove themselves, for people who trust neither us nor a database.

Each line of `entries.jsonl` is the canonical text of an entry, and its bytes without the line's
end are the leaf of the tree. `places.txt` says, line by line, where each stands in the log. All
else is text too, so that `sha256sum`, OpenSSL and Go suffice to check it.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import Any, BinaryIO
from uuid import uuid4

from carrierflow.audit.export.spreadsheet import BOM, record
from carrierflow.audit.log.checkpoint import SignedNote
from carrierflow.audit.log.proof import Consistency
from carrierflow.domain.canonical import stamp
from carrierflow.errors import InvalidInput


__all__ = [
    "CHECKPOINTS",
    "CONSISTENCY",
    "DEFINITIONS",
    "ENTRIES",
    "ENTRY_FILES",
    "FORM",
    "MANIFEST",
    "PLACES",
    "SHEET",
    "SUMS",
    "Contents",
    "Exported",
    "Line",
    "Scope",
    "write_export",
]

FORM = "carrierflow-export/2"
ENTRIES = "entries.jsonl"
ENTRY_FILES = {FORM: ENTRIES, "carrierflow-export/1": "history.jsonl"}
"""The file of entries in each form that can be read; the first form knew but steps."""

PLACES = "places.txt"
DEFINITIONS = "definitions.jsonl"
CHECKPOINTS = "checkpoints.txt"
CONSISTENCY = "consistency.txt"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
SHEET = "history.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Which entries an export holds; all of them where nothing is said."""

    shop: str | None = None
    fulfillment_id: str | None = None
    since: datetime | None = None
    """Recorded at or after this."""
    until: datetime | None = None
    """Recorded at or before this."""

    @property
    def is_whole(self) -> bool:
        """Tell whether it leaves nothing out."""
        return self == Scope()

    @property
    def cuts_chains(self) -> bool:
        """Tell whether a parcel's history may begin or end in the middle."""
        return self.since is not None or self.until is not None

    def document(self) -> dict[str, str | None]:
        """Return it as the manifest says it."""
        return {
            "shop": self.shop,
            "fulfillment_id": self.fulfillment_id,
            "since": stamp(self.since) if self.since else None,
            "until": stamp(self.until) if self.until else None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One entry on its way into an export."""

    kind: str
    text: str
    index: int
    leaf: bytes
    path: Sequence[bytes] = ()
    """What leads from it to the root, where the export leaves other entries out."""
    cells: Sequence[Any] = ()
    """What a spreadsheet shows of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What an export holds."""

    folder: Path
    rows: int
    size: int
    """How many entries its checkpoint covers."""
    unsealed: int
    """Entries that were left out because no checkpoint covers them yet."""
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """Everything that goes into an export beside the entries."""

    scope: Scope
    made_at: datetime
    unsealed: int
    definitions: Sequence[str]
    """The canonical texts."""
    checkpoints: Sequence[str]
    """Signed notes, oldest first; the last one is the one that the export stands on."""
    consistency: Sequence[Consistency]
    """That older checkpoints, which the auditor keeps, are the beginning of the last one."""


def write_export(
    folder: Path, contents: Contents, lines: Iterable[Line], *, sheet: Sequence[str] = ()
) -> Exported:
    """Write an export into a new or empty directory; `sheet` heads a CSV file beside it.

    Raises:
        InvalidInput: if there is something already, or it cannot be written.
    """
    try:
        with _finished(folder) as unfinished:
            writer = _Writer(unfinished)
            kinds = _write_lines(writer, lines, sheet)
            _write_rest(writer, contents, kinds)
    except OSError as error:
        raise InvalidInput(f"The export cannot be written: {error}.") from error
    return Exported(
        folder=folder,
        rows=kinds.total(),
        size=SignedNote.parse(contents.checkpoints[-1]).checkpoint.size,
        unsealed=contents.unsealed,
        files=tuple(sorted([*writer.sums, SUMS])),
    )


@contextmanager
def _finished(folder: Path) -> Iterator[Path]:
    """Let an export be written under another name, and give it its own once it is whole.

    Where that fails nothing is left, and a process that is killed leaves nothing under its name.
    """
    is_new = not folder.exists()
    if not is_new and any(folder.iterdir()):
        raise InvalidInput(f"{folder} is not empty; name a new directory for the export.")
    place = folder.parent if is_new else folder
    unfinished = place / f".{folder.name}.{uuid4().hex}.unfinished"
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if is_new:
            unfinished.rename(folder)
        else:
            for file in unfinished.iterdir():
                file.rename(folder / file.name)
    finally:
        rmtree(unfinished, ignore_errors=True)


def _write_lines(writer: _Writer, lines: Iterable[Line], sheet: Sequence[str]) -> Counter[str]:
    """Write the entries; return how many there are of each kind."""
    kinds: Counter[str] = Counter()
    with ExitStack() as files:
        entries = files.enter_context(writer.open(ENTRIES))
        places = files.enter_context(writer.open(PLACES))
        cells = files.enter_context(writer.open(SHEET)) if sheet else None
        if cells is not None:
            cells.write(BOM + record(sheet))
        for line in lines:
            kinds[line.kind] += 1
            entries.write(f"{line.text}\n".encode())
            places.write(_place(line))
            if cells is not None and line.cells:
                cells.write(record(line.cells))
    return kinds


def _write_rest(writer: _Writer, contents: Contents, kinds: Counter[str]) -> None:
    """Write what stands beside the entries; the digests at last."""
    writer.write(DEFINITIONS, (f"{text}\n" for text in contents.definitions))
    writer.write(CHECKPOINTS, (f"{note}\n" for note in contents.checkpoints))
    if contents.consistency:
        writer.write(CONSISTENCY, (f"{proof}\n" for proof in contents.consistency))
    newest = SignedNote.parse(contents.checkpoints[-1]).checkpoint
    manifest = {
        "form": FORM,
        "origin": newest.origin,
        "size": newest.size,
        "root": newest.root.hex(),
        "whole": contents.scope.is_whole,
        "scope": contents.scope.document(),
        "rows": kinds.total(),
        "kinds": dict(sorted(kinds.items())),
        "unsealed": contents.unsealed,
        "made_at": stamp(contents.made_at),
    }
    writer.write(MANIFEST, [json.dumps(manifest, ensure_ascii=False, indent=2), "\n"])
    writer.write_sums()


def _place(line: Line) -> bytes:
    hashes = b" ".join(map(base64.b64encode, (line.leaf, *line.path)))
    return b"%d %s\n" % (line.index, hashes)


class _Writer:
    """Writes files and remembers what their bytes hash to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sums: dict[str, str] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[_Sink]:
        """Open one file."""
        with (self._folder / name).open("wb") as file:
            sink = _Sink(file)
            yield sink
        self.sums[name] = sink.digest.hexdigest()

    def write(self, name: str, parts: Iterable[str]) -> None:
        """Write one file."""
        with self.open(name) as sink:
            for part in parts:
                sink.write(part.encode())

    def write_sums(self) -> None:
        """Write the digests, as `sha256sum --check` reads them."""
        lines = (f"{value}  {name}\n" for name, value in sorted(self.sums.items()))
        (self._folder / SUMS).write_text("".join(lines), encoding="utf-8")


class _Sink:
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = sha256()

    def write(self, data: bytes) -> None:
        """Write some bytes."""
        self.digest.update(data)
        self._file.write(data)
