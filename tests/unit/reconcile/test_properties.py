"""What holds in every situation, however it came about."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import event, given
from hypothesis import strategies as st
from known_parcels import in_short

from carrierflow.domain.model import Machine, Status
from carrierflow.reconcile.actions import Confirm, Freeze, ReadAgain, Rewind, Write
from carrierflow.reconcile.batches import _agrees, _closes
from carrierflow.reconcile.decision_table import TABLE, decide
from carrierflow.reconcile.evaluate import evaluate

from .strategies import OPEN, agreeing, cases


machines = st.sampled_from(Machine)
ROUNDING = timedelta(milliseconds=1)


def wants_put(a_case, machine):
    """Tell whether a machine's decision is a PUT, now or after one more look."""
    return isinstance(decide(a_case, machine).action, Write | ReadAgain)


def is_unsettled(a_case, machine):
    """Tell whether an unanswered attempt at the path may still take effect after the reading."""
    confirmed = a_case.parcel.head(machine).confirmed
    settle = a_case.policy.settle
    found = [
        publication
        for (its, seq), publication in a_case.publication_log.publications.items()
        if its is machine and seq > confirmed and publication.state in OPEN
    ]
    first = min(found, key=lambda publication: publication.seq, default=None)
    return first is not None and a_case.seen.asked_at < first.ended_at + settle


@given(cases(), machines)
def test_exactly_one_row_decides(a_case, machine):
    """Every case is decided, by the first row that applies and by no other."""
    view = a_case.on(machine)
    first = next(row for row in TABLE if machine in row.machines and row.applies(view))
    decision = decide(a_case, machine)
    event(f"row {decision.row}")

    assert first.number == decision.row
    assert decision == decide(a_case, machine)


@given(cases(), machines)
def test_nothing_is_put_where_nothing_may_be(a_case, machine):
    """No PUT while frozen, unsettled, cancelled there, or read too early, too old or unreadably."""
    seen, remote = a_case.seen, a_case.parcel.remote
    word = seen.carrier if machine is Machine.DELIVERY else seen.cod
    forbidden = {
        "frozen": a_case.parcel.frozen is not None,
        "cancelled": seen.carrier.status is Status.CANCEL,
        "unsettled": is_unsettled(a_case, machine),
        "stale": remote is not None and seen.updated_at < remote.updated_at - ROUNDING,
        "unknown": word.status is None,
    }

    if any(forbidden.values()):
        assert not wants_put(a_case, machine)
    if a_case.now - seen.asked_at >= a_case.policy.freshness:
        assert not isinstance(decide(a_case, machine).action, Write)


@given(cases(), machines)
def test_a_put_is_the_next_step_that_can_be_told(a_case, machine):
    """A PUT tells a recorded, unpublished step, and only a row that says so leaves one out."""
    decision = decide(a_case, machine)
    if not isinstance(decision.action, Write):
        return
    event(f"row {decision.row}")
    step, path = decision.action.step, a_case.on(machine).path

    assert step in path
    assert decision.action.by.to is step.to_status
    if decision.row in {"5a", "11"}:
        assert path[-1] == step
    else:
        told = [s for s in path if a_case.projection.is_told(s.to_status)]
        assert told[0] == step


@given(cases())
def test_a_turn_ends_and_a_frozen_parcel_is_told_nothing(a_case):
    """A turn takes no more decisions than there are steps; after a freeze it wants nothing."""
    evaluation = evaluate(a_case)

    assert len(evaluation.decisions) <= 2 * len(a_case.publication_log.steps) + 4
    if evaluation.case.parcel.frozen:
        assert (None, None) == (evaluation.write, evaluation.adopt)
    if evaluation.discarded:
        assert evaluation.before == evaluation.case.parcel
        assert ((), ()) == (evaluation.publications, evaluation.findings)


@given(cases())
def test_a_turn_taken_twice_does_nothing_more(a_case):
    """What one reading says is said once: the second turn moves nothing and freezes nothing."""
    first = evaluate(a_case)
    second = evaluate(first.case)
    before, after = first.case.parcel, second.case.parcel

    assert () == second.publications
    assert (before.delivery, before.cod) == (after.delivery, after.cod)
    assert (before.frozen, before.open) == (after.frozen, after.open)
    assert {finding.digest for finding in second.findings} <= {f.digest for f in first.findings}
    if not before.frozen:
        assert (first.write, first.adopt) == (second.write, second.adopt)
        assert before == after


@given(cases())
def test_the_cursor_goes_back_only_by_a_rewind(a_case):
    """What the platform is known to show stays known, unless somebody moved it back."""
    evaluation = evaluate(a_case)

    for machine in Machine:
        actions = [decision.action for its, decision in evaluation.decisions if its is machine]
        before = evaluation.before.head(machine).confirmed
        for action in actions:
            match action:
                case Rewind(seq):
                    assert seq < before
                    before = seq
                case Confirm(step):
                    assert step.seq > before
                    before = step.seq
        assert before == evaluation.case.parcel.head(machine).confirmed
        assert before <= evaluation.case.parcel.head(machine).seq


@given(cases())
def test_a_freeze_leaves_a_finding(a_case):
    """Nobody is frozen without an incident that says why."""
    evaluation = evaluate(a_case)
    kinds = [d.action.kind for _, d in evaluation.decisions if isinstance(d.action, Freeze)]
    frozen = a_case.parcel.frozen is None and evaluation.case.parcel.frozen

    assert bool(kinds) == bool(frozen)
    assert kinds == [finding.kind for finding in evaluation.findings if finding.freezes]


@given(agreeing())
def test_what_is_skipped_in_short_agrees_at_length(a_case):
    """Where the survey says in short that both sides agree, the table finds nothing to do."""
    parcel, grace = a_case.parcel, a_case.policy.grace
    known = in_short(parcel)
    agrees = _agrees(known, a_case.seen, a_case.projection.looks_as)
    skipped = agrees and not _closes(known, a_case.now - grace)
    event(f"agrees: {agrees}, skipped: {skipped}")
    if not skipped:
        return
    evaluation = evaluate(a_case)
    after = evaluation.case.parcel
    looked = {name: getattr(after, name) for name in ("seen_at", "verified_at", "not_before")}

    assert evaluation.in_sync
    assert ((), (), None, None) == (
        evaluation.publications,
        evaluation.findings,
        evaluation.write,
        evaluation.adopt,
    )
    assert after == replace(parcel, missing=0, missing_since=None, **looked)


@given(cases())
def test_a_frozen_parcel_is_only_looked_at(a_case):
    """A frozen parcel keeps its heads and its tries, unless both sides agree: then it is free."""
    frozen = replace(a_case, parcel=replace(a_case.parcel, frozen="stuck"))
    evaluation = evaluate(frozen)

    if evaluation.case.parcel.frozen is None:
        assert evaluation.in_sync
        assert not evaluation.case.parcel.unpublished
        assert (None, None) == (evaluation.write, evaluation.adopt)
        assert frozenset({"stuck"}) == evaluation.over
        return

    assert () == evaluation.publications
    assert evaluation.before.delivery == evaluation.case.parcel.delivery
    assert evaluation.before.cod == evaluation.case.parcel.cod
    assert (None, None) == (evaluation.write, evaluation.adopt)
