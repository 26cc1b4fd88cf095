from __future__ import annotations

from datetime import timedelta

import pytest
from plain_runs import Leases

from carrierflow.errors import ShopHeld
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.storage.shops import all_shops


MINUTE = timedelta(seconds=60)


@pytest.fixture
def other(database, make_engine, make_store):
    """Another process's store on the same database."""
    return Leases(make_store(make_engine(database)))


@pytest.fixture
def leases(store):
    """The store as runs see it."""
    return Leases(store)


@pytest.fixture
def mine(store, shop):
    """The connected shop."""
    return store.shop(shop)


def test_one_run_at_a_time_holds_a_shop(leases, other, mine):
    """A shop that is held is not given to another run until it is let go."""
    hold = leases.claim(mine, "a", MINUTE)
    with pytest.raises(ShopHeld):
        other.claim(mine, "b", MINUTE)

    leases.release(hold)
    assert hold.fence + 1 == other.claim(mine, "b", MINUTE).fence


def test_a_lease_runs_out_by_itself(leases, other, mine, clock):
    """A run that died holds its shop no longer than its lease, to the moment."""
    leases.claim(mine, "a", MINUTE)
    clock.advance(MINUTE - timedelta(microseconds=1))
    with pytest.raises(ShopHeld):
        other.claim(mine, "b", MINUTE)

    clock.advance(microseconds=1)
    assert 2 == other.claim(mine, "b", MINUTE).fence


def test_renewing_holds_on(leases, other, mine, clock):
    """A run that renews in time keeps its shop for as long as it does."""
    hold = leases.claim(mine, "a", MINUTE)
    for _ in range(3):
        clock.advance(seconds=50)
        assert leases.renew(hold, MINUTE)
        with pytest.raises(ShopHeld):
            other.claim(mine, "b", MINUTE)


def test_nobody_renews_what_another_has_taken(leases, other, mine, clock):
    """A run that lost its shop is told so when it renews, and cannot take it back unawares."""
    lost = leases.claim(mine, "a", MINUTE)
    clock.advance(seconds=61)
    hold = other.claim(mine, "b", MINUTE)

    assert not leases.renew(lost, MINUTE)
    leases.release(lost)
    with pytest.raises(ShopHeld):
        leases.claim(mine, "c", MINUTE)
    assert other.renew(hold, MINUTE)


def test_the_fence_only_grows(leases, other, mine, clock):
    """Each claim has a higher fence than every one before it, whoever made them."""
    fences = []
    for number in range(6):
        holder = (leases, other)[number % 2]
        hold = holder.claim(mine, "x", MINUTE)
        fences.append(hold.fence)
        if number % 3:
            holder.release(hold)
        clock.advance(seconds=61)

    assert sorted(set(fences)) == fences


def test_nothing_is_written_behind_a_fence_that_fell(leases, other, mine, make_parcel, clock):
    """A turn of a run that lost its shop is refused and leaves the parcel as it was."""
    parcel = make_parcel()
    lost = leases.claim(mine, "a", MINUTE)
    clock.advance(seconds=61)
    hold = other.claim(mine, "b", MINUTE)
    writing = FulfillmentUpdate(before=parcel, after=parcel, now=clock())

    with pytest.raises(ShopHeld):
        leases.runs.write(writing, fence=(mine, lost.fence))

    (same,) = leases.runs.parcels_of(mine, [parcel.ref.order_id])
    assert parcel.version == same.version
    after, _ = other.runs.write(writing, fence=(mine, hold.fence))
    assert parcel.version + 1 == after.version


def test_a_shop_that_was_served_goes_to_the_end_of_the_queue(store, leases, make_shop, clock):
    """Shops are offered in the order in which they last had a run; new ones come first."""
    codes = [make_shop(store) for _ in range(3)]
    clock.advance(seconds=1)
    for code in codes[:2]:
        leases.release(leases.claim(store.shop(code), "a", MINUTE))
        clock.advance(seconds=1)

    with store.reading() as connection:
        queue = [shop.code for shop in all_shops(connection) if shop.code in codes]
    assert [codes[2], codes[0], codes[1]] == queue
