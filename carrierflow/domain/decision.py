"""What became of an incident, from its decisions alone: each change of one is such a row.

Who opened it, who looks after it, how it ended: an incident's own row says so as well, and has to
say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from carrierflow.domain.approval import Proposal


__all__ = [
    "OPEN",
    "RESOLVED",
    "STATE_AFTER",
    "DecisionKind",
    "IncidentDecision",
    "IncidentStanding",
    "standing_after",
]

OPEN, RESOLVED = "open", "resolved"


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
    PROPOSED = "proposed"
    """A person decided, and others have to approve it first."""
    APPROVED = "approved"
    """Somebody approved what was proposed, and more have to."""
    REJECTED = "rejected"
    """What was proposed is not done, or not any more."""


STATE_AFTER: Mapping[DecisionKind, str | None] = {
    DecisionKind.OPENED: OPEN,
    DecisionKind.SEEN: None,
    DecisionKind.ASSIGNED: None,
    DecisionKind.RESOLVED: RESOLVED,
    DecisionKind.RESUMED: RESOLVED,
    DecisionKind.CLOSED: RESOLVED,
    DecisionKind.REOPENED: OPEN,
    DecisionKind.PROPOSED: None,
    DecisionKind.APPROVED: None,
    DecisionKind.REJECTED: None,
}
"""In which state each decision leaves an incident; None where it stays as it was."""


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
    approved_by: str | None = None
    facts_digest: str | None = None
    """What a proposal rests on."""


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
    proposal: Proposal | None = None
    """What waits for somebody's approval."""
    approved_by: tuple[str, ...] = ()
    """Who approved how it ended."""


def standing_after(decisions: Iterable[IncidentDecision]) -> IncidentStanding:
    """Say how an incident stands after its decisions, which come in the order of their numbers."""
    standing = IncidentStanding()
    for decision in decisions:
        standing = _STEPS[decision.what](standing, decision)
        state = STATE_AFTER[decision.what]
        standing = replace(standing, state=standing.state if state is None else state)
    return standing


def _opened(_: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return _seen(IncidentStanding(opened_at=decision.decided_at), decision)


def _seen(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return replace(
        standing,
        evidence_digest=decision.evidence_digest,
        content_digest=decision.content_digest or standing.content_digest,
    )


def _assigned(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    return replace(standing, owner=decision.owner)


def _ended(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    waited = standing.proposal.approved_by if standing.proposal else ()
    last = () if decision.approved_by is None else (*waited, decision.approved_by)
    return replace(
        standing,
        proposal=None,
        approved_by=last,
        action=decision.action,
        resolved_at=decision.decided_at,
        resolved_by=decision.actor,
        resolved_reason=decision.reason,
    )


def _reopened(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    opened = IncidentStanding(opened_at=standing.opened_at, owner=standing.owner)
    return _seen(replace(opened, content_digest=standing.content_digest), decision)


def _proposed(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    proposal = Proposal(
        action=decision.action or "",
        actor=decision.actor or "",
        reason=decision.reason or "",
        proposed_at=decision.decided_at,
        facts_digest=decision.facts_digest or "",
    )
    return replace(standing, proposal=proposal)


def _approved(standing: IncidentStanding, decision: IncidentDecision) -> IncidentStanding:
    waits = standing.proposal
    if waits is None or decision.approved_by is None:
        return standing
    by = (*waits.approved_by, decision.approved_by)
    return replace(standing, proposal=replace(waits, approved_by=by))


def _rejected(standing: IncidentStanding, _: IncidentDecision) -> IncidentStanding:
    return replace(standing, proposal=None)


_STEPS: Mapping[DecisionKind, Callable[[IncidentStanding, IncidentDecision], IncidentStanding]] = {
    DecisionKind.OPENED: _opened,
    DecisionKind.SEEN: _seen,
    DecisionKind.ASSIGNED: _assigned,
    DecisionKind.RESOLVED: _ended,
    DecisionKind.RESUMED: _ended,
    DecisionKind.CLOSED: _ended,
    DecisionKind.REOPENED: _reopened,
    DecisionKind.PROPOSED: _proposed,
    DecisionKind.APPROVED: _approved,
    DecisionKind.REJECTED: _rejected,
}
