"""The virtual day: its queue is the database's, and whoever is due is served in turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_runs import Leases
from sqlalchemy import update

from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.reconcile.ports import Rest
from carrierflow.storage.hinted import SqlHintStore
from carrierflow.storage.shop_queue import SqlShopQueue
from carrierflow.storage.tables import fulfillments, shops

from .virtual_day import Day, Load
from .virtual_queue import VirtualQueue, VirtualRow


SHOPS = 4
LEASE, HOLD = timedelta(seconds=60), timedelta(seconds=30)

NUMBERS = st.integers(0, SHOPS - 1)
SECONDS = st.sampled_from([0, 1, 30, 59, 60, 61, 300])
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), SECONDS),
        st.tuples(st.just("due"), st.integers(1, SHOPS)),
        st.tuples(st.just("begin"), NUMBERS),
        st.tuples(st.just("release"), NUMBERS, SECONDS, st.booleans()),
        st.tuples(st.just("wake"), NUMBERS),
    ),
    max_size=30,
)


class Both:
    """The queue of the database and the one without, that are told the same."""

    def __init__(self, store, codes, clock):
        self._clock, self._codes = clock, codes
        self._real, self._leases = SqlShopQueue(store), Leases(store)
        self._hints = SqlHintStore(store, platform="haravan")
        rows = [VirtualRow(number, clock()) for number in range(len(codes))]
        self._model, self._holds = VirtualQueue(rows), {}

    def do(self, act, *given):
        return getattr(self, act)(*given)

    def due(self, limit):
        now = self._clock()
        real = [self._codes.index(it.code) for it in self._real.due(limit, HOLD, now=now)]
        assert real == [row.number for row in self._model.due(limit, HOLD, now)]

    def begin(self, number):
        now, row = self._clock(), self._model.rows[number]
        if row.lease_until is None or row.lease_until <= now:
            shop = self._leases.store.shop(self._codes[number])
            self._holds[number] = self._leases.claim(shop, "a", LEASE)
            self._model.begin(row, LEASE, now)

    def release(self, number, seconds, rests):
        if number in self._holds:
            now = self._clock()
            until = now + timedelta(seconds=seconds)
            rest = Rest(next_due=until, retry_at=until if rests else None)
            self._leases.release(
                self._holds.pop(number), next_due=rest.next_due, retry_at=rest.retry_at
            )
            self._model.release(self._model.rows[number], rest, now)

    def wake(self, number):
        self._hints.hint(self._codes[number], "71", now=self._clock())
        self._model.wake(self._model.rows[number], self._clock())

    def end(self):
        self._clock.advance(hours=1)
        self.due(SHOPS)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_the_virtual_queue_is_the_databases(
    sqlite_store, sqlite_ledger, make_shop, make_parcel_at, clock, acts
):
    """Whatever happens in whatever order, both offer the same shops in the same order."""
    sqlite_store.transact(lambda c: c.execute(update(shops).values(state="paused")))
    codes = [make_shop(sqlite_store) for _ in range(SHOPS)]
    for code in codes:
        make_parcel_at(code)
    nothing_to_tell = update(fulfillments).values(unpublished=0)
    sqlite_store.transact(lambda c: c.execute(nothing_to_tell))
    both = Both(sqlite_store, codes, clock)
    for act, *more in acts:
        if act == "pass":
            clock.advance(seconds=more[0])
        else:
            both.do(act, *more)
    both.end()


@pytest.fixture
def make_parcel_at(sqlite_ledger):
    """Open a parcel of the order 71 at a shop."""

    def make(code):
        ref = FulfillmentRef(shop=code, order_id="71", fulfillment_id="1")
        sqlite_ledger.open(Opening(ref=ref, cod_amount=None))

    return make


@pytest.mark.parametrize("slots", [1, 4, 16])
def test_nobody_waits_longer_than_one_quantum_of_each_before(slots):
    """Some shops have more to tell than a quantum each time; the smallest is served in its turn."""
    load = Load(shops=200, parcels=40_000, hours=2, outages=((0, 0.5, 0.5),), deaths=0.01)
    day = Day(load, slots).play()

    assert day.quanta
    assert day.died
    assert 0 < day.longest_wait <= day.bound


def test_a_day_is_the_same_each_time():
    """Its figures depend on its seed alone."""
    load = Load(shops=50, parcels=500, hours=1)
    first, second = (Day(load, 4).play() for _ in range(2))
    assert (first.step_waits, first.runs) == (second.step_waits, second.runs)
