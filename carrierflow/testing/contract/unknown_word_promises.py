"""That a word nobody knows is never guessed, and one bad row costs one row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from carrierflow.domain.model import FulfillmentRef, Observation, RemoteOrder, Unreadable
from carrierflow.errors import OutcomeUnknown
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of, status_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import START, Trial
from carrierflow.testing.contract.wire import rewriting


__all__: list[str] = []


@promise
def unknown_words_have_no_status(trial: Trial) -> None:
    """A state that nobody knows is read as a word without a status, or as a row not read."""
    it = trial.under_test
    for state in trial.states:
        ref = trial.parcel(state)
        trial.wire.goes_wrong(rewriting(lambda body, ref=ref: it.reworded(body, ref)))  # type: ignore[misc]
        alone = trial.platform.order(ref.order_id)
        found = [
            trial.platform.fulfillment(ref),
            *_rows([alone] if alone else []),
            *_rows(trial.platform.orders([ref.order_id])),
        ]
        trial.wire.goes_wrong(None)
        expect(len(found) > 2, "A parcel in an unknown state vanished from its order.")  # noqa: PLR2004
        for seen in found:
            is_kind(seen, (Observation, Unreadable), f"an unknown word in place of {state}")
            equal(None, status_of(seen), f"the status of a word that nobody knows, once {state}")


@promise
def unknown_words_are_no_success(trial: Trial) -> None:
    """A write that is answered, and then read, with an unknown word is not taken for done."""
    it, (state, write) = trial.under_test, trial.first_write
    ref = trial.parcel(state)
    trial.wire.goes_wrong(rewriting(lambda body: it.reworded(body, ref)))
    outcome = outcome_of(lambda: trial.tell(ref, write))
    is_kind(outcome, (Observation, OutcomeUnknown), "a write answered with an unknown word")
    equal(None, status_of(outcome), "the status of a write answered with an unknown word")


@promise
def one_bad_row_costs_one_row(trial: Trial) -> None:
    """What cannot be read of one parcel is named, and every other parcel is read."""
    it, state = trial.under_test, trial.states[0]
    bad, good = trial.parcel(state), trial.parcel(state)
    trial.wire.goes_wrong(rewriting(lambda body: it.spoiled(body, bad, "odd")))
    orders = trial.platform.orders([bad.order_id, good.order_id])
    if it.lists_changes:
        _check_rows(trial.platform.orders_changed(START - timedelta(days=1)), good)
    _check_rows(orders, good)
    alone = outcome_of(lambda: trial.platform.fulfillment(bad))
    equal(None, status_of(alone), "the status of a row that cannot be read")
    expect(alone is not None, "A parcel that cannot be read is said not to be there.")


def _check_rows(orders: Iterable[RemoteOrder], good: FulfillmentRef) -> None:
    rows = list(_rows(orders))
    seen = [row.ref.fulfillment_id for row in rows if isinstance(row, Observation)]
    equal([good.fulfillment_id], seen, "what is read beside a bad row")
    expect(
        any(isinstance(row, Unreadable) for row in rows), "A bad row was passed over in silence."
    )


def _rows(orders: Iterable[RemoteOrder]) -> Iterable[Observation | Unreadable]:
    for order in orders:
        yield from order.fulfillments
        yield from order.unreadable
