"""Comparing a log with its checkpoints: those it came with, and those that others kept.

The leaves stream by in the order of the log; at each size that a checkpoint speaks of, the root
must be the one that was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from carrierflow.audit.log.checkpoint import (
    Checkpoint,
    SignatureCheck,
    SignedNote,
    VerifierKey,
    split_notes,
)
from carrierflow.audit.log.tree import Frontier
from carrierflow.audit.verify.replay import Findings
from carrierflow.errors import InvalidInput


__all__ = [
    "OWN",
    "Expected",
    "KeptCheckpoint",
    "TreeCheck",
    "Trust",
    "kept_in",
    "leaf_in",
    "own_in",
]

OWN = "checkpoint"
"""How a checkpoint is called that came with the log itself."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptCheckpoint:
    """A checkpoint, and where it was found."""

    where: str
    note: SignedNote

    @property
    def seen(self) -> Checkpoint:
        """What it says of the log."""
        return self.note.checkpoint

    @property
    def elsewhere(self) -> bool:
        """Tell whether it did not come with the log itself."""
        return self.where != OWN


def kept_in(text: str, *, where: str) -> list[KeptCheckpoint]:
    """Return the checkpoints of a file of notes.

    Raises:
        InvalidInput: if it is no such file.
    """
    try:
        found = [
            KeptCheckpoint(where=where, note=SignedNote.parse(note)) for note in split_notes(text)
        ]
        for each in found:
            each.note.checkpoint  # noqa: B018
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None
    return found


def own_in(rows: Iterable[tuple[int, str, str]], findings: Findings) -> list[KeptCheckpoint]:
    """Return the checkpoints that lie beside the log: of each its size, its root and its note.

    One whose note is none, or says otherwise than the row, is named.
    """
    own: list[KeptCheckpoint] = []
    for size, root, note in rows:
        where = f"{OWN} {size}"
        try:
            (kept,) = kept_in(note, where=OWN)
        except (TypeError, ValueError):
            findings.add(where, "its note is none: it was changed")
            continue
        if (size, root) != (kept.seen.size, kept.seen.root.hex()):
            findings.add(where, "its note is of another size or root: one of them was changed")
        own.append(kept)
    return own


def leaf_in(text: object) -> bytes:
    """Return a hash as it is written; of what is none, one that no entry has."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """The keys whose signatures count, and how a signature is checked."""

    keys: Sequence[VerifierKey]
    check: SignatureCheck

    def look_at(self, kept: Iterable[KeptCheckpoint], findings: Findings) -> None:
        """Check the signature under each checkpoint; without keys, say that none was."""
        kept = list(kept)
        if kept and not self.keys:
            findings.remarks.append(
                "No signature was checked, for no verifier key was given; get it from the "
                "carrier by another way than the history."
            )
            return
        for each in kept:
            if not each.note.is_signed_by(self.keys, self.check):
                where = f"{each.where} {each.seen.size}"
                what = "its signature is not by the verifier key: it was forged"
                findings.add(where, what, elsewhere=each.elsewhere)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """A root that a log must have at some size, and what is said if it has another one."""

    size: int
    root: bytes
    where: str
    other: str
    """What is said if the first entries are not those that the root is over."""
    short: str
    """What is said if the log has fewer; it may name its `{size}`."""
    elsewhere: bool = False
    """Whether it was kept elsewhere."""


def _expected(kept: KeptCheckpoint) -> Expected:
    size = kept.seen.size
    return Expected(
        size=size,
        root=kept.seen.root,
        where=f"{kept.where} {size}",
        other=f"the first {size} entries are not those it covers: "
        "another history was put in their place",
        short=f"it covers {size} entries, the log only {{size}}: it was rolled back or cut off",
        elsewhere=kept.elsewhere,
    )


class TreeCheck:
    """Builds the tree from its leaves, and compares it with each checkpoint on the way."""

    def __init__(
        self,
        kept: Iterable[KeptCheckpoint],
        findings: Findings,
        *,
        more: Iterable[Expected] = (),
    ) -> None:
        """`more` are roots beside those of checkpoints."""
        self._findings = findings
        self._frontier = Frontier()
        wanted = sorted([*map(_expected, kept), *more], key=lambda each: each.size)
        sizes = groupby(wanted, key=lambda each: each.size)
        self._waiting = [(size, list(group)) for size, group in sizes][::-1]

    @property
    def size(self) -> int:
        """How many leaves went by."""
        return self._frontier.size

    def add(self, leaves: Sequence[bytes]) -> None:
        """Take in the next leaves."""
        frontier = self._frontier
        self._compare()
        while self._waiting and self._waiting[-1][0] <= frontier.size + len(leaves):
            due = self._waiting[-1][0] - frontier.size
            frontier.extend(leaves[:due])
            leaves = leaves[due:]
            self._compare()
        frontier.extend(leaves)

    def finish(self) -> None:
        """Name what speaks of more than there is."""
        self._compare()
        for _, wanted in reversed(self._waiting):
            for each in wanted:
                self._findings.add(
                    each.where, each.short.format(size=self.size), elsewhere=each.elsewhere
                )

    def _compare(self) -> None:
        while self._waiting and self._waiting[-1][0] == self._frontier.size:
            _, wanted = self._waiting.pop()
            root = self._frontier.root()
            for each in wanted:
                if each.root != root:
                    self._findings.add(each.where, each.other, elsewhere=each.elsewhere)
