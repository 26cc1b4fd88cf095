"""What a list of orders leaves out is asked for again before anybody says that it is not there."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from carrierflow.domain.model import FulfillmentRef, Status
from carrierflow.errors import AccessDenied, PlatformUnavailable, ReadRefused
from carrierflow.platforms.haravan import HttpLimits


ORDER = "1235748629"
LIST = f"/com/orders/{ORDER}/fulfillments.json?limit=50"
EMPTY = {"orders": []}


@pytest.fixture
def order(payload):
    """An order with one fulfillment, as a list shows it."""
    return json.loads(payload("order_cancelled_with_fulfillment"))["order"]


@pytest.fixture
def theirs(order):
    """The same fulfillments, as the order's own list shows them."""
    return {"fulfillments": order["fulfillments"]}


def without(order, **fields):
    """Return a list with the order in it, and without its fulfillments."""
    body = {name: value for name, value in order.items() if name != "fulfillments"}
    return {"orders": [body | fields]}


def read(platform):
    """Return what was read: the statuses, and how many single reads that took."""
    orders = platform.orders([ORDER])
    return [one.carrier.status for o in orders for one in o.fulfillments], platform.requests.alone


LEFT_OUT = {
    "no key": without,
    "null": lambda order: without(order, fulfillments=None),
    "an empty list": lambda order: without(order, fulfillments=[]),
    "an empty list of an order that is not shipped, it says": lambda order: without(
        order, fulfillments=[], fulfillment_status="notfulfilled"
    ),
    "no order": lambda _: EMPTY,
    "other orders": lambda order: {"orders": [order | {"id": 77, "fulfillments": []}]},
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_a_list_leaves_out_is_asked_for_by_order(
    server, answer, platform, order, theirs, case
):
    """Whatever is missing in the reply to `ids`, the order's own list is read."""
    server.plays(answer.reply(LEFT_OUT[case](order)), answer.reply(theirs))

    assert ([Status.CANCEL], 1) == read(platform)
    assert ("GET", LIST) == server.paths[1]


def test_what_is_asked_for_by_order_is_of_a_cancelled_order(
    server, answer, platform, order, theirs
):
    """The list says that the order was cancelled, and its own list what became of the parcel."""
    server.plays(answer.reply(without(order)), answer.reply(theirs))

    (shown,) = platform.orders([ORDER])

    assert shown.cancelled
    assert [True] == [one.order_cancelled for one in shown.fulfillments]


@pytest.mark.parametrize("status", [400, 403, 404, 405, 410, 422])
def test_a_list_that_is_refused_is_not_asked_for_again(
    server, answer, make_platform, theirs, status
):
    """A shop that does not list orders by id is read one by one, and asked once a run."""
    platform = make_platform(limits=HttpLimits(get_retries=0))
    server.plays(answer.reply(status=status), *[answer.reply(theirs)] * 2)

    assert ([Status.CANCEL], 1) == read(platform)
    assert ([Status.CANCEL], 2) == read(platform)
    assert 3 == len(server.received)


def test_a_token_that_opens_nothing_is_said_at_once(server, answer, platform):
    """401 is about the token, whatever was asked."""
    server.plays(answer.reply(status=401))
    with pytest.raises(AccessDenied):
        platform.orders([ORDER])


def test_a_right_that_lacks_for_both_ways_is_said(server, answer, platform):
    """403 to the list and to the order's own list is about the token, too."""
    server.plays(*[answer.reply(status=403)] * 2)
    with pytest.raises(AccessDenied):
        platform.orders([ORDER])


@pytest.mark.parametrize("status", [400, 404, 410])
def test_an_order_that_neither_way_shows_is_left_out(server, answer, platform, order, status):
    """What is shown in neither way is not made up; what is shown empty is shown."""
    server.plays(answer.reply(EMPTY), answer.reply(status=status))
    assert () == platform.orders([ORDER])

    server.plays(answer.reply(without(order, fulfillments=[])), answer.reply(b""))
    (shown,) = platform.orders([ORDER])
    assert () == shown.fulfillments


def test_a_platform_that_refuses_everything_is_given_up_soon(server, answer, platform):
    """Where nothing is answered at all, fifty orders are not asked for one by one."""
    server.plays(*[answer.reply(status=404)] * 6)
    with pytest.raises(ReadRefused):
        platform.orders([str(number) for number in range(1, 51)])
    assert 6 == len(server.received)


def test_another_orders_fulfillments_are_not_believed(server, answer, platform, theirs):
    """A row about another order is none of this one's, and proves nothing about it."""
    server.plays(answer.reply(EMPTY), answer.reply(theirs))

    (order,) = platform.orders(["77"])

    assert () == order.fulfillments
    assert ["it belongs to another order"] == [row.reason for row in order.unreadable]


def test_an_odd_row_of_the_orders_own_list_costs_itself(server, answer, platform, theirs):
    """What can be read of the second answer is read, and the rest is named."""
    theirs["fulfillments"].append({"id": 5001})
    server.plays(answer.reply(EMPTY), answer.reply(theirs))

    (order,) = platform.orders([ORDER])

    assert (1, ["5001"]) == (
        len(order.fulfillments),
        [row.fulfillment_id for row in order.unreadable],
    )
    assert ["fulfillments[1]"] == [row.place for row in order.unreadable]


@pytest.mark.parametrize(
    ("fields", "is_asked"),
    [
        ({}, True),
        ({"fulfillments": []}, False),
        ({"fulfillments": [], "fulfillment_status": "notfulfilled"}, False),
        ({"fulfillments": [], "fulfillment_status": "fulfilled"}, True),
        ({"fulfillments": [], "fulfillment_status": "partial"}, True),
    ],
)
def test_a_sweep_asks_for_what_should_be_there(
    server, answer, platform, order, theirs, soon, fields, is_asked
):
    """An order that was shipped and shows nothing is asked for; one that was not costs nothing."""
    order.pop("fulfillment_status", None)
    server.plays(answer.reply(without(order, **fields)), answer.reply(theirs))

    (found,) = platform.orders_changed(soon)

    assert is_asked == bool(found.fulfillments) == bool(platform.requests.alone)
    assert ORDER == found.order_id


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_sweep_that_is_refused_says_so(server, answer, make_platform, soon, status):
    """`status=any` or `order=` may be refused; then nobody knows what changed."""
    server.plays(answer.reply(status=status))
    with pytest.raises(ReadRefused):
        make_platform(limits=HttpLimits(get_retries=0)).orders_changed(soon)


def test_one_fulfillment_is_read_at_its_own_address(server, answer, platform, payload, ref):
    """Its own 404 is what says that it is gone; it counts where the platform answers at all."""
    server.plays(answer.reply(payload("fulfillment_put_picking")), answer.reply(status=404))

    assert ref == platform.fulfillment(ref).ref
    assert platform.fulfillment(ref) is None
    own = f"/com/orders/{ref.order_id}/fulfillments/{ref.fulfillment_id}.json"
    assert [("GET", own)] * 2 == server.paths


def test_a_404_to_everything_is_nobodys_word(server, answer, platform, ref):
    """Who answers nothing but 404 may be anybody, and says nothing of a parcel."""
    server.plays(answer.reply(status=404))
    with pytest.raises(ReadRefused):
        platform.fulfillment(ref)


@pytest.mark.parametrize("status", [400, 410, 422])
def test_another_refusal_is_no_absence(server, answer, make_platform, ref, status):
    """Only 404 says that there is nothing."""
    platform = make_platform(limits=HttpLimits(get_retries=0))
    server.plays(answer.reply(EMPTY), answer.reply(status=status))
    platform.orders_changed(platform._client._now())
    with pytest.raises(ReadRefused):
        platform.fulfillment(ref)


def test_another_fulfillment_is_not_believed(server, answer, make_platform, payload, ref):
    """A reply about another parcel is no answer, and one about another order cannot be read."""
    platform = make_platform(limits=HttpLimits(get_retries=0))
    server.plays(*[answer.reply(payload("fulfillment_put_picking"))] * 2)

    with pytest.raises(PlatformUnavailable, match="another fulfillment"):
        platform.fulfillment(replace(ref, fulfillment_id="2"))
    assert "it belongs to another order" == platform.fulfillment(replace(ref, order_id="1")).reason


@pytest.mark.parametrize(("order_id", "fulfillment_id"), [("..", "1"), ("1", "#1"), ("", "1")])
def test_a_parcel_that_cannot_be_there_is_not_asked_for(server, platform, order_id, fulfillment_id):
    """Ids that would lead to another address are simply not there."""
    ref = FulfillmentRef(shop="s1", order_id=order_id, fulfillment_id=fulfillment_id)
    assert platform.fulfillment(ref) is None
    assert [] == server.received
