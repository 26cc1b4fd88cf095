"""Verifying an export alone: no database, no network, and as little memory for a million rows.

The lines are read twice. First in the order of the log: each against its place, all of them
against the roots that were signed. Then parcel by parcel: for that they are brought together in
temporary files of which one at a time is held.
"""

from __future__ import annotations

import json
import re
import zlib
from binascii import a2b_base64, b2a_base64
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from hashlib import file_digest, sha256
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self

from carrierflow.audit.export.format import (
    CHECKPOINTS,
    CONSISTENCY,
    DEFINITIONS,
    ENTRY_FILES,
    MANIFEST,
    PLACES,
    SUMS,
)
from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.entry_kinds import KINDS, TRANSITION
from carrierflow.audit.log.kept import OWN, KeptCheckpoint, TreeCheck, Trust, kept_in
from carrierflow.audit.log.proof import Consistency
from carrierflow.audit.log.tree import root_of_proof
from carrierflow.audit.verify.lines import ChainReader, is_flat, kind_of, moment_of, parcel_of
from carrierflow.audit.verify.replay import Findings, Rules, Verification
from carrierflow.audit.verify.time_order import TOLERANCE, TimeCheck
from carrierflow.errors import InvalidInput


__all__ = ["verify_export"]

PLACE = re.compile(rb"(0|[1-9][0-9]*) ([A-Za-z0-9+/=]{44})((?: [A-Za-z0-9+/=]{44})*)\n")
"""A line of `places.txt`: the place, the leaf, and what leads from it to the root."""

MOMENTS = {kind.name: kind.moment for kind in KINDS}
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
CHANGED = "its content is not what was sealed at its place: it was changed since"

SHARE_BYTES = 16 * 1024 * 1024
"""About how much of the history is held at once."""

AT_ONCE = 2_000
BUFFER = 128 * 1024
ALL_BUFFERS = 8 * BUFFER
"""What the files of all shares may buffer together: a longer history has more of them."""

LEAST_BUFFER = 4096


