"""The rows of the decision table where a platform shows less, or is told less, than we know."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import Status
from carrierflow.reconcile.actions import Await, Confirm, InSync, Write
from carrierflow.reconcile.evaluate import evaluate
from carrierflow.reconcile.policy import Policy, RemoteAhead
from carrierflow.reconcile.projection import Projection

from .making import COD, PROJECTION, a_case, action, at, row, step_of, told
from .projections import LOSSY, PULL_ONLY


HELD = Policy(held=frozenset({Status.WAITINGFORRETURN}))


def lossy(*parts, policy=HELD, **more):
    """Return a case on a platform that shows less."""
    return replace(a_case(*parts, policy=policy, **more), projection=LOSSY)


def pull_only(*parts, **more):
    """Return a case on a platform that leads."""
    return replace(a_case(*parts, **more), projection=PULL_ONLY)


def names(*writes):
    """Return what writes are called."""
    return [write.name for write in writes]


@pytest.mark.parametrize(
    ("shown", "step", "plan"),
    [
        ("readytopick", "delivering", ["ship"]),
        ("readytopick", "delivered", ["ship", "receive"]),
        ("readytopick", "waitingforreturn", ["ship", "cancel shipped"]),
        ("readytopick", "return", ["ship", "cancel shipped", "take back"]),
        ("readytopick", "cancel", ["cancel"]),
        ("delivering", "delivered", ["receive"]),
        ("delivering", "return", ["cancel shipped", "take back"]),
        ("delivering", "cancel", []),
        ("waitingforreturn", "return", ["take back"]),
        ("waitingforreturn", "delivering", []),
        ("delivered", "return", []),
        ("delivered", "delivering", []),
        ("return", "delivering", []),
        ("cancel", "delivering", []),
        ("readytopick", "picking", []),
        ("delivering", "notmeetcustomer", []),
    ],
)
def test_a_plan_is_the_shortest_chain(shown, step, plan):
    """Sapo's table of chains, row by row; empty where there is none."""
    assert plan == names(*LOSSY.plan(Status(shown), Status(step)))


@given(st.sampled_from(Status), st.sampled_from(Status), st.sampled_from([LOSSY, PULL_ONLY]))
def test_a_plan_leads_to_what_the_step_looks_like(shown, step, projection):
    """Each write may follow the one before it, none is there twice, and the last one arrives."""
    plan = projection.plan(projection.shows(shown), step)
    at = projection.shows(shown)
    for write in plan:
        assert write.may_follow(at)
        at = write.to
    assert at is projection.shows(step) or not plan
    assert len(plan) == len(set(plan))


@given(st.sampled_from(Status), st.sampled_from(Status))
def test_haravan_is_told_any_writable_status_at_any_time(shown, step):
    """One PUT, whatever is shown; nothing where there is no path for it."""
    assert len(PROJECTION.plan(shown, step)) == PROJECTION.is_told(step)


def test_what_a_status_looks_as_looks_as_itself():
    """A chain of likenesses is a mistake in the table, and is said at once."""
    looks_as = {Status.PICKING: Status.READYTOPICK, Status.READYTOPICK: Status.PENDING}
    with pytest.raises(ValueError, match="looks as"):
        Projection(writes=(), looks_as=looks_as)


@pytest.mark.parametrize(
    ("road", "confirmed", "shows"),
    [
        ("readytopick picking", 1, "readytopick"),
        ("readytopick picking delivering notmeetcustomer", 3, "delivering"),
        ("readytopick picking delivering notmeetcustomer delivering", 3, "delivering"),
    ],
)
def test_row_6a_confirms_what_looks_alike(road, confirmed, shows):
    """There is nothing to tell: the platform shows the step already, and the turn is in sync."""
    made = lossy(road, confirmed, shows=shows)

    assert ("6a", Confirm(step_of(made, confirmed + 1))) == (row(made), action(made))
    evaluation = evaluate(made)
    assert (None, True) == (evaluation.write, evaluation.in_sync)
    assert len(road.split()) == evaluation.case.parcel.delivery.confirmed


def test_row_6a_never_decides_about_haravan():
    """Where every status looks like itself, a repeated one is told again."""
    made = a_case("readytopick picking delivering notmeetcustomer delivering", 3)

    assert ("6", "notmeetcustomer") == (row(made), action(made).step.to_status)


