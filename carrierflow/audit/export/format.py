"""A part of the log as files that prove themselves, for people who trust neither us nor a database.

Each line of `entries.jsonl` is the canonical text of an entry, and its bytes without the line's
end are the leaf of the tree. `places.txt` says, line by line, where each stands in the log. All
else is text too, so that `sha256sum`, OpenSSL and Go suffice to check it.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from typing import BinaryIO
from uuid import uuid4

from carrierflow.audit.export.manifest import manifest_text
from carrierflow.audit.export.spreadsheet import BOM, HEADINGS, record, sheet_rows
from carrierflow.audit.export.totals import Totals
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.proof import Consistency
from carrierflow.audit.log.tree import Subtrees, subtrees_between
from carrierflow.domain.canonical import stamp
from carrierflow.errors import InvalidInput


__all__ = [
    "CHECKPOINTS",
    "CONSISTENCY",
    "DEFINITIONS",
    "ENTRIES",
    "ENTRY_FILES",
    "FORM",
    "LEFT_OUT",
    "MANIFEST",
    "PLACES",
    "SHEET",
    "SIGNATURE",
    "SUMS",
    "TIMESTAMPS",
    "Contents",
    "Exported",
    "Line",
    "Scope",
    "write_export",
]

FORM = "carrierflow-export/3"
ENTRIES = "entries.jsonl"
ENTRY_FILES = {
    FORM: ENTRIES,
    "carrierflow-export/2": ENTRIES,
    "carrierflow-export/1": "history.jsonl",
}
"""The file of entries in each form that can be read.

The first form knew but steps; neither it nor the second one signed its manifest, and a part of
them has the proof of each line in `places.txt` instead of what it leaves out.
"""

PLACES = "places.txt"
DEFINITIONS = "definitions.jsonl"
CHECKPOINTS = "checkpoints.txt"
CONSISTENCY = "consistency.txt"
LEFT_OUT = "left_out.txt"
TIMESTAMPS = "timestamps.txt"
MANIFEST = "manifest.json"
SIGNATURE = "manifest.note"
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
    stamps: Sequence[tuple[int, str]]
    """Time-stamps by the size of their checkpoints, as authorities answered, in base 64."""
    sign: Callable[[str], SignedNote] | None
    """Signs the manifest; None where there is no key."""


def write_export(
    folder: Path,
    contents: Contents,
    lines: Iterable[Line],
    *,
    left_out: Subtrees | None,
    sheet: bool = False,
) -> Exported:
    """Write an export into a new or empty directory; `sheet` adds a CSV file beside it.

    `left_out` returns the hashes over places that a part leaves out; None for the whole.

    Raises:
        InvalidInput: if there is something already, or it cannot be written.
    """
    try:
        with _finished(folder) as unfinished:
            writer = _Writer(unfinished)
            newest = SignedNote.parse(contents.checkpoints[-1]).checkpoint
            body = _Body(writer, newest.size, left_out)
            body.write(lines)
            if sheet:
                _write_sheet(writer, unfinished)
            _write_rest(writer, contents, newest, body)
    except OSError as error:
        raise InvalidInput(f"The export cannot be written: {error}.") from error
    return Exported(
        folder=folder,
        rows=body.kinds.total(),
        size=newest.size,
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


def _write_sheet(writer: _Writer, folder: Path) -> None:
    with writer.open(SHEET) as cells:
        cells.write(BOM + record(HEADINGS))
        for _, row in sheet_rows(folder / ENTRIES, folder / PLACES):
            cells.write(row)


def _write_rest(writer: _Writer, contents: Contents, newest: Checkpoint, body: _Body) -> None:
    """Write what stands beside the entries; what it all is, signed, and the digests at last."""
    writer.write(DEFINITIONS, (f"{text}\n" for text in contents.definitions))
    writer.write(CHECKPOINTS, (f"{note}\n" for note in contents.checkpoints))
    if contents.consistency:
        writer.write(CONSISTENCY, (f"{proof}\n" for proof in contents.consistency))
    if contents.stamps:
        writer.write(TIMESTAMPS, (f"{size} {stamped}\n" for size, stamped in contents.stamps))
    rows = body.kinds.total()
    manifest = {
        "form": FORM,
        "origin": newest.origin,
        "size": newest.size,
        "root": newest.root.hex(),
        "signed_at": stamp(newest.at) if newest.at else None,
        "whole": contents.scope.is_whole,
        "scope": contents.scope.document(),
        "rows": rows,
        "left_out": newest.size - rows,
        "kinds": dict(sorted(body.kinds.items())),
        "shops": body.totals.document(),
        "unsealed": contents.unsealed,
        "made_at": stamp(contents.made_at),
        "files": dict(sorted(writer.sums.items())),
    }
    written = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    writer.write(MANIFEST, [written])
    if contents.sign is not None:
        signed = contents.sign(manifest_text(newest.origin, written.encode()))
        writer.write(SIGNATURE, [str(signed)])
    writer.write_sums()


class _Body:
    """Writes the lines, where they stand, and what stands between them."""

    def __init__(self, writer: _Writer, size: int, left_out: Subtrees | None) -> None:
        self.kinds: Counter[str] = Counter()
        self.totals = Totals()
        self._writer = writer
        self._size = size
        self._left_out = left_out
        self._next = 0

    def write(self, lines: Iterable[Line]) -> None:
        """Write all of them."""
        with ExitStack() as files:
            entries = files.enter_context(self._writer.open(ENTRIES))
            places = files.enter_context(self._writer.open(PLACES))
            gaps = files.enter_context(self._writer.open(LEFT_OUT)) if self._left_out else None
            for line in lines:
                self._skip(gaps, line.index)
                self._next = line.index + 1
                text = line.text.encode()
                self.kinds[line.kind] += 1
                self.totals.add(text)
                entries.write(text + b"\n")
                places.write(b"%d %b\n" % (line.index, base64.b64encode(line.leaf)))
            self._skip(gaps, self._size)

    def _skip(self, gaps: _Sink | None, end: int) -> None:
        """Write the hashes over what is left out before a place."""
        if gaps is None or self._left_out is None:
            return
        for start, height, node in subtrees_between(self._left_out, self._next, end):
            gaps.write(b"%d %d %b\n" % (start, height, base64.b64encode(node)))


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
