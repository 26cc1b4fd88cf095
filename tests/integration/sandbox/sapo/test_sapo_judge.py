from __future__ import annotations

import pytest

from carrierflow.sandbox.sapo import ReceivedAction, SapoRecorder, SapoRef
from carrierflow.sandbox.sapo import SapoAction as Action

from .conftest import path_of


@pytest.fixture
def judged(world):
    """Judge what the world has seen."""
    return world.recorder.report


def test_a_whole_life_is_clean(parcel, act, shown, judged):
    """Each action that leads on is received and applied, and nothing else is counted."""
    ref = parcel()
    for action in ("ship", "receive"):
        act(ref, action)
        shown(ref)

    report = judged()
    assert (2, 2, 0, 0) == (
        report.writes_received,
        report.applied,
        report.refused,
        report.lost,
    )
    assert (2, 0, 2, {"alpha": 4}) == (
        report.gets,
        report.throttled,
        report.max_writes_per_fulfillment,
        report.requests_by_shop,
    )
    assert report.is_clean
    assert ((), (), (), ()) == (
        report.no_ops,
        report.illegal,
        report.after_final,
        report.ambiguous,
    )


def test_from_and_to_are_noted(parcel, act, world):
    """Each action stands there with where the parcel was and where it came to, if anywhere."""
    ref = parcel()
    for action in ("receive", "ship", "cancel", "receive_after_cancellation"):
        act(ref, action)

    assert [
        ("receive", "packed", None),
        ("ship", "packed", "fulfilled"),
        ("cancel", "fulfilled", "fulfilled_cancelling"),
        ("receive_after_cancellation", "fulfilled_cancelling", "fulfilled_cancelled"),
    ] == [(each.action, each.from_state, each.to_state) for each in world.recorder.actions]


@pytest.mark.parametrize(
    ("way", "action"),
    [
        ((), "receive"),
        ((), "receive_after_cancellation"),
        (("ship",), "receive_after_cancellation"),
        (("ship", "receive"), "cancel"),
        (("cancel",), "ship"),
        (("ship", "cancel"), "receive"),
        (("cancel",), "receive_after_cancellation"),
    ],
)
def test_what_no_document_allows_is_illegal(way, action, parcel, act, judged):
    """An action out of its order is illegal where the app alone moved the parcel."""
    ref = parcel()
    for step in (*way, action):
        act(ref, step)

    report = judged()
    assert [action] == [each.action for each in report.illegal]
    assert not report.is_clean


def test_what_somebody_else_brought_about_is_told_apart(world, parcel, act, judged):
    """After a merchant's hand, an action that does not fit any more may be nobody's mistake."""
    ref = parcel()
    world.act_by_hand(ref, "cancel")
    act(ref, "ship")

    report = judged()
    assert ((), 1, 1) == (
        report.illegal,
        len(report.illegal_after_touch),
        len(report.after_final),
    )
    assert report.is_clean
    assert [("packed", "packed_cancelled")] == [
        (touch.from_state, touch.to_state) for touch in report.touches
    ]


@pytest.mark.parametrize(
    ("way", "action"),
    [
        (("ship",), "ship"),
        (("ship", "receive"), "receive"),
        (("ship", "receive"), "ship"),
        (("cancel",), "cancel"),
        (("ship", "cancel"), "cancel"),
        (("ship", "cancel", "receive_after_cancellation"), "receive_after_cancellation"),
    ],
)
def test_a_repetition_without_cause_is_a_duplicate(way, action, parcel, act, judged):
    """What was done and answered is asked for again: refused, of no effect, and not clean."""
    ref = parcel()
    for step in (*way, action):
        act(ref, step)

    report = judged()
    assert ([action], [action], ()) == (
        [each.action for each in report.no_ops],
        [each.action for each in report.without_cause],
        report.illegal,
    )
    assert not report.is_clean


