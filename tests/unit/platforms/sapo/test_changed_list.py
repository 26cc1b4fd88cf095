from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.model import RemoteOrder, Unreadable
from carrierflow.errors import ReadRefused
from carrierflow.platforms.sapo.changed_list import ChangedList
from carrierflow.platforms.sapo.order_bodies import OrderPage
from carrierflow.reconcile.changes import BATCH, changed_orders


START = datetime(2026, 3, 1, tzinfo=UTC)


def changed(number, minutes):
    """Return an order that changed so many minutes after the start."""
    return RemoteOrder(
        order_id=str(number),
        updated_at=START + timedelta(minutes=minutes),
        cancelled=False,
        fulfillments=(),
    )


class Shop:
    """A shop that lists its orders in its own way, and counts how often it is asked."""

    def __init__(self, orders, *, most=BATCH, total=True, filters=True):
        self.orders, self.most, self.total, self.filters = orders, most, total, filters
        self.asked = []
        self.changed = ChangedList(self.read, size=BATCH)

    def read(self, since, number):
        """Answer with one page."""
        self.asked.append(number)
        found = [o for o in self.orders if not self.filters or o.updated_at >= since]
        page = tuple(found[(number - 1) * self.most : number * self.most])
        return OrderPage(orders=page, total=len(found) if self.total else None)

    def orders_changed(self, since, *, page=1):
        """Answer as the platform does."""
        return self.changed.page(since, page)


def ids(orders):
    """Return the ids of some orders."""
    return [order.order_id for order in orders]


def test_a_page_that_comes_oldest_first_is_given_as_it_is():
    """Where the list is in order, a page costs a request, and one more to see that it is."""
    shop = Shop([changed(n, n) for n in range(120)])
    assert ids(shop.orders[:50]) == ids(shop.orders_changed(START))
    assert ids(shop.orders[50:100]) == ids(shop.orders_changed(START, page=2))
    assert ids(shop.orders[100:]) == ids(shop.orders_changed(START, page=3))
    assert [1, 1, 2, 1, 3] == shop.asked


def test_a_page_in_order_by_chance_is_not_taken_for_one_of_a_list_in_order():
    """One late change at the end of a page would make a sweep pass over all that lie between."""
    shop = Shop(
        [
            *(changed(n, n) for n in range(49)),
            changed(49, 200),
            *(changed(n, n) for n in range(50, 120)),
        ]
    )
    assert [str(n) for n in (*range(49), 50)] == ids(shop.orders_changed(START))


def test_a_single_page_is_sorted():
    """What comes newest first, and all on one page, is put in order without another request."""
    shop = Shop([changed(n, -n) for n in range(30)])
    assert ids(shop.orders[::-1]) == ids(shop.orders_changed(START - timedelta(days=1)))
    assert [1] == shop.asked


@pytest.mark.parametrize("total", [True, False])
def test_a_list_that_comes_newest_first_is_read_whole(total):
    """The first page of another order may lack the oldest change, so all pages are read for it."""
    shop = Shop([changed(n, 200 - n) for n in range(120)], total=total)
    assert ids(shop.orders[::-1][:50]) == ids(shop.orders_changed(START))
    assert ids(shop.orders[::-1][100:]) == ids(shop.orders_changed(START, page=3))


def test_a_shop_that_gives_shorter_pages_is_read_whole():
    """A `limit` that is lowered without a word ends no sweep early."""
    shop = Shop([changed(n, n) for n in range(60)], most=20)
    assert ids(shop.orders[:50]) == ids(shop.orders_changed(START))


def test_a_page_that_comes_again_and_again_is_the_end():
    """A shop that ignores the number of the page is not asked for ever."""
    shop = Shop([changed(n, 50 - n) for n in range(50)], total=False)
    shop.read = lambda *_: OrderPage(orders=tuple(shop.orders), total=None)
    found = ChangedList(shop.read, size=BATCH).page(START, 1)
    assert ids(shop.orders[::-1]) == ids(found)


def test_a_filter_that_is_not_kept_is_told():
    """A shop that lists what did not change, page after page, does not list what changed."""
    shop = Shop([changed(n, -n) for n in range(60)], filters=False)
    with pytest.raises(ReadRefused, match="did not change"):
        shop.orders_changed(START)


def test_on_one_page_a_filter_is_made_up_for():
    """A small shop may ignore the filter: what is older is left out."""
    shop = Shop([changed(n, 10 - n) for n in range(20)], filters=False)
    assert [str(n) for n in range(10, -1, -1)] == ids(shop.orders_changed(START))


def test_the_filter_is_of_whole_seconds():
    """What changed in the same second, before the time asked about, belongs to the page."""
    shop = Shop([changed(n, n) for n in range(60)])
    assert 50 == len(shop.orders_changed(START + timedelta(milliseconds=900)))


def test_orders_without_a_time_or_an_id_are_kept():
    """An odd order is on its page, first of all, and is known by how it looks."""
    flaw = Unreadable(place="orders[0]", reason="odd", digest="d1")
    odd = RemoteOrder(
        order_id="", updated_at=None, cancelled=False, fulfillments=(), unreadable=(flaw,)
    )
    shop = Shop([])
    shop.read = lambda _, number: OrderPage(
        orders=(changed(1, 5), odd, *(changed(n, n) for n in range(2, 50))) if number == 1 else (),
        total=51,
    )
    assert ["", "2"] == ids(ChangedList(shop.read, size=BATCH).page(START, 1))[:2]


@given(
    st.integers(0, 180).flatmap(lambda most: st.permutations(range(most))),
    st.sampled_from([1, 7, 60]),
    st.sampled_from([BATCH, 20]),
    st.booleans(),
)
def test_a_sweep_sees_every_change_in_whatever_order_it_is_listed(order, crowd, most, total):
    """The core's sweep finds all orders that changed, of a list in any order whatever."""
    shop = Shop([changed(n, n // crowd) for n in order], most=most, total=total)
    found = {each.order_id for page in changed_orders(shop, START) for each in page}
    assert {str(n) for n in order} == found
