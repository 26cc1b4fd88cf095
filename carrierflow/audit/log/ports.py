"""What the log asks of the world outside; an anchor of a host's own owes exactly this."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from carrierflow.audit.log.checkpoint import SignedNote


__all__ = ["Anchor", "ReadableAnchor", "StampingAnchor", "Witness"]


class Anchor(Protocol):
    """A place outside of the database that keeps checkpoints."""

    @property
    def name(self) -> str:
        """How it is called in reports; each kind is there once."""
        ...

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> Sequence[str] | None:
        """Keep some checkpoints, by size and signed note, oldest first; again does no harm.

        It may return a receipt for each, text that is kept beside the checkpoint and exported.

        Raises:
            AnchorUnavailable: if it cannot; the same ones then come again.
        """
        ...


@runtime_checkable
class ReadableAnchor(Protocol):
    """An anchor that can be asked what it keeps."""

    @property
    def name(self) -> str:
        """How it is called in reports."""
        ...

    def kept(self, *, newest: bool = False) -> str | None:
        """Return the notes that it keeps, or the newest of them; None if it cannot be read."""
        ...


@runtime_checkable
class StampingAnchor(Protocol):
    """An anchor whose receipts say by somebody else's clock when a checkpoint was there."""

    @property
    def name(self) -> str:
        """How it is called in reports."""
        ...

    def when_stamped(self, note: SignedNote, receipt: str) -> datetime | None:
        """Return when a receipt says that a checkpoint was there; None if it is none of it."""
        ...


class Witness(Protocol):
    """Somebody else who signs each checkpoint that continues what he signed before."""

    @property
    def name(self) -> str:
        """How it is called in reports: `witness:` and the hash of its key."""
        ...

    def when_cosigned(self, note: SignedNote, line: str) -> datetime | None:
        """Return when a signature line under a note was made; None if it is not by its key."""
        ...

    def cosign(self, old: int, path: Sequence[bytes], note: SignedNote) -> str | int:
        """Return its signature line under a checkpoint, or which size it has seen instead.

        `path` proves that the checkpoint continues the `old` size.

        Raises:
            AnchorUnavailable: if it cannot be reached, or does not sign.
        """
        ...