def verify_export(
    folder: Path,
    *,
    trust: Trust,
    kept: Sequence[KeptCheckpoint] = (),
    tolerance: timedelta = TOLERANCE,
    progress: Callable[[int], None] | None = None,
) -> Verification:
    """Replay an export and compare it with its checkpoints and with those that were kept.

    Raises:
        InvalidInput: if it is no export, or a file of it cannot be read.
    """
    try:
        export = _Export(folder, trust, Findings(), tolerance)
        return export.verify(kept, progress or _unheard)
    except OSError as error:
        raise InvalidInput(f"The export cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("The export cannot be read: a file of it is no text.") from error


@dataclass(frozen=True, slots=True)
class _Export:
    """One directory, and what is found in it."""

    folder: Path
    trust: Trust
    findings: Findings
    tolerance: timedelta

    def verify(
        self, kept: Sequence[KeptCheckpoint], progress: Callable[[int], None]
    ) -> Verification:
        """Look at everything."""
        manifest = self._manifest()
        self._check_sums()
        rules = Rules(self._definitions(), self.findings)
        own = kept_in(self._text(CHECKPOINTS), where=OWN)
        if not own:
            raise InvalidInput("The export has no checkpoint.")
        known = [*own, *kept]
        self.trust.look_at(known, self.findings)
        newest = max((each.seen for each in own), key=lambda seen: seen.size)
        if manifest["whole"]:
            places: _WholeLog | _PartOfLog = _WholeLog(
                TreeCheck(known, self.findings), self.findings
            )
        else:
            self._compare_kept(newest, kept)
            places = _PartOfLog(newest, self.findings)
        cuts = any(manifest["scope"][name] is not None for name in ("since", "until"))
        file = ENTRY_FILES[manifest["form"]]
        with _Shares(self.folder / file) as shares:
            reader = _EntryReader(shares, self.findings, self.tolerance)
            rows = self._read_log(file, places, reader, progress)
            if rows != manifest["rows"]:
                what = f"it has {rows} lines; the manifest says {manifest['rows']}"
                self.findings.add(file, what)
            parcels = sum(_replay(lines, rules, self.findings, cuts=cuts) for lines in shares)
        return Verification(
            rows=reader.counts[TRANSITION.name],
            fulfillments=parcels,
            problems=tuple(self.findings.problems),
            sealed=rows,
            kinds=dict(sorted(reader.counts.items())),
            checkpoints=len(known),
            remarks=tuple(self.findings.remarks),
        )

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def _manifest(self) -> dict[str, Any]:
        if not (self.folder / MANIFEST).is_file():
            raise InvalidInput(f"{self.folder} is no export: it has no {MANIFEST}.")
        try:
            manifest: dict[str, Any] = json.loads(self._text(MANIFEST))
            form, scope = manifest["form"], manifest["scope"]
            known = form in ENTRY_FILES and isinstance(manifest["whole"], bool)
            if not known or not {"since", "until"} <= set(scope) or "rows" not in manifest:
                raise InvalidInput(f"This version cannot read exports of the form {form!r}.")
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(f"{MANIFEST} cannot be read; the export is damaged.") from error
        return manifest

    def _check_sums(self) -> None:
        for line in self._text(SUMS).splitlines():
            value, _, name = line.partition("  ")
            file = self.folder / Path(name).name
            if not file.is_file():
                self.findings.add(name, "it is missing")
                continue
            with file.open("rb") as opened:
                if file_digest(opened, "sha256").hexdigest() != value:
                    self.findings.add(name, f"its bytes are not those that {SUMS} names")

    def _definitions(self) -> Iterator[tuple[str, str, None]]:
        for line in self._text(DEFINITIONS).splitlines():
            yield sha256(line.encode()).hexdigest(), line, None

    def _read_log(
        self,
        file: str,
        places: _WholeLog | _PartOfLog,
        reader: _EntryReader,
        progress: Callable[[int], None],
    ) -> int:
        count = 0
        entries, index = self.folder / file, self.folder / PLACES
        with entries.open("rb", BUFFER) as lines, index.open("rb", BUFFER) as stated:
            pairs = zip_longest(lines, stated, fillvalue=b"")
            for count, (line, place) in enumerate(pairs, 1):
                text = line.removesuffix(b"\n")
                places.add(count, text, place)
                reader.add(count, text)
                if count % AT_ONCE == 0:
                    progress(count)
        places.finish()
        return count

    def _compare_kept(self, newest: Checkpoint, kept: Iterable[KeptCheckpoint]) -> None:
        """Compare older checkpoints with the one that a part of the log stands on."""
        proofs = self._consistency()
        for each in kept:
            seen, where = each.seen, f"{each.where} {each.seen.size}"
            proof = proofs.get(seen.size)
            if seen.size > newest.size:
                what = f"it covers {seen.size} entries, the log only {newest.size}: "
                self.findings.add(where, what + "it was rolled back or cut off", elsewhere=True)
            elif seen.size == newest.size:
                if seen.root != newest.root:
                    self.findings.add(where, "the export stands on another history", elsewhere=True)
            elif proof is None:
                self.findings.remarks.append(
                    f"The checkpoint of {seen.size} entries in {each.where} could not be compared; "
                    "ask for an export with --checkpoint and that file."
                )
            elif not proof.holds(seen) or proof.checkpoint.checkpoint != newest:
                what = f"the first {seen.size} entries are not those it covers: "
                self.findings.add(
                    where, what + "another history was put in their place", elsewhere=True
                )

    def _consistency(self) -> dict[int, Consistency]:
        if not (self.folder / CONSISTENCY).is_file():
            return {}
        parts = self._text(CONSISTENCY).split("\n\nold ")
        first = parts[0].removeprefix("old ")
        proofs = [Consistency.parse(f"old {part.rstrip()}\n") for part in (first, *parts[1:])]
        return {proof.old_size: proof for proof in proofs}


class _WholeLog:
    """Builds the tree from the places of every line, which must leave none out."""

    def __init__(self, tree: TreeCheck, findings: Findings) -> None:
        self._tree = tree
        self._findings = findings
        self._leaves: list[bytes] = []

    def add(self, number: int, text: bytes, place: bytes) -> None:
        """Take in the next line, and what is said of its place."""
        leaf = sha256(b"\x00" + text).digest()
        if place != b"%d %b\n" % (number - 1, b2a_base64(leaf, newline=False)):
            leaf = self._stated(number, leaf, place)
        self._leaves.append(leaf)
        if len(self._leaves) == AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Compare the end."""
        self._flush()
        self._tree.finish()

    def _stated(self, number: int, leaf: bytes, place: bytes) -> bytes:
        """Say what is wrong, and go on with the leaf that the place names, if it names one."""
        found = PLACE.fullmatch(place)
        if found is None or int(found[1]) != number - 1:
            self._findings.add(f"line {number}", f"place {number - 1} of the log is missing")
        if found is None or b2a_base64(leaf, newline=False) == found[2]:
            return leaf
        self._findings.add(f"line {number}", CHANGED)
        return a2b_base64(found[2])

    def _flush(self) -> None:
        self._tree.add(self._leaves)
        self._leaves = []


class _PartOfLog:
    """Follows the proof of each line to the root that was signed."""

    def __init__(self, newest: Checkpoint, findings: Findings) -> None:
        self._newest = newest
        self._findings = findings
        self._last = -1

    def add(self, number: int, text: bytes, place: bytes) -> None:
        """Take in the next line, and what is said of its place."""
        found = PLACE.fullmatch(place)
        if found is None:
            self._findings.add(f"line {number}", "its place in the log is missing")
            return
        index, leaf = int(found[1]), sha256(b"\x00" + text).digest()
        if index <= self._last:
            self._findings.add(f"line {number}", "it stands in another order than in the log")
        self._last = index
        path = [a2b_base64(each) for each in found[3].split()]
        if b2a_base64(leaf, newline=False) != found[2]:
            self._findings.add(f"line {number}", CHANGED)
        elif root_of_proof(leaf, index, self._newest.size, path) != self._newest.root:
            what = f"its proof does not lead to the checkpoint of {self._newest.size} entries: "
            self._findings.add(f"line {number}", what + "it never stood in this log")

    def finish(self) -> None:
        """Nothing is owed at the end: a part of a log can be any part."""


class _EntryReader:
    """Takes in the lines in their order: steps go to their parcels, of all the moment counts."""

    def __init__(self, shares: _Shares, findings: Findings, tolerance: timedelta) -> None:
        self.counts: Counter[str] = Counter()
        self._shares = shares
        self._findings = findings
        self._times = TimeCheck(findings, tolerance=tolerance, unit="line")

    def add(self, number: int, text: bytes) -> None:
        """Take in the next line."""
        name = kind_of(text)
        is_step = name is None
        column = MOMENTS.get(TRANSITION.name if name is None else name)
        if is_step:
            self._shares.add(number, text)
        elif column is None or not is_flat(text):
            self._findings.add(f"line {number}", "it is no entry in its canonical form")
            return
        self.counts[name or TRANSITION.name] += 1
        moment = moment_of(text, column or "")
        if moment is not None and STAMP.fullmatch(moment):
            self._times.add(number, moment, is_step=is_step)


class _Shares:
    """The lines of a history in shares, each with every line of its parcels, on the disk."""

    def __init__(self, history: Path) -> None:
        self._count = 1 + history.stat().st_size // SHARE_BYTES
        self._stack = ExitStack()
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        buffer = max(LEAST_BUFFER, min(BUFFER, ALL_BUFFERS // self._count))
        for _ in range(self._count):
            self._files.append(self._stack.enter_context(TemporaryFile(buffering=buffer)))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, number: int, text: bytes) -> None:
        """Put a line to the others of its parcel."""
        share = zlib.crc32(parcel_of(text)) % self._count if self._count > 1 else 0
        self._files[share].write(b"%d %b\n" % (number, text))

    def __iter__(self) -> Iterator[Iterator[tuple[int, bytes]]]:
        for file in self._files:
            file.seek(0)
            yield map(_numbered, file)


def _numbered(line: bytes) -> tuple[int, bytes]:
    number, _, text = line.rstrip(b"\n").partition(b" ")
    return int(number), text


def _replay(
    lines: Iterable[tuple[int, bytes]], rules: Rules, findings: Findings, *, cuts: bool
) -> int:
    reader = ChainReader(rules, findings, partial=cuts)
    reader.read(lines)
    reader.finish()
    return reader.parcels


def _unheard(_count: int) -> None:
    """Tell nobody how far it is."""
