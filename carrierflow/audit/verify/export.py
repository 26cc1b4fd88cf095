"""Verifying an export alone: no database, no network, and as little memory for a million rows.

The lines are read twice. First in the order of the log: each against its place, all of them
against the roots that were signed. Then parcel by parcel: for that they are brought together in
temporary files of which one at a time is held.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

from carrierflow.audit.export.format import (
    CHECKPOINTS,
    CONSISTENCY,
    DEFINITIONS,
    LEFT_OUT,
    PLACES,
    TIMESTAMPS,
)
from carrierflow.audit.export.spreadsheet import TERMS
from carrierflow.audit.export.totals import Totals
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.entry_kinds import KINDS, TRANSITION
from carrierflow.audit.log.kept import OWN, KeptCheckpoint, TreeCheck, Trust, kept_in
from carrierflow.audit.log.proof import Consistency
from carrierflow.audit.log.timestamps import TimestampAuthority
from carrierflow.audit.log.witness import WitnessKey
from carrierflow.audit.verify.export_manifest import ExportManifest
from carrierflow.audit.verify.export_places import PartOfLog, ProvenLines, WholeLog
from carrierflow.audit.verify.kept_elsewhere import check_times
from carrierflow.audit.verify.lines import (
    NO_ENTRY,
    ChainReader,
    is_flat,
    kind_of,
    moment_of,
    parcel_of,
)
from carrierflow.audit.verify.replay import Findings, Rules, Verification
from carrierflow.audit.verify.time_order import TOLERANCE, TimeCheck
from carrierflow.domain.waiting import unheard
from carrierflow.errors import InvalidInput


__all__ = ["Expectations", "verify_export"]

MOMENTS = {kind.name: kind.moment for kind in KINDS}
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
SHARE_BYTES = 16 * 1024 * 1024
"""About how much of the history is held at once."""

AT_ONCE = 2_000
BUFFER = 128 * 1024
ALL_BUFFERS = 8 * BUFFER
"""What the files of all shares may buffer together: a longer history has more of them."""

LEAST_BUFFER = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectations:
    """What somebody who verifies an export brings along: keys, checkpoints, whom to believe."""

    trust: Trust
    kept: Sequence[KeptCheckpoint] = ()
    witnesses: Sequence[WitnessKey] = ()
    """Those who must have cosigned the checkpoint."""
    stamps: TimestampAuthority | None = None
    """Whose time-stamps count."""
    tolerance: timedelta = TOLERANCE
    unauthenticated: bool = False
    """Whether an export of which no signature was checked may be in order."""


def verify_export(
    folder: Path, expected: Expectations, *, progress: Callable[[int], None] | None = None
) -> Verification:
    """Replay an export and compare it with its manifest, its checkpoints and those that were kept.

    Raises:
        InvalidInput: if it is no export, or a file of it cannot be read.
    """
    try:
        return _Export(folder, expected, Findings()).verify(progress or unheard)
    except OSError as error:
        raise InvalidInput(f"The export cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("The export cannot be read: a file of it is no text.") from error


@dataclass(frozen=True, slots=True)
class _Export:
    """One directory, and what is found in it."""

    folder: Path
    expected: Expectations
    findings: Findings

    def verify(self, progress: Callable[[int], None]) -> Verification:
        """Look at everything."""
        manifest = ExportManifest.read(self.folder)
        rules = Rules(self._definitions(), self.findings)
        own = kept_in(self._text(CHECKPOINTS), where=OWN)
        if not own:
            raise InvalidInput("The export has no checkpoint.")
        known = [*own, *self.expected.kept]
        self.expected.trust.look_at(known, self.findings)
        newest = max(own, key=lambda each: each.seen.size)
        manifest.check_signature(newest.seen, self.expected.trust, self.findings)
        self._check_others(own, newest.note)
        tolerance = self.expected.tolerance
        signed = check_times([each.note for each in own], self.findings, tolerance)
        times = TimeCheck(self.findings, tolerance=tolerance, unit="line", signed=signed)
        with _Shares(self.folder / manifest.entries) as shares, ExitStack() as files:
            reader = _EntryReader(shares, self.findings, times)
            places = self._places(manifest, newest.seen, known, files)
            rows = self._read_log(manifest.entries, places, reader, progress)
            parcels = 0
            for lines in shares:
                counted = reader.totals.counting(lines)
                chains = ChainReader(
                    rules,
                    self.findings,
                    partial=manifest.cuts_chains,
                    agreed=manifest.is_signed_form,
                )
                parcels += _replay(counted, chains)
                reader.totals.count_parcels()
        kinds = dict(sorted(reader.counts.items()))
        figures = {"rows": rows, "left_out": newest.seen.size - rows, "kinds": kinds}
        manifest.compare(figures | {"shops": reader.totals.document()}, self.findings)
        manifest.check_sheet(self.findings)
        manifest.check_files(self.findings)
        return Verification(
            rows=reader.counts[TRANSITION.name],
            fulfillments=parcels,
            problems=tuple(self.findings.problems),
            sealed=rows,
            kinds=kinds,
            checkpoints=len(known),
            remarks=tuple(self.findings.remarks),
            part=manifest.part,
            unauthenticated=not (self.expected.trust.keys or self.expected.unauthenticated),
        )

    def _places(
        self,
        manifest: ExportManifest,
        newest: Checkpoint,
        known: Sequence[KeptCheckpoint],
        files: ExitStack,
    ) -> WholeLog | PartOfLog | ProvenLines:
        if manifest.whole:
            return WholeLog(TreeCheck(known, self.findings), self.findings)
        self._compare_kept(newest, self.expected.kept)
        if not manifest.is_signed_form:
            return ProvenLines(newest, self.findings)
        gaps = files.enter_context((self.folder / LEFT_OUT).open("rb", BUFFER))
        return PartOfLog(newest, gaps, self.findings)

    def _check_others(self, own: Sequence[KeptCheckpoint], newest: SignedNote) -> None:
        """Look at what witnesses and authorities made of the checkpoints."""
        size = newest.checkpoint.size
        for witness in self.expected.witnesses:
            if witness.when_cosigned(newest) is None:
                what = f"it did not cosign the checkpoint of {size} entries"
                self.findings.add(f"witness {witness.name}", what, elsewhere=True)
        if not (self.folder / TIMESTAMPS).is_file():
            if self.expected.stamps is not None:
                self.findings.add(TIMESTAMPS, "no checkpoint bears a time-stamp", elsewhere=True)
            return
        if self.expected.stamps is None:
            what = "Time-stamps are there and were not checked, for no authority was named."
            self.findings.remarks.append(what)
            return
        notes = {each.seen.size: each.note for each in own}
        for line in self._text(TIMESTAMPS).splitlines():
            at, _, receipt = line.partition(" ")
            note = notes.get(int(at)) if at.isdecimal() else None
            if note is None or self.expected.stamps.when_stamped(note.text, receipt) is None:
                where, what = f"time-stamp {at}", "it is none of a checkpoint that is there"
                self.findings.add(where, what, elsewhere=True)

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def _definitions(self) -> Iterator[tuple[str, str, None]]:
        for line in self._text(DEFINITIONS).splitlines():
            yield sha256(line.encode()).hexdigest(), line, None

    def _read_log(
        self,
        file: str,
        places: WholeLog | PartOfLog | ProvenLines,
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


class _EntryReader:
    """Takes in the lines in their order: steps go to their parcels, of all the moment counts."""

    def __init__(self, shares: _Shares, findings: Findings, times: TimeCheck) -> None:
        self.counts: Counter[str] = Counter()
        self.totals = Totals()
        self._shares = shares
        self._findings = findings
        self._times = times

    def add(self, number: int, text: bytes) -> None:
        """Take in the next line."""
        name = kind_of(text)
        is_step = name is None
        column = MOMENTS.get(TRANSITION.name if name is None else name)
        if is_step:
            self._shares.add(number, text)
        elif column is None or not is_flat(text):
            self._findings.add(f"line {number}", NO_ENTRY)
            return
        elif name in TERMS:
            self._shares.add(number, text)
        else:
            self.totals.add(text)
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


def _replay(lines: Iterable[tuple[int, bytes]], chains: ChainReader) -> int:
    chains.read(lines)
    chains.finish()
    return chains.parcels
