"""What the database gave to anchors and witnesses, and whether they still have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from carrierflow.audit.log.anchoring import Anchoring
from carrierflow.audit.log.checkpoint import SignedNote
from carrierflow.audit.log.kept import KeptCheckpoint, kept_in
from carrierflow.audit.log.ports import ReadableAnchor, StampingAnchor
from carrierflow.audit.log.sql import Given, all_given, anchors_told
from carrierflow.audit.verify.replay import Findings
from carrierflow.errors import InvalidInput
from carrierflow.storage import Connection


__all__ = ["ANCHOR", "AnchorCheck", "check_times"]

ANCHOR = "anchored checkpoint"


@dataclass(frozen=True, kw_only=True, slots=True)
class AnchorCheck:
    """Compares anchors with what is written of them."""

    anchoring: Anchoring
    tolerance: timedelta
    retired: Collection[str]
    """The names of anchors that are used no longer, and need not be there."""
    findings: Findings

    def look_at(
        self, connection: Connection, kept_here: Sequence[KeptCheckpoint]
    ) -> list[KeptCheckpoint]:
        """Say what is missing, cut off, exchanged or unset; return what anchors keep.

        `kept_here` are the checkpoints that lie beside the log.
        """
        own = {each.seen.size: str(each.note) for each in kept_here}
        grouped = groupby(all_given(connection), key=lambda each: each.anchor)
        given = {name: list(some) for name, some in grouped}
        for name in anchors_told(connection):
            given.setdefault(name, [])
        self._find_unset(given)
        kept: list[KeptCheckpoint] = []
        for anchor in self.anchoring.anchors:
            if isinstance(anchor, ReadableAnchor):
                kept += self._compare(anchor, given.get(anchor.name), own)
            elif isinstance(anchor, StampingAnchor):
                self._find_stamps(anchor, given.get(anchor.name, ()))
            elif given.get(anchor.name):
                self._remind(anchor.name, len(given[anchor.name]))
        self._find_cosignatures(given, own)
        return kept

    def _find_unset(self, given: Mapping[str, Sequence[Given]]) -> None:
        named = {each.name for each in self.anchoring.anchors}
        named |= {each.name for each in self.anchoring.witnesses}
        for name, some in given.items():
            what = f"it was given {len(some)} checkpoints, and no setting names it any more"
            if not some:
                what = "it was given checkpoints, and which is written down no longer"
            if name in self.retired:
                self.findings.remarks.append(f"The {name} anchor is retired: {what}.")
            elif name not in named or not some:
                self._add(f"anchor {name}", what)

    def _compare(
        self, anchor: ReadableAnchor, given: Sequence[Given] | None, own: Mapping[int, str]
    ) -> list[KeptCheckpoint]:
        where, text = f"anchor {anchor.name}", anchor.kept()
        if text is None:
            if given:
                self._add(where, f"it is gone, with the {len(given)} checkpoints that it was given")
            return []
        try:
            kept = kept_in(text, where=ANCHOR)
        except InvalidInput as error:
            self._add(where, f"it cannot be read: {error}")
            return []
        notes = {str(each.note) for each in kept}
        lost = [each.size for each in given or () if each.note not in notes]
        if lost:
            what = f"{len(lost)} checkpoints that it was given are gone, the first of {lost[0]}"
            self._add(where, f"{what} entries: it was cut off or exchanged")
        for each in kept:
            if each.seen.size not in own and each.seen.size < max(own, default=0):
                what = "the database has no such checkpoint: it was taken out"
                self._add(f"{ANCHOR} {each.seen.size}", what)
        return kept

    def _find_stamps(self, anchor: StampingAnchor, given: Sequence[Given]) -> None:
        """Every stamp must be of its checkpoint, and not from before it was signed."""
        for each in given:
            if each.receipt is None:
                continue
            where, note = f"{anchor.name} {each.size}", SignedNote.parse(each.note)
            moment, signed = anchor.when_stamped(note, each.receipt), note.checkpoint.at
            if moment is None:
                self._add(where, "it is no time-stamp of this checkpoint: it was forged")
            elif signed is not None and signed - moment > self.tolerance:
                self._add(where, "it was stamped before the moment at which it says it was signed")

    def _remind(self, name: str, count: int) -> None:
        self.findings.remarks.append(
            f"The {name} anchor was given {count} checkpoints and cannot be read from here; "
            "compare what it keeps with --checkpoint."
        )

    def _find_cosignatures(
        self, given: Mapping[str, Sequence[Given]], own: Mapping[int, str]
    ) -> None:
        """The newest checkpoint must bear the cosignature of every witness that is named."""
        newest = max(own, default=0)
        for witness in self.anchoring.witnesses:
            receipts = {each.size: each for each in given.get(witness.name, ())}
            if newest and newest not in receipts:
                self._add(witness.name, f"it did not cosign the checkpoint of {newest} entries")
            for size, each in receipts.items():
                if witness.when_cosigned(SignedNote.parse(each.note), each.receipt or "") is None:
                    self._add(witness.name, f"its cosignature under {size} entries is forged")

    def _add(self, where: str, what: str) -> None:
        self.findings.add(where, what, elsewhere=True)


def check_times(
    notes: Sequence[SignedNote], findings: Findings, tolerance: timedelta
) -> list[tuple[int, datetime]]:
    """Return when checkpoints were signed, by size; their times must run forward."""
    said = [(seen.size, seen.at) for seen in (note.checkpoint for note in notes) if seen.at]
    latest: datetime | None = None
    for size, moment in said:
        if latest is not None and latest - moment > tolerance:
            what = f"it says {moment:%Y-%m-%dT%H:%M:%SZ}, before one of fewer entries"
            findings.add(f"checkpoint {size}", what)
        latest = max(latest or moment, moment)
    return said
