"""That what is shown is read as it is, and what is told leads where it is said to lead."""

from __future__ import annotations

from datetime import UTC
from urllib.parse import urlsplit

from carrierflow.domain.model import FulfillmentRef, Machine, Observation, Status
from carrierflow.domain.publication import PlatformWrite
from carrierflow.errors import InvalidInput
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of, status_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial


__all__: list[str] = []

CASH = 250_000
UNUSABLE = ("", " ", "..", "../1", "a/b", "1 2", "1?x=1", "1#x", "☃", "x" * 300)


@promise
def states_are_read_as_they_are(trial: Trial) -> None:
    """Each state that can be shown is read as such, in every way of reading, with times in UTC."""
    for state in trial.states:
        ref = trial.parcel(state)
        equal(state, trial.under_test.shown(ref), "the sandbox's own word for a state")
        alone = trial.platform.order(ref.order_id)
        (listed,) = trial.platform.orders([ref.order_id])
        found = {
            "by itself": trial.platform.fulfillment(ref),
            "in its order": alone and alone.fulfillments[0],
            "among several": listed.fulfillments[0],
        }
        for way, seen in found.items():
            equal(state, status_of(seen), f"a parcel that is {state}, read {way}")
            if isinstance(seen, Observation):
                _check_reading(trial, seen, ref)


def _check_reading(trial: Trial, seen: Observation, ref: FulfillmentRef) -> None:
    equal(ref, seen.ref, "the parcel that was read")
    expect(seen.carrier.raw, "A state was read without the platform's own word for it.")
    expect(trial.platform.is_ours(seen), "A parcel of this carrier is taken for another's.")
    times = (seen.asked_at, seen.seen_at, seen.updated_at, *seen.dates.values())
    expect(all(it.tzinfo is UTC for it in times), "A time that was read is not in UTC.")
    expect(seen.asked_at <= seen.seen_at, "A parcel was seen before it was asked for.")


@promise
def writes_lead_where_they_say(trial: Trial) -> None:
    """Each write is one request, and leads from each state that takes it to the state it names."""
    for write in trial.projection.writes:
        for state in _states_before(trial, write):
            ref = trial.parcel(state, cod_amount=CASH)
            before = len(trial.wire.writes_passed)
            seen = trial.tell(ref, write)
            what = f"{write.name} of a parcel that was {state}"
            is_cash = write.to.machine is Machine.COD
            equal(write.to, (seen.cod if is_cash else seen.carrier).status, f"read after {what}")
            equal(1, len(trial.wire.writes_passed) - before, f"requests for {what}")
            if not is_cash:
                equal(write.to, trial.under_test.shown(ref), f"shown after {what}")


def _states_before(trial: Trial, write: PlatformWrite) -> list[Status]:
    if write.to.machine is Machine.COD:
        return [Status.DELIVERED]
    if write.after is None:
        return [Status.READYTOPICK, Status.DELIVERING]
    return [state for state in trial.states if state in write.after]


@promise
def plans_arrive(trial: Trial) -> None:
    """Each plan of several writes, carried out one by one, ends where it is to lead."""
    for state in trial.states:
        for goal in trial.states:
            plan = trial.projection.plan(state, goal)
            if len(plan) > 1:
                ref = trial.parcel(state)
                for write in plan:
                    trial.tell(ref, write)
                equal(goal, trial.under_test.shown(ref), f"a plan from {state} to {goal}")


@promise
def sketches_are_what_is_sent(trial: Trial) -> None:
    """A person can repeat a write by its sketch: method and address are those of the request."""
    for write in trial.projection.writes:
        for state in _states_before(trial, write)[:1]:
            ref = trial.parcel(state, cod_amount=CASH)
            sketch = trial.platform.sketch(ref, write)
            trial.tell(ref, write)
            sent = trial.wire.writes_passed[-1].request
            told = (sketch.method, urlsplit(sketch.url).path)
            equal((sent.method, sent.path), told, f"the sketch of {write.name}")


@promise
def what_can_be_no_id_is_never_sent(trial: Trial) -> None:
    """Texts that would change an address leave nothing there; no ids or too many are a mistake."""
    _, write = trial.first_write
    for text in UNUSABLE:
        ref = FulfillmentRef(shop=trial.under_test.shop, order_id=text, fulfillment_id=text)
        outcome_of(lambda ref=ref: trial.platform.fulfillment(ref))  # type: ignore[misc]
        outcome_of(lambda text=text: trial.platform.order(text))  # type: ignore[misc]
        outcome_of(lambda ref=ref: trial.tell(ref, write))  # type: ignore[misc]
    equal([], [each.request.path for each in trial.wire.passed], "requests for impossible ids")
    for ids in ([], [str(number) for number in range(1, 52)]):
        outcome = outcome_of(lambda ids=ids: trial.platform.orders(ids))  # type: ignore[misc]
        is_kind(outcome, InvalidInput, f"{len(ids)} orders asked for at once")
