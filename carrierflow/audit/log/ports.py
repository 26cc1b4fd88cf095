"""What the log asks of the world outside; an anchor of a host's own owes exactly this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


__all__ = ["Anchor"]


class Anchor(Protocol):
    """A place outside of the database that keeps checkpoints."""

    @property
    def name(self) -> str:
        """How it is called in reports; each kind is there once."""
        ...

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """Keep some checkpoints, by size and signed note, oldest first; again does no harm.

        Raises:
            AnchorUnavailable: if it cannot; the same ones then come again.
        """
        ...
