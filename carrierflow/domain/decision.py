"""What became of an incident, from its decisions alone: each change of one is such a row.

Who opened it, who looks after it, how it ended: an incident's own row says so as well, and has to
say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


__all__ = ["DecisionKind", "IncidentDecision", "IncidentStanding", "standing_after"]


class DecisionKind(StrEnum):
    """What was done to an incident."""

    OPENED = "opened"
    """Its cause was met for the first time."""
    SEEN = "seen"
    """It was met again, and what was found is something else than before."""
    ASSIGNED = "assigned"
    """Somebody looks after it."""
    RESOLVED = "resolved"
    """A person decided."""
    RESUMED = "resumed"
    """A person took back that its fulfillment was abandoned."""
    CLOSED = "closed"
    """A run did not meet its cause any more."""
    REOPENED = "reopened"
    """Its cause was met after it was over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentDecision:
    """One change of an incident, as it was written."""

    number: int
    """Its place among those of one incident, from 1 on."""
    what: DecisionKind
    evidence_digest: str
    content_digest: str | None
    """Of the sentence and the evidence together, where these are new."""
    action: str | None
    owner: str | None
    actor: str | None
    reason: str | None
    decided_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentStanding:
    """How an incident stands."""

    state: str = ""
    """Empty before it is opened."""
    evidence_digest: str = ""
    content_digest: str | None = None
    opened_at: datetime | None = None
    owner: str | None = None
    action: str | None = None
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolved_reason: str | None = None


def standing_after(decisions: Iterable[IncidentDecision]) -> IncidentStanding:
    """Say how an incident stands after its decisions, which come in the order of their numbers."""
    standing = IncidentStanding()
    for decision in decisions:
        standing = _STEPS[decision.what](standing, decision)
    return standing


def _opened(_: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return _seen(IncidentStanding(state="open", opened_at=decision.decided_at), decision)


def _seen(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return replace(
        standing,
        evidence_digest=decision.evidence_digest,
        content_digest=decision.content_digest or standing.content_digest,
    )


def _assigned(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return replace(standing, owner=decision.owner)


def _ended(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return replace(
        standing,
        state="resolved",
        action=decision.action,
        resolved_at=decision.decided_at,
        resolved_by=decision.actor,
        resolved_reason=decision.reason,
    )


def _reopened(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    opened = IncidentStanding(state="open", opened_at=standing.opened_at, owner=standing.owner)
    return _seen(replace(opened, content_digest=standing.content_digest), decision)


_STEPS: Mapping[DecisionKind, Callable[[IncidentStanding, IncidentDecision], IncidentStanding]] = {
    DecisionKind.OPENED: _opened,
    DecisionKind.SEEN: _seen,
    DecisionKind.ASSIGNED: _assigned,
    DecisionKind.RESOLVED: _ended,
    DecisionKind.RESUMED: _ended,
    DecisionKind.CLOSED: _ended,
    DecisionKind.REOPENED: _reopened,
}
