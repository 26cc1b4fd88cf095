"""One run at one shop, as it was written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


__all__ = ["PastRun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """A run that began, whether or not it has ended."""

    id: str
    shop: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    """Why it ended; `cut_off` if it did not and no longer holds its shop; None under way."""
    sentence: str | None
    """What went wrong, where something did."""
    failed: bool
    """Whether it could not do its work: no run that ended well, or is under way, or gave way."""
    counters: Mapping[str, int]
    """What it counted; empty if it did not end."""
