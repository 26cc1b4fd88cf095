"""Handing checkpoints to what keeps, stamps and cosigns them, and writing down who has which.

What is written down is what `audit verify` holds against them afterwards: an anchor that lost a
checkpoint is found by it. No database is held up by a mail server: they are called between
transactions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote, split_notes
from carrierflow.audit.log.ports import Anchor, ReadableAnchor, Witness
from carrierflow.audit.log.sql import (
    Log,
    add_anchorings,
    last_given,
    newest_checkpoint,
    unanchored,
)
from carrierflow.audit.log.tree import consistency_proof
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import Clock
from carrierflow.errors import AnchorUnavailable, HistoryBroken, InvalidInput
from carrierflow.storage import Connection, SqlStore
from carrierflow.storage.administration import administer


__all__ = ["Anchored", "Anchoring", "refuse_contradiction"]

log = logging.getLogger(__name__)

CHECKPOINTS_AT_ONCE = 100
GONE = "it no longer ends with the checkpoint of {size} entries that it was given; restore it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchored:
    """What became of the checkpoints that one anchor was still to be given."""

    anchor: str
    kept: int
    problem: AnchorUnavailable | None = None
    """Why the rest was not taken; the next seal tries again."""


class Anchoring:
    """The anchors and witnesses of a log."""

    def __init__(
        self,
        store: SqlStore,
        *,
        anchors: Sequence[Anchor],
        witnesses: Sequence[Witness],
        clock: Clock,
    ) -> None:
        self.anchors = anchors
        self.witnesses = witnesses
        self._store = store
        self._clock = clock

    def newest_kept(self) -> dict[str, Checkpoint]:
        """Return the newest checkpoint of each anchor that can be read and keeps one."""
        found = {anchor.name: _newest_kept(anchor) for anchor in self.anchors}
        return {name: seen for name, seen in found.items() if seen is not None}

    def give(self) -> tuple[Anchored, ...]:
        """Give every anchor what it has not got yet, and let the witnesses cosign the newest."""
        done = [self._give(anchor) for anchor in self.anchors]
        done += [self._let_cosign(witness) for witness in self.witnesses]
        for each in done:
            if each.problem is not None:
                log.warning("carrierflow.not_anchored", extra={"anchor": each.anchor})
        return tuple(done)

    def _give(self, anchor: Anchor) -> Anchored:
        with self._store.reading() as connection:
            waiting = list(unanchored(connection, anchor.name))
            given = last_given(connection, anchor.name)
        if given is not None and not _still_has(anchor, given[1]):
            problem = AnchorUnavailable(anchor.name, GONE.format(size=given[0]))
            return Anchored(anchor=anchor.name, kept=0, problem=problem)
        kept = 0
        while kept < len(waiting):
            some = waiting[kept : kept + CHECKPOINTS_AT_ONCE]
            answer = _given(anchor, some)
            if isinstance(answer, AnchorUnavailable):
                return Anchored(anchor=anchor.name, kept=kept, problem=answer)
            self._write_down(anchor.name, some, answer, first=given is None and kept == 0)
            kept += len(some)
        return Anchored(anchor=anchor.name, kept=kept)

    def _let_cosign(self, witness: Witness) -> Anchored:
        with self._store.reading() as connection:
            given, note = last_given(connection, witness.name), newest_checkpoint(connection)
        size = 0 if note is None else note.checkpoint.size
        seen = 0 if given is None else given[0]
        if note is None or seen == size:
            return Anchored(anchor=witness.name, kept=0)
        try:
            line = self._cosigned(witness, seen, note)
        except AnchorUnavailable as error:
            return Anchored(anchor=witness.name, kept=0, problem=error)
        self._write_down(witness.name, [(size, str(note))], [line], first=given is None)
        return Anchored(anchor=witness.name, kept=1)

    def _cosigned(self, witness: Witness, seen: int, note: SignedNote) -> str:
        """Ask a witness; one that remembers another size is asked again from there."""
        answer = witness.cosign(seen, self._path(seen, note), note)
        if isinstance(answer, int):
            if answer > note.checkpoint.size:
                reason = f"it has seen a log of {answer} entries, and this one has fewer"
                raise AnchorUnavailable(witness.name, reason)
            answer = witness.cosign(answer, self._path(answer, note), note)
        if isinstance(answer, int):
            raise AnchorUnavailable(witness.name, "it names another size each time")
        return answer

    def _path(self, old: int, note: SignedNote) -> list[bytes]:
        with self._store.reading() as connection:
            return consistency_proof(Log(connection).subtree, old, note.checkpoint.size)

    def _write_down(
        self,
        name: str,
        some: Sequence[tuple[int, str]],
        receipts: Sequence[str] | None,
        *,
        first: bool,
    ) -> None:
        now, sizes = self._clock(), [size for size, _ in some]

        def work(connection: Connection) -> None:
            add_anchorings(connection, name, sizes, receipts=receipts, now=now)
            if first:
                kind = AdministrationKind.ANCHOR
                administer(connection, kind, now=now, subject=name)

        self._store.transact(work)


def refuse_contradiction(tree: Log, kept: Mapping[str, Checkpoint]) -> None:
    """Compare a log with the newest checkpoints that anchors keep, by their names.

    Raises:
        HistoryBroken: if one is of another history than this, or of more of it.
    """
    size = tree.size
    for name, seen in kept.items():
        if seen.size > size or tree.root(seen.size) != seen.root:
            raise HistoryBroken(
                f"The {name} anchor keeps a checkpoint of {seen.size} entries that is none of "
                "this log, so nothing is signed; `carrierflow audit verify` says more."
            )


def _given(
    anchor: Anchor, checkpoints: Sequence[tuple[int, str]]
) -> Sequence[str] | AnchorUnavailable | None:
    """Give an anchor some checkpoints; return its receipts, or why it did not take them.

    An anchor of somebody else may raise whatever it likes, and one that fails keeps neither the
    next one from its checkpoint nor a run from its end.
    """
    try:
        return anchor.keep(checkpoints)
    except AnchorUnavailable as error:
        return error
    except Exception as error:  # noqa: BLE001 - whatever an anchor raises, without its text
        return AnchorUnavailable(anchor.name, type(error).__name__)


def _still_has(anchor: Anchor, note: str) -> bool:
    """Tell whether an anchor has the last note that it was given, as far as it can be read."""
    if not isinstance(anchor, ReadableAnchor):
        return True
    text = anchor.kept(newest=True)
    return text is not None and note in split_notes(text)


def _newest_kept(anchor: Anchor) -> Checkpoint | None:
    """Return the last checkpoint that an anchor keeps, if it can be read; whoever signed it."""
    text = anchor.kept(newest=True) if isinstance(anchor, ReadableAnchor) else None
    notes = list(split_notes(text)) if text else []
    try:
        return SignedNote.parse(notes[-1]).checkpoint if notes else None
    except InvalidInput:
        return None
