"""What is told of one way to change history."""

from __future__ import annotations

from dataclasses import dataclass


__all__ = ["EVERY", "Protection"]

EVERY = "*"
"""Stands for all append-only tables at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """What became of one try: whether the hole is closed, and by what."""

    hole: str
    table: str
    protected: bool
    sentence: str
    inherent: bool = False
    """Whether nothing on this kind of database can close it."""

    @classmethod
    def judged(cls, hole: str, table: str, *, wrong: str | None, right: str) -> Protection:
        """Say of a hole what is wrong; where nothing is, that it is closed, and by what."""
        return cls(hole=hole, table=table, protected=wrong is None, sentence=wrong or right)
