"""What holds in every situation, however it came about."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import event, given
from hypothesis import strategies as st

from carrierflow.domain.model import Machine, Status
from carrierflow.reconcile.actions import Confirm, Freeze, ReadAgain, Rewind, Write
from carrierflow.reconcile.batches import _agrees, _closes
from carrierflow.reconcile.decision_table import TABLE, decide
from carrierflow.reconcile.evaluate import evaluate

from .strategies import OPEN, agreeing, situations


machines = st.sampled_from(Machine)
ROUNDING = timedelta(milliseconds=1)


def wants_put(situation, machine):
    """Tell whether a machine's decision is a PUT, now or after one more look."""
    return isinstance(decide(situation, machine).action, Write | ReadAgain)


def is_unsettled(situation, machine):
    """Tell whether an unanswered attempt at the path may still take effect after the reading."""
    confirmed = situation.parcel.head(machine).confirmed
    settle = situation.policy.settle
    found = [
        publication
        for (its, seq), publication in situation.track.publications.items()
        if its is machine and seq > confirmed and publication.state in OPEN
    ]
    first = min(found, key=lambda publication: publication.seq, default=None)
    return first is not None and situation.seen.asked_at < first.over_at + settle


@given(situations(), machines)
def test_exactly_one_row_decides(situation, machine):
    """Every case is decided, by the first row that applies and by no other."""
    view = situation.view(machine)
    first = next(row for row in TABLE if machine in row.machines and row.applies(view))
    decision = decide(situation, machine)
    event(f"row {decision.row}")

    assert first.number == decision.row
    assert decision == decide(situation, machine)


@given(situations(), machines)
def test_nothing_is_put_where_nothing_may_be(situation, machine):
    """No PUT while frozen, unsettled, cancelled there, or read too early, too old or unreadably."""
    seen, remote = situation.seen, situation.parcel.remote
    word = seen.carrier if machine is Machine.DELIVERY else seen.cod
    forbidden = {
        "frozen": situation.parcel.frozen is not None,
        "cancelled": seen.carrier.status is Status.CANCEL,
        "unsettled": is_unsettled(situation, machine),
        "stale": remote is not None and seen.updated_at < remote.updated_at - ROUNDING,
        "unknown": word.status is None,
    }

    if any(forbidden.values()):
        assert not wants_put(situation, machine)
    if situation.now - seen.asked_at >= situation.policy.freshness:
        assert not isinstance(decide(situation, machine).action, Write)


@given(situations(), machines)
def test_a_put_is_the_next_step_that_can_be_told(situation, machine):
    """A PUT tells a recorded, unpublished step, and only a row that says so leaves one out."""
    decision = decide(situation, machine)
    if not isinstance(decision.action, Write):
        return
    event(f"row {decision.row}")
    step, path = decision.action.step, situation.view(machine).path

    assert step in path
    assert step.to_status in situation.can_put
    if decision.row in {"5a", "11"}:
        assert path[-1] == step
    else:
        told = [s for s in path if s.to_status in situation.can_put]
        assert told[0] == step


@given(situations())
def test_a_turn_ends_and_a_frozen_parcel_is_told_nothing(situation):
    """A turn takes no more decisions than there are steps; after a freeze it wants nothing."""
    turn = evaluate(situation)

    assert len(turn.decisions) <= 2 * len(situation.track.steps) + 4
    if turn.situation.parcel.frozen:
        assert (None, None) == (turn.put, turn.adopt)
    if turn.discarded:
        assert turn.before == turn.situation.parcel
        assert ((), ()) == (turn.publications, turn.findings)


@given(situations())
def test_a_turn_taken_twice_does_nothing_more(situation):
    """What one reading says is said once: the second turn moves nothing and freezes nothing."""
    first = evaluate(situation)
    second = evaluate(first.situation)
    before, after = first.situation.parcel, second.situation.parcel

    assert () == second.publications
    assert (before.delivery, before.cod) == (after.delivery, after.cod)
    assert (before.frozen, before.open) == (after.frozen, after.open)
    assert {finding.digest for finding in second.findings} <= {f.digest for f in first.findings}
    if not before.frozen:
        assert (first.put, first.adopt) == (second.put, second.adopt)
        assert before == after


@given(situations())
def test_the_cursor_goes_back_only_by_a_rewind(situation):
    """What the platform is known to show stays known, unless somebody moved it back."""
    turn = evaluate(situation)

    for machine in Machine:
        actions = [decision.action for its, decision in turn.decisions if its is machine]
        before = turn.before.head(machine).confirmed
        for action in actions:
            match action:
                case Rewind(seq):
                    assert seq < before
                    before = seq
                case Confirm(step):
                    assert step.seq > before
                    before = step.seq
        assert before == turn.situation.parcel.head(machine).confirmed
        assert before <= turn.situation.parcel.head(machine).seq


@given(situations())
def test_a_freeze_leaves_a_finding(situation):
    """Nobody is frozen without an incident that says why."""
    turn = evaluate(situation)
    kinds = [d.action.kind for _, d in turn.decisions if isinstance(d.action, Freeze)]
    frozen = situation.parcel.frozen is None and turn.situation.parcel.frozen

    assert bool(kinds) == bool(frozen)
    assert kinds == [finding.kind for finding in turn.findings if finding.freezes]


@given(agreeing())
def test_what_is_skipped_in_short_agrees_at_length(situation):
    """Where the survey says in short that both sides agree, the table finds nothing to do."""
    parcel, grace = situation.parcel, situation.policy.grace
    agrees = _agrees(parcel, situation.seen)
    skipped = agrees and not _closes(parcel, situation.now - grace)
    event(f"agrees: {agrees}, skipped: {skipped}")
    if not skipped:
        return
    turn = evaluate(situation)
    after = turn.situation.parcel
    looked = {name: getattr(after, name) for name in ("seen_at", "verified_at", "not_before")}

    assert turn.in_sync
    assert ((), (), None, None) == (turn.publications, turn.findings, turn.put, turn.adopt)
    assert after == replace(parcel, missing=0, missing_since=None, **looked)


@given(situations())
def test_a_frozen_parcel_is_only_looked_at(situation):
    """A frozen parcel keeps its heads and its tries, whatever the platform shows."""
    frozen = replace(situation, parcel=replace(situation.parcel, frozen="stuck"))
    turn = evaluate(frozen)

    assert () == turn.publications
    assert turn.before.delivery == turn.situation.parcel.delivery
    assert turn.before.cod == turn.situation.parcel.cod
    assert (None, None) == (turn.put, turn.adopt)
