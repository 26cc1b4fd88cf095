from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrierflow.domain.clock import AHEAD, EARLIEST
from carrierflow.domain.model import FulfillmentRef
from carrierflow.errors import BadTime, InvalidInput
from carrierflow.platforms.sapo.admin_paths import AdminPaths
from carrierflow.platforms.sapo.printed_values import is_number, parse_printed_time, print_time

from .making import SEEN


@given(st.datetimes(EARLIEST.replace(tzinfo=None), (SEEN + AHEAD).replace(tzinfo=None)))
def test_a_time_comes_back_to_the_second(moment):
    """What is printed for a filter is read as the same second, never a later one."""
    aware = moment.replace(tzinfo=UTC)
    back = parse_printed_time(print_time(aware), name="x", seen_at=SEEN)
    assert aware.replace(microsecond=0) == back


@pytest.mark.parametrize(
    "text",
    ["2018-07-09T08:11:44Z", "2018-07-09T15:11:44.0+07:00", "2018-07-09T08:11:44.000000000Z"],
)
def test_zones_and_fractions_are_read(text):
    """A time is the same moment in whatever zone, and with whatever zeros, it is printed."""
    moment = datetime(2018, 7, 9, 8, 11, 44, tzinfo=UTC)
    assert moment == parse_printed_time(text, name="x", seen_at=SEEN)


@pytest.mark.parametrize(
    "moment",
    [datetime(2018, 7, 9), datetime.min.replace(tzinfo=timezone(timedelta(hours=7)))],
)
def test_a_time_that_cannot_be_placed_is_not_printed(moment):
    """A time without a zone, or beyond the calendar, never becomes a filter."""
    with pytest.raises(BadTime):
        print_time(moment)


@pytest.mark.parametrize("text", ["", " 1", "1\n", "x", "-1", "1.5", "٣", "1/2", "1" * 21])
def test_ids_are_digits(text):
    """Nothing but a number gets into an address."""
    assert not is_number(text)
    for ref in (
        FulfillmentRef(shop="s1", order_id=text, fulfillment_id="2"),
        FulfillmentRef(shop="s1", order_id="1", fulfillment_id=text),
    ):
        with pytest.raises(InvalidInput):
            AdminPaths().action(ref, "ship")


def test_the_documented_addresses():
    """Addresses are the printed ones, with the ending of integrations or without it."""
    ref = FulfillmentRef(shop="s1", order_id="1", fulfillment_id="2")
    bare, ended = AdminPaths(suffix=""), AdminPaths()
    assert ("/orders", "/orders/1") == (bare.orders, bare.order("1"))
    assert ("/orders.json", "/orders/1.json") == (ended.orders, ended.order("1"))
    assert "/orders/1/fulfillments/2/receive_after_cancellation" == bare.action(
        ref, "receive_after_cancellation"
    )
    assert "/orders/1/fulfillments/2/cancel.json" == ended.action(ref, "cancel_shipped")
    with pytest.raises(InvalidInput):
        ended.action(ref, "finalize")
