"""Runs that end without a word: they are counted, and let their shop rest longer and longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plain_runs import Leases
from sqlalchemy import select, update

from carrierflow.reconcile.ports import LeftAlone
from carrierflow.storage import processes
from carrierflow.storage.shop_queue import SqlShopQueue
from carrierflow.storage.tables import incidents, shops


MINUTE = timedelta(minutes=1)


@pytest.fixture
def leases(store):
    return Leases(store)


@pytest.fixture
def die(leases, store, shop, clock):
    """Let so many runs begin and end without a word, by whoever insists."""

    def times(count):
        for _ in range(count):
            leases.claim(store.shop(shop), "a", MINUTE)
            clock.advance(MINUTE)

    return times


def row(store, code):
    with store.reading() as connection:
        return connection.execute(select(shops).where(shops.c.code == code)).one()


def told(store, code):
    """Return what was opened of a shop, by its kind and whether it is open."""
    query = select(incidents.c.kind, incidents.c.state, incidents.c.times_seen).where(
        incidents.c.shop == store.shop(code).id
    )
    with store.reading() as connection:
        return [tuple(it) for it in connection.execute(query)]


def attempt(leases, store, code):
    """Begin a run that nobody insists on."""
    return leases.claim(store.shop(code), "b", MINUTE, insist=False)


@pytest.mark.parametrize("deaths", [0, 1, 2])
def test_a_lease_that_ran_out_counts_and_a_good_end_resets_it(leases, store, shop, die, deaths):
    """Up to two are no reason to leave a shop alone; the run that follows knows of them."""
    die(deaths)
    hold = attempt(leases, store, shop)
    assert (deaths, deaths) == (hold.died, row(store, shop).runs_died)

    leases.release(hold)
    assert 0 == row(store, shop).runs_died
    assert [] == told(store, shop)


def test_a_process_that_is_gone_counts_before_its_lease_is_over(leases, store, shop):
    """It ended without a word, too."""
    leases.claim(store.shop(shop), "a", MINUTE)
    place, number, _ = processes._parts(processes.this_process())
    gone = f"{place}/{number}/1"
    store.transact(lambda c: c.execute(update(shops).values(lease_process=gone)))
    assert 1 == attempt(leases, store, shop).died


def test_the_third_time_opens_an_incident_with_growing_pauses(leases, store, shop, die, clock):
    """A minute, two, four, up to an hour; between them it is tried, and nobody holds it."""
    die(3)
    queue, pauses = SqlShopQueue(store), []
    for number in range(8):
        with pytest.raises(LeftAlone) as left:
            attempt(leases, store, shop)
        assert f"{3 + number} runs" in left.value.sentence
        its = row(store, shop)
        assert (None, None) == (its.lease_until, its.queued_until)
        pauses.append(its.retry_at - clock())
        assert its.next_due == its.retry_at == left.value.shop.retry_at
        clock.advance(pauses[-1])
        assert shop in [it.code for it in queue.due(1000, MINUTE, now=clock())]
        attempt(leases, store, shop)
        clock.advance(MINUTE)

    assert [1, 2, 4, 8, 16, 32, 60, 60] == [pause / MINUTE for pause in pauses]
    assert [("run_dies", "open", 8)] == told(store, shop)


def test_a_shop_that_somebody_names_is_tried_all_the_same(leases, store, shop, die):
    """Whoever insists may see with their own eyes what kills it."""
    die(3)
    assert 3 == leases.claim(store.shop(shop), "b", MINUTE, insist=True).died
    assert [] == told(store, shop)


def test_a_hint_does_not_end_the_pause_and_somebody_who_wakes_it_does(
    leases, store, shop, die, clock
):
    """Whatever is told of the shop, what kills its runs is still there."""
    die(3)
    with pytest.raises(LeftAlone):
        attempt(leases, store, shop)
    queue = SqlShopQueue(store)
    assert shop not in [it.code for it in queue.due(1000, MINUTE, now=clock())]
    queue.wake(shop, now=clock())
    assert shop in [it.code for it in queue.due(1000, MINUTE, now=clock())]
