"""Where what happened is pushed to, and how far each of these places has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


__all__ = ["DestinationStanding"]


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationStanding:
    """How far a destination has what happened; times are aware, UTC."""

    destination: str
    """Its host, and what tells it from others there; its whole address may be a secret."""
    position: int | None = None
    """The last place of the log that it has, with all before; None if it has nothing yet."""
    sending: int | None = None
    """Up to which place it may have it already: what was sent, and not answered well."""
    behind: int = 0
    """How many places of the log are given behind that; not each of them holds news."""
    delivered_at: datetime | None = None
    """When it last took something."""
    failures: int = 0
    """How many tries in a row failed."""
    failing_since: datetime | None = None
    retry_at: datetime | None = None
    """Until when it is left alone, unless somebody names it."""
    problem: str | None = None
    """Why the last try failed; nothing of its answer is in it."""
    gone_at: datetime | None = None
    """When it said that it is gone for good, by status 410; it is tried only if it is named."""

    def needs_somebody(self, now: datetime, *, longest: timedelta) -> bool:
        """Tell whether it is gone, or has failed for longer than that."""
        failing = self.failing_since is not None and now - self.failing_since > longest
        return self.gone_at is not None or failing
