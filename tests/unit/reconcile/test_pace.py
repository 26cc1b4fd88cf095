"""When a shop wants its next run, for each way in which the last one ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.reconcile.pace import SOON, UNCOUNTED, Pace, rest_after
from carrierflow.reconcile.run_report import FAILURES, EndReason, RunReport
from carrierflow.reconcile.silence import pause_after

from .active_shops import BEGIN as NOW
from .active_shops import shop


MINUTE = timedelta(minutes=1)
PACE = Pace()


def rest(reason=EndReason.DONE, *, it=None, open_parcels=1, unpublished=0, pace=PACE, **said):
    """Return how a run leaves its shop that ended now and said so much."""
    report = RunReport(
        shop="a", run="1", started_at=NOW - MINUTE, ended_at=NOW, end_reason=reason, **said
    )
    its_shop = it or shop("a")
    return rest_after(
        report, its_shop, pace=pace, open_parcels=open_parcels, unpublished=unpublished
    )


SPANS = st.timedeltas(timedelta(0), timedelta(days=1))
PACES = st.builds(lambda every, more: Pace(every=every, idle=every + more), every=SPANS, more=SPANS)
MOMENTS = st.one_of(
    st.none(), st.timedeltas(-timedelta(hours=2), timedelta(hours=2)).map(lambda it: NOW + it)
)


@given(
    reason=st.sampled_from(EndReason),
    pace=PACES,
    it=st.builds(
        lambda **more: shop("a", **more),
        unanswered=st.integers(0, 40),
        retry_at=MOMENTS,
        subscribed_at=MOMENTS,
    ),
    open_parcels=st.integers(0, 3),
    unpublished=st.integers(0, 3),
    left=st.integers(0, 3),
    published=st.integers(0, 3),
    next_look_at=MOMENTS,
)
def test_the_next_run_is_neither_in_the_past_nor_later_than_anybody_wants(
    reason, pace, it, open_parcels, unpublished, **said
):
    """Not before the end of this one; not after the idle interval, or a silent host's pause."""
    left = rest(
        reason, it=it, open_parcels=open_parcels, unpublished=unpublished, pace=pace, **said
    )

    assert left.next_due >= NOW
    assert left.unpublished == (UNCOUNTED if reason in FAILURES else unpublished)
    if left.retry_at is None:
        assert left.next_due <= NOW + pace.idle
    else:
        assert left.next_due == left.retry_at
        assert left.retry_at <= max(NOW + pause_after(left.unanswered), it.retry_at or NOW)


@pytest.mark.parametrize("reason", [EndReason.QUANTUM, EndReason.INTERRUPTED])
def test_work_that_was_broken_off_goes_to_the_end_of_the_queue(reason):
    """It is due at the moment at which its run ended, after all who were due before."""
    assert NOW == rest(reason, left=3, next_look_at=NOW + MINUTE).next_due


def test_a_shop_with_open_parcels_is_looked_at_often_and_an_idle_one_if_nobody_would_tell():
    """An hour is for those alone whose webhooks tell of changes."""
    fed = shop("a", subscribed_at=NOW)
    assert NOW + PACE.every == rest(it=fed).next_due
    assert NOW + PACE.every == rest(open_parcels=0).next_due
    assert NOW + PACE.idle == rest(it=fed, open_parcels=0).next_due


def test_what_is_left_is_due_as_soon_as_it_can_be_told():
    """At the end of a settle window; at once where the run got on, soon where it did not."""
    window = NOW + timedelta(seconds=45)
    assert window == rest(left=1, next_look_at=window).next_due
    assert NOW == rest(left=1, next_look_at=NOW - MINUTE).next_due
    assert NOW == rest(left=1, published=1).next_due
    assert NOW + SOON == rest(left=1).next_due


def test_a_run_that_broke_off_is_tried_again_soon():
    """The database may be there again in a minute; a defect stands no sooner."""
    assert NOW + SOON == rest(EndReason.FAILED, left=3, published=3).next_due


@pytest.mark.parametrize("reason", [EndReason.BRAKE, EndReason.ACCESS_DENIED, EndReason.MAX_WRITES])
def test_a_run_that_may_not_go_on_is_not_repeated_at_once(reason):
    """What stopped it stands in a minute, too."""
    assert NOW + PACE.every == rest(reason, left=3, published=3).next_due


def test_a_throttled_shop_is_due_when_the_platform_wants_it():
    """And it is not counted as silent."""
    left = rest(EndReason.THROTTLED, it=shop("a", unanswered=2), next_look_at=NOW + MINUTE)
    assert (NOW + MINUTE, 0, None) == (left.next_due, left.unanswered, left.retry_at)


@pytest.mark.parametrize("before", range(5))
def test_a_silent_host_is_asked_later_and_later(before):
    """At the end of the queue after the first time, then after a minute, two, four."""
    left = rest(EndReason.UNAVAILABLE, it=shop("a", unanswered=before))
    assert before + 1 == left.unanswered
    assert NOW + pause_after(before + 1) == left.retry_at == left.next_due


def test_what_says_nothing_of_the_host_leaves_its_silence_as_it_was():
    """An end of ours neither begins a pause nor ends one."""
    resting = shop("a", unanswered=3, retry_at=NOW + MINUTE)
    for reason in (EndReason.FAILED, EndReason.INTERRUPTED):
        left = rest(reason, it=resting)
        assert (3, NOW + MINUTE) == (left.unanswered, left.retry_at)
    over = shop("a", unanswered=3, retry_at=NOW)
    assert rest(EndReason.FAILED, it=over).retry_at is None