def test_remitted_cash_never_loops():
    """Cash that was remitted looks as cash that was paid: nothing is told, run after run."""
    made = lossy(
        "readytopick picking delivering delivered",
        cash="codpending codpaid codreceipt",
        cash_confirmed=2,
    )

    assert "6a" == row(made, COD)
    after = evaluate(made).case
    assert 3 == after.parcel.cod.confirmed
    assert isinstance(action(after, COD), InSync)


def test_a_chain_of_writes_is_read_between():
    """Each turn makes one write; what is shown on the way counts as base."""
    chain = {"readytopick": "ship", "delivering": "cancel shipped", "waitingforreturn": "take back"}
    for shown, name in chain.items():
        decided = action(lossy("readytopick return", 1, shows=shown))
        assert isinstance(decided, Write)
        assert (name, Status.RETURN) == (decided.by.name, decided.step.to_status)


def test_row_6b_holds_what_cannot_be_taken_back():
    """By default a shipped parcel that waits to come back is not cancelled until it is back."""
    road = "readytopick picking delivering waitingforreturn"
    held = lossy(road, 3)
    now = lossy(road, 3, policy=Policy())

    assert ("6b", Await()) == (row(held), action(held))
    assert "cancel shipped" == action(now).by.name
    back = lossy(f"{road} return", 3)
    assert ("cancel shipped", "return") == (action(back).by.name, action(back).step.to_status)


def test_what_was_held_is_skipped_when_the_parcel_goes_out_again():
    """A redelivery after a held step writes nothing at all."""
    made = lossy("readytopick picking delivering waitingforreturn delivering", 3)

    assert ("6a", Confirm(step_of(made, 5))) == (row(made), action(made))


def test_row_6b_tells_a_person_what_cannot_be_told():
    """A parcel that came back after it was received has no way to say so there."""
    made = lossy("readytopick picking delivering delivered return", 4)

    assert ("6b", "cannot_be_told") == (row(made), action(made).kind)


def test_row_c3_tells_a_person_where_no_write_pays():
    """Cash that the platform does not count with the delivery cannot be told apart from it."""
    road, cash = "readytopick picking delivering delivered", "codpending codpaid"
    made = lossy(road, cash=cash, cash_confirmed=1, seen_at=at(-100))

    assert ("C3", "cannot_be_told") == (row(made, COD), action(made, COD).kind)


@pytest.mark.parametrize("head", ["delivered", "notmeetcustomer", "waitingforreturn"])
def test_row_6a_calls_steps_beyond_the_handover_no_drift(head):
    """The last that a warehouse knows is that it handed the parcel over."""
    road = "pending readytopick picking delivering"
    made = pull_only(f"{road} {head}", 4, shows="delivering")

    assert "6a" == row(made)
    assert evaluate(made).in_sync


def test_row_6b_waits_for_a_platform_that_leads():
    """Where the warehouse is behind, nothing is told, and nobody is called."""
    made = pull_only("pending readytopick picking delivering delivered", 1, shows="pending")

    assert ("6b", Await()) == (row(made), action(made))
    packed = pull_only("pending readytopick picking delivering", 1, shows="readytopick")
    assert "7" == row(packed)


def test_a_warehouse_that_is_ahead_is_believed():
    """Its handover becomes history, by the policy of such a platform."""
    policy = Policy(remote_ahead=RemoteAhead.ADOPT)
    made = pull_only("pending", shows="delivering", policy=policy)

    assert ("13", Status.DELIVERING) == (row(made), action(made).status)


def test_a_cancel_before_the_handover_is_told_once():
    """Then the platform shows it; after the handover it is a person's business."""
    before = pull_only("pending cancel", 1, shows="readytopick")
    after = pull_only("pending readytopick picking delivering cancel", 4, shows="delivering")

    assert "cancel" == action(before).by.name
    assert "cannot_be_told" == action(after).kind
    assert isinstance(action(pull_only("pending cancel")), InSync)


def test_no_cash_is_in_dispute_where_none_is_shown():
    """A platform without a word about cash disputes none of it."""
    road = "pending readytopick picking delivering delivered"
    for cash in ("codpending", "codpending codpaid", "codpending codpaid codreceipt"):
        made = pull_only(road, 5, shows="delivering", cash=cash, cash_shows="none")
        assert isinstance(action(made, COD), InSync)


def test_an_unanswered_write_on_the_way_is_not_made_again():
    """What is shown tells that it was applied, and the next write of the chain follows."""
    road = "readytopick return"
    made = lossy(road, 1, shows="delivering", tried=[told(2)])

    decided = action(made)
    assert "cancel shipped" == decided.by.name
