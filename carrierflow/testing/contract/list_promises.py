"""That what changed is found, while it goes on changing."""

from __future__ import annotations

from datetime import datetime

from carrierflow.domain.model import FulfillmentRef, RemoteOrder, Status
from carrierflow.errors import UnsupportedByPlatform
from carrierflow.reconcile.changes import BATCH, OVERLAP, changed_orders, newest
from carrierflow.testing.contract.expectations import equal, expect, is_kind, outcome_of, status_of
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial


__all__: list[str] = []

SOME = BATCH + 20
"""More than a page."""


def _parcels(trial: Trial, state: Status) -> list[FulfillmentRef]:
    made = []
    for _ in range(SOME):
        trial.clock.advance(2)
        made.append(trial.parcel(state))
    return made


@promise
def changes_are_listed_oldest_first(trial: Trial) -> None:
    """Page by page comes all that changed since, the oldest change first, nothing twice.

    A platform that lists no changes says so, and is not asked for any.
    """
    before = trial.clock()
    refs = _parcels(trial, trial.states[0])
    if not trial.under_test.lists_changes:
        outcome = outcome_of(lambda: trial.platform.orders_changed(before))
        is_kind(outcome, (UnsupportedByPlatform,), "a list where changes are never listed")
        equal([], trial.wire.passed, "requests for changes that are not listed")
        return
    pages = [trial.platform.orders_changed(before, page=number) for number in (1, 2)]
    found = [order for page in pages for order in page]
    equal([BATCH, SOME - BATCH], [len(page) for page in pages], "orders on each page")
    equal([ref.order_id for ref in refs], [order.order_id for order in found], "orders listed")
    times = [order.updated_at for order in found if order.updated_at]
    equal(sorted(times), times, "the times of the changes listed")
    middle = times[BATCH]
    later = {order.order_id for order in trial.platform.orders_changed(middle)}
    wanted = {order.order_id for order in found if order.updated_at and order.updated_at >= middle}
    expect(wanted <= later, "Something that changed at or after a time is not listed.")


@promise
def what_changes_while_it_is_read_is_not_lost(trial: Trial) -> None:
    """Parcels that move between two pages are found by this sweep or the next one."""
    if not trial.under_test.lists_changes:
        return
    state, write = trial.first_write
    since = trial.clock()
    refs = _parcels(trial, state)
    known: dict[str, Status | None] = {}
    sweep = changed_orders(trial.platform, since)
    end = _take_in(next(sweep), known, since)
    trial.clock.advance(2)
    moved = [refs[0], refs[-1], refs[BATCH // 2]]
    for ref in moved:
        trial.under_test.move(ref, write.to)
    for page in sweep:
        end = _take_in(page, known, end)
    for page in changed_orders(trial.platform, end - OVERLAP):
        _take_in(page, known, end)
    shown = {ref.fulfillment_id: trial.under_test.shown(ref) for ref in refs}
    equal(shown, known, "what two sweeps found while parcels moved")


def _take_in(
    orders: tuple[RemoteOrder, ...], known: dict[str, Status | None], since: datetime
) -> datetime:
    for order in orders:
        for seen in order.fulfillments:
            known[seen.ref.fulfillment_id] = status_of(seen)
    return newest(orders, since)
