"""How an incident stands follows from its decisions alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carrierflow.domain.decision import (
    DecisionKind,
    IncidentDecision,
    IncidentStanding,
    standing_after,
)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def decided(*steps):
    """Make decisions, a minute between any two."""
    plain = dict.fromkeys(("content_digest", "action", "owner", "actor", "reason"))
    return [
        IncidentDecision(
            number=number,
            what=DecisionKind(what),
            decided_at=NOON + number * timedelta(minutes=1),
            **{"evidence_digest": "e", **plain, **given},
        )
        for number, (what, given) in enumerate(steps, start=1)
    ]


OPENED = ("opened", {"content_digest": "c1"})


def test_nothing_stands_before_it_is_opened():
    """Without a decision there is no incident."""
    assert IncidentStanding() == standing_after([])


def test_what_is_found_last_counts():
    """A cause that is met again replaces what was found, where it is something else."""
    seen = ("seen", {"evidence_digest": "e2", "content_digest": "c2"})
    standing = standing_after(decided(OPENED, seen, ("assigned", {"owner": "lan"})))

    assert ("open", "e2", "c2", "lan") == (
        standing.state,
        standing.evidence_digest,
        standing.content_digest,
        standing.owner,
    )


def test_an_end_names_who_and_why():
    """What a person decides, or a run, stands with its time."""
    ended = {"action": "unfreeze", "actor": "lan", "reason": "called them"}
    standing = standing_after(decided(OPENED, ("resolved", ended)))

    assert ("resolved", "unfreeze", "lan", "called them", NOON + timedelta(minutes=2)) == (
        standing.state,
        standing.action,
        standing.resolved_by,
        standing.resolved_reason,
        standing.resolved_at,
    )


def test_what_is_opened_again_is_as_before_its_end():
    """Of a reopened incident nothing says any more that it was over; who looks after it stays."""
    ended = ("closed", {"action": "gone", "actor": "carrierflow", "owner": "lan"})
    again = decided(OPENED, ("assigned", {"owner": "lan"}), ended, ("reopened", {}))

    assert standing_after(again[:2]) == standing_after(again)
