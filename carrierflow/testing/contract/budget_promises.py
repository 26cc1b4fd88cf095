"""That no request leaves which the shop's budget has not paid for."""

from __future__ import annotations

from carrierflow.errors import Throttled
from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.wire_faults import page
from carrierflow.testing.contract.answers import throttling, unclear_answers
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import START, Trial
from carrierflow.testing.contract.wire import afterwards, instead, once


__all__: list[str] = []

BUCKET, LEAK = 20, 2
PAUSE = 30


@promise
def every_request_is_paid_for(trial: Trial) -> None:
    """As much is spent as leaves: by reads, by their retries, and by what is read after a write."""
    state, write = trial.first_write
    refs = [trial.parcel(state) for _ in range(3)]
    trial.platform.orders([ref.order_id for ref in refs])
    if trial.under_test.lists_changes:
        trial.platform.orders_changed(START)
    trial.platform.order(refs[0].order_id)
    trial.tell(refs[0], write)
    _check_spent(trial, "reads and a write")
    for what, answer in unclear_answers():
        trial.wire.reads = once(instead(answer))
        trial.wire.writes = afterwards(answer)
        outcome_of(lambda: trial.platform.fulfillment(refs[1]))
        outcome_of(lambda: trial.tell(trial.parcel(state), write))
        _check_spent(trial, what)
    trial.wire.goes_wrong(once(instead(page(500, "Oh"))))
    outcome_of(lambda: trial.platform.fulfillment(refs[2]))
    _check_spent(trial, "a retry")


def _check_spent(trial: Trial, what: str) -> None:
    equal(trial.wallet.spent, len(trial.wire.passed), f"requests, and what was paid, after {what}")


@promise
def nothing_leaves_on_an_empty_budget(trial: Trial) -> None:
    """Where nothing is left to spend, no read leaves, and the caller hears why."""
    ref = trial.parcel(trial.states[0])
    trial.wallet.left = 0
    for read in (
        lambda: trial.platform.fulfillment(ref),
        lambda: trial.platform.order(ref.order_id),
        lambda: trial.platform.orders([ref.order_id]),
        trial.platform.wait_for_room,
    ):
        is_kind(outcome_of(read), Throttled, "a request that nothing is left for")
    equal([], trial.wire.passed, "requests that nothing was left for")


@promise
def runs_keep_to_the_shops_rate(trial: Trial) -> None:
    """A run sends no request that the shop's bucket has no room for, and is quiet after a 429."""
    app = trial.carrier()
    rate = {"rate_bucket": str(BUCKET), "rate_leak": str(LEAK)}
    app.shops.change(trial.under_test.shop, choices={**rate})
    state, write = trial.first_write
    for _ in range(12):
        trial.take_up(app, state, trial.road_to(write.to))
    trial.wire.goes_wrong(once(instead(throttling(PAUSE))))
    for _ in range(3):
        trial.run(app)
    bucket = LeakyBucket(size=BUCKET, leak_per_second=LEAK)
    times = [each.at for each in trial.wire.passed]
    expect(all(map(bucket.take, times)), "A run sent more than the shop's bucket holds.")
    quiet = (times[1] - times[0]) / TICKS_PER_SECOND
    expect(quiet >= PAUSE, f"A run went on {quiet:g} s after a 429 that asked for {PAUSE}.")