@pytest.mark.parametrize("kind", ["lost_reply", "error_502_after", "proxy_after", "truncated_body"])
def test_a_repetition_after_no_answer_is_excused(kind, script, call, parcel, act, judged):
    """It is counted as a duplicate, with the exchange that left it open beside it."""
    script(kind)
    ref = parcel()
    call("POST", f"{path_of(ref)}/ship", {})
    act(ref, "ship")

    report = judged()
    assert (1, (), 1) == (
        len(report.duplicates),
        report.without_cause,
        len(report.ambiguous),
    )
    assert report.is_clean


def test_what_another_hand_did_already_is_no_duplicate(world, parcel, act, judged):
    """The app's first ship finds the parcel shipped by the merchant: a no-op and no more."""
    ref = parcel()
    world.act_by_hand(ref, "ship")
    act(ref, "ship")

    report = judged()
    assert (1, (), True) == (len(report.no_ops), report.duplicates, report.is_clean)


def test_what_was_refused_at_first_makes_no_duplicate(world, parcel, act, judged):
    """Asked for too early, then done by the merchant: the second try repeats nothing."""
    ref = parcel()
    act(ref, "receive")
    for action in ("ship", "receive"):
        world.act_by_hand(ref, action)
    act(ref, "receive")

    report = judged()
    assert (1, (), 1) == (len(report.no_ops), report.duplicates, len(report.illegal))


def test_a_late_action_that_was_sent_again_is_excused(script, call, parcel, act, clock, judged):
    """The second was applied, so the first is refused when it comes; nobody could know."""
    script("late_apply", seconds=20)
    ref = parcel()
    call("POST", f"{path_of(ref)}/ship", {})
    act(ref, "ship")
    clock.advance(30)
    call("GET", "/admin/orders")

    report = judged()
    assert (2, 1, 1) == (report.writes_received, report.applied, len(report.duplicates))
    assert report.is_clean


@pytest.mark.parametrize("blank", [True, False])
def test_a_blank_reply_is_an_answer_where_it_is_documented(world, call, script, blank, judged):
    """Where the shop answers so, it leaves nothing open; where it does not, it does."""
    world.add_shop(code="beta", token="token-beta", blank_replies=blank)
    ref = SapoRef("beta", *world.add_parcel(shop="beta"))
    if not blank:
        script("empty_body")

    call("POST", f"{path_of(ref)}/ship", {}, token="token-beta")

    assert (0 if blank else 1) == len(judged().ambiguous)


def test_what_never_arrived_is_lost(script, call, parcel, judged, world):
    """Requests that never came in, were throttled or led elsewhere are counted apart."""
    ref = parcel()
    for kind in ("lost_request", "error_500_before", "proxy_before", "throttle_429"):
        script(kind, path="ship", status=403)
        call("POST", f"{path_of(ref)}/ship", {})
    call("POST", f"/admin/orders/{ref.order_id}/finish", {})
    call("GET", "/admin/orders", token="wrong")

    report = judged()
    assert (0, 3, 1, 1) == (
        report.writes_received,
        report.lost,
        report.other_writes,
        report.gets,
    )
    assert 1 == report.throttled
    assert {"alpha": 5} == report.requests_by_shop


def test_the_judge_does_not_believe_the_world():
    """A move that the documents do not have is illegal although the platform made it."""
    recorder, ref = SapoRecorder(), SapoRef("alpha", 1, 2)
    recorder.saw_action(
        ReceivedAction(at=0, ref=ref, action=Action.SHIP, from_state="packed", to_state="received")
    )

    assert 1 == len(recorder.report().illegal)


def test_the_record_can_be_forgotten(world, parcel, act, judged):
    """After a reset there is nothing to judge, and old deeds make no duplicates."""
    act(parcel(), "ship")
    world.reset()

    report = judged()
    assert (0, 0, {}, 0) == (
        report.writes_received,
        report.gets,
        report.requests_by_shop,
        report.max_writes_per_fulfillment,
    )
