"""Proofs that stand alone: one entry in a checkpoint, one checkpoint in a later one.

They are written as C2SP writes them: `tlog-proof` for an entry, and for two checkpoints the
body in which `tlog-witness` asks for a signature.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from carrierflow.audit.log.checkpoint import ROOT_BYTES, Checkpoint, SignedNote, decoded
from carrierflow.audit.log.tree import is_consistent, leaf_hash, root_of_proof
from carrierflow.errors import InvalidInput


__all__ = ["Consistency", "Proof"]

FORM = "c2sp.org/tlog-proof@v1"
HEAD = re.compile(rf"{re.escape(FORM)}\nextra (\S+)\nindex (0|[1-9][0-9]{{0,18}})((?:\n\S+)*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """That one entry stands at one place of a log, as a checkpoint says."""

    entry: str
    """The canonical text of the entry, whose bytes are the leaf."""
    index: int
    path: tuple[bytes, ...]
    checkpoint: SignedNote

    @property
    def holds(self) -> bool:
        """Tell whether the path leads from the entry to the checkpoint's root."""
        seen = self.checkpoint.checkpoint
        leaf = leaf_hash(self.entry.encode())
        return root_of_proof(leaf, self.index, seen.size, self.path) == seen.root

    def __str__(self) -> str:
        extra = base64.b64encode(self.entry.encode()).decode()
        head = f"{FORM}\nextra {extra}\nindex {self.index}\n"
        return f"{head}{_lines(self.path)}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof that carries its entry.

        Raises:
            InvalidInput: if it is none.
        """
        above, _, below = text.partition("\n\n")
        found = HEAD.fullmatch(above)
        if found is None:
            raise InvalidInput("This is no proof of an entry that carries the entry itself.")
        try:
            entry = base64.b64decode(found[1], validate=True).decode()
        except ValueError as error:
            raise InvalidInput("The entry in this proof cannot be read.") from error
        path = found[3].split("\n")[1:]
        return cls(
            entry=entry,
            index=int(found[2]),
            path=tuple(decoded(line, of=ROOT_BYTES) for line in path),
            checkpoint=SignedNote.parse(below),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Consistency:
    """That a log at one checkpoint is the beginning of the log at a later one."""

    old_size: int
    path: tuple[bytes, ...]
    checkpoint: SignedNote

    def holds(self, old: Checkpoint) -> bool:
        """Tell whether the path leads from the older checkpoint to the later one."""
        seen = self.checkpoint.checkpoint
        return self.old_size == old.size and is_consistent(
            (old.size, old.root), (seen.size, seen.root), self.path
        )

    def __str__(self) -> str:
        return f"old {self.old_size}\n{_lines(self.path)}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> Consistency:
        """Read such a proof.

        Raises:
            InvalidInput: if it is none.
        """
        above, _, below = text.partition("\n\n")
        old, *path = above.split("\n")
        if not old.startswith("old ") or not old.removeprefix("old ").isdecimal():
            raise InvalidInput("This is no proof that one checkpoint continues another.")
        return cls(
            old_size=int(old.removeprefix("old ")),
            path=tuple(decoded(line, of=ROOT_BYTES) for line in path),
            checkpoint=SignedNote.parse(below),
        )


def _lines(path: Sequence[bytes]) -> str:
    return "".join(f"{base64.b64encode(step).decode()}\n" for step in path)
