from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from plain_runs import begin, end

from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Event, Status
from carrierflow.storage.backlog import backlogs, runs_ended
from carrierflow.storage.queries import find_parcel
from carrierflow.storage.reconcile import SqlReconcileStore


SECOND_US = 1_000_000


@pytest.fixture
def backlog(store, shop):
    """Read what waits at the shop; a request takes a quarter of a second to leak."""

    def read():
        with store.reading() as connection:
            found = backlogs(
                connection, store.database_clock, interval_us=lambda *_: SECOND_US // 4
            )
        return next(each for each in found if each.shop == shop)

    return read


@pytest.fixture
def confirm(store, engine, shop):
    """Write that the platform is known to show the opening of a parcel, and no more."""

    def work(fulfillment_id):
        with store.reading() as connection:
            parcel = find_parcel(connection, shop, fulfillment_id)
        left = parcel.delivery.seq + parcel.cod.seq - 2
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE carrierflow_fulfillments SET delivery_confirmed = 1, cod_confirmed = 1,"
                f" unpublished = {left} WHERE id = {parcel.id}"
            )

    return work


def test_the_oldest_unpublished_entry_is_the_first_that_is_not_confirmed(
    ledger, shop, make_parcel, clock, backlog, confirm
):
    """The lag counts from the entry that waits, not from the parcel's birth nor from its head."""
    name = make_parcel().ref.fulfillment_id
    assert clock() == backlog().oldest_unpublished_at
    confirm(name)
    assert backlog().oldest_unpublished_at is None

    waits_since = clock.advance(minutes=5)
    for status in (Status.PICKING, Status.DELIVERING):
        ledger.record(Event(shop=shop, fulfillment_id=name, status=status))
        clock.advance(minutes=5)
    confirm(name)
    assert waits_since == backlog().oldest_unpublished_at


def test_open_incidents_are_counted_by_kind(store, shop, clock, backlog):
    """Each kind has its own count, and what was settled is not in it."""
    mine = store.shop(shop)
    for kind, number in (("unreadable", 1), ("unreadable", 2), ("brake", 1), ("brake", 2)):
        finding = Finding(kind=kind, sentence="So.", ref=None, evidence={"number": number})
        SqlReconcileStore(store).open_incidents(mine, [finding], now=clock())
    assert {"unreadable": 2, "brake": 1} == backlog().incidents

    SqlReconcileStore(store).close_shop_incidents(mine, "brake", now=clock())
    assert {"unreadable": 2} == backlog().incidents


def test_the_budget_leaks(store, engine, shop, clock, backlog):
    """What is used is what has not leaked yet, and never less than nothing."""
    ahead = 3 * SECOND_US
    with engine.begin() as connection:
        now = int(clock().timestamp()) * SECOND_US
        connection.exec_driver_sql(
            f"UPDATE carrierflow_shops SET rate_until_us = {now + ahead} WHERE code = '{shop}'"
        )
    assert 12 == backlog().budget_used

    clock.advance(seconds=2)
    assert 4 == backlog().budget_used
    clock.advance(seconds=2)
    assert 0 == backlog().budget_used


def test_runs_are_found_by_their_end(store, shop, clock):
    """A run counts once it has ended, from the moment asked for on."""
    began = clock()
    ended_run, running = uuid.uuid4().hex, uuid.uuid4().hex
    for run in (ended_run, running):
        begin(store, run, shop, now=began)
    ended = clock.advance(minutes=1)
    end(store, ended_run, shop, counters={"put": 3}, now=ended)

    with store.reading() as connection:
        (found,) = [run for run in runs_ended(connection, ended) if run.shop == shop]
        later = runs_ended(connection, ended + timedelta(microseconds=1))
    assert (ended_run, ended, {"put": 3}) == (found.id, found.ended_at, found.counters)
    assert [] == [run for run in later if run.shop == shop]
