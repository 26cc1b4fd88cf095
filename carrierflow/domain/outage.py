"""A platform that has been silent for long, and whom that concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


__all__ = ["Outage"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outage:
    """A host that has not answered for long: for all of its shops that are active, or for some."""

    host: str
    shops: tuple[str, ...]
    """The codes of the shops that it concerns, in their order."""
    whole: bool
    """Whether no shop there has an answer; if not, others there have."""
    since: datetime
    """When the last answer came; where none ever did, when the shop was connected."""
    sentence: str
    """What the last run said that asked in vain."""
