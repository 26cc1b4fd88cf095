"""What may be concluded from an answer to a read, and what may not."""

from __future__ import annotations

from carrierflow.domain.model import FulfillmentRef, Observation, Unreadable
from carrierflow.errors import AccessDenied, PlatformUnavailable, Throttled, TryLater
from carrierflow.sandbox.wire_faults import page
from carrierflow.testing.contract.answers import (
    CUT,
    FOREIGN_REFUSALS,
    REDIRECT,
    SILENCE,
    throttling,
    unclear_answers,
)
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of, status_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.wire import instead, once


__all__: list[str] = []

MOST_TRIES = 4
"""So many requests may a read take that is tried twice, where there are two ways to read."""


@promise
def unclear_reads_say_nothing(trial: Trial) -> None:
    """From no unclear answer is concluded how a parcel is, nor that it is gone; tries are few."""
    ref = trial.parcel(trial.states[0])
    trial.platform.fulfillment(ref)
    for what, answer in unclear_answers():
        trial.wire.goes_wrong(instead(answer))
        before = len(trial.wire.passed)
        outcome = outcome_of(lambda: trial.platform.fulfillment(ref))
        is_kind(outcome, (TryLater, Unreadable), f"a read answered by {what}")
        expect(len(trial.wire.passed) - before <= MOST_TRIES, f"{what} was asked for on and on.")
    trial.wire.goes_wrong(instead(SILENCE))
    outcome = outcome_of(lambda: trial.impatient.fulfillment(ref))
    is_kind(outcome, PlatformUnavailable, "a read that is not answered")


@promise
def reads_are_tried_again(trial: Trial) -> None:
    """A read that fails in passing is made again, and then believed."""
    state = trial.states[0]
    ref = trial.parcel(state)
    for answer in (CUT, page(500, "Oh"), page(502, "Bad Gateway"), page(200, "We are back soon")):
        trial.wire.goes_wrong(once(instead(answer)))
        seen = outcome_of(lambda: trial.platform.fulfillment(ref))
        equal(state, status_of(seen), "a read that failed once")


@promise
def what_is_not_there_is_said_to_be_none(trial: Trial) -> None:
    """The platform's own word that there is no such parcel is believed, and hides no other."""
    ref, (order_id, own_id) = trial.parcel(trial.states[0]), trial.under_test.absent
    absent = FulfillmentRef(shop=ref.shop, order_id=order_id, fulfillment_id=own_id)
    trial.platform.fulfillment(ref)
    equal(None, trial.platform.fulfillment(absent), "a parcel that is not there")
    equal(None, trial.platform.order(order_id), "an order that is not there")
    found = [order.order_id for order in trial.platform.orders([order_id, ref.order_id])]
    equal([ref.order_id], found, "orders of which one is not there")


@promise
def strangers_prove_nothing_gone(trial: Trial) -> None:
    """Before anything else was answered, a 404 may be anybody's: nothing is gone by it."""
    ref = trial.parcel(trial.states[0])
    for answer in FOREIGN_REFUSALS:
        trial.wire.goes_wrong(instead(answer))
        outcome = outcome_of(lambda: trial.connect().fulfillment(ref))
        is_kind(outcome, TryLater, "a stranger's no to the first read")


@promise
def denied_reads_stop(trial: Trial) -> None:
    """A token that is not accepted is said to be so after one request."""
    ref = trial.parcel(trial.states[0])
    for read in (
        lambda: trial.platform.fulfillment(ref),
        lambda: trial.platform.order(ref.order_id),
        lambda: trial.platform.orders([ref.order_id]),
    ):
        trial.wire.goes_wrong(instead(trial.under_test.denied("no")))
        before = len(trial.wire.passed)
        is_kind(outcome_of(read), AccessDenied, "a read with a token that is not accepted")
        equal(1, len(trial.wire.passed) - before, "requests with a token that is not accepted")


@promise
def throttled_reads_pause(trial: Trial) -> None:
    """A 429 pauses the shop's budget for as long as it asks, and is told as such."""
    ref = trial.parcel(trial.states[0])
    trial.wire.goes_wrong(instead(throttling(7)))
    is_kind(outcome_of(lambda: trial.platform.fulfillment(ref)), Throttled, "a read met by a 429")
    expect(max(trial.wallet.pauses, default=0) >= 7, "A pause that was asked for is not kept.")  # noqa: PLR2004


@promise
def redirects_are_never_followed(trial: Trial) -> None:
    """Neither a read nor a write, nor the token, goes where a redirect leads."""
    state, write = trial.first_write
    ref = trial.parcel(state)
    for what, answer in list(unclear_answers())[:5]:
        trial.wire.goes_wrong(instead(answer))
        outcome_of(lambda: trial.platform.fulfillment(ref))
        outcome_of(lambda: trial.tell(ref, write))
        led = [each for each in trial.wire.passed if REDIRECT in each.request.path]
        expect(not led, f"{what} was followed.")


@promise
def connections_can_be_closed_and_used_again(trial: Trial) -> None:
    """An adapter may be closed at any time, and twice; the next read opens what it needs."""
    state = trial.states[0]
    ref = trial.parcel(state)
    for _ in range(2):
        seen = trial.platform.fulfillment(ref)
        equal(state, status_of(seen), "a read after a close")
        expect(isinstance(seen, Observation), "Nothing was read.")
        trial.platform.close()
        trial.platform.close()
