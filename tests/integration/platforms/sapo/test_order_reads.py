from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from carrierflow.domain.model import FulfillmentRef, RemoteWord, Status, Unreadable
from carrierflow.errors import (
    AccessDenied,
    Interrupted,
    InvalidInput,
    PlatformUnavailable,
    ReadRefused,
    Throttled,
)

from .conftest import CARRIER, ORDER, ORDER_ID, PAGE, PARCEL_ID, START, TOKEN


SINCE = datetime(2018, 7, 1, 0, 0, 0, 900_000, tzinfo=UTC)
UNUSABLE = ["", " ", "1 2", "../1", "1/2", "x", "1" * 21]


def test_an_order_is_read_at_its_own_address(server, answer, platform, ref, budget):
    """One GET reads an order with its parcels, and one parcel is picked from it."""
    server.plays(answer.order(), answer.order())

    seen, order = platform.fulfillment(ref), platform.order(ORDER_ID)

    assert [ORDER, ORDER] == server.paths
    assert {TOKEN} == {headers["X-Sapo-Access-Token"] for _, _, headers in server.received}
    assert RemoteWord(raw="received", status=Status.DELIVERED) == seen.carrier
    assert (ref, START, START) == (seen.ref, seen.asked_at, seen.seen_at)
    assert (ORDER_ID, (seen,), ()) == (order.order_id, order.fulfillments, order.unreadable)
    assert (2, 2, 0) == (budget.spent, platform.requests.get, platform.requests.put)


def test_a_parcel_is_picked_among_those_that_were_cancelled(server, answer, platform, ref):
    """An order keeps its cancelled parcels: which one is meant is said by its id alone."""
    old = answer.parcel("cancelled", id=1)
    server.plays(answer.reply({"order": answer.body(old, answer.parcel("fulfilled"))}))
    assert Status.DELIVERING is platform.fulfillment(ref).carrier.status


def test_a_read_may_show_that_it_is_tried_again(server, answer, platform, ref):
    """The composite of a read adds the one word that the plain fields lack."""
    row = answer.parcel("fulfilled", composite_fulfillment_status="retry_delivery")
    server.plays(answer.reply({"order": answer.body(row)}))
    expected = RemoteWord(raw="retry_delivery", status=Status.DELIVERING)
    assert expected == platform.fulfillment(ref).carrier


def test_several_orders_cost_a_request_each(server, answer, platform):
    """Each id is asked for once, in the order given, however often it was named."""
    server.plays(answer.order(id=7), answer.order("packed"))

    orders = platform.orders(["7", ORDER_ID, "7"])

    assert ["7", ORDER_ID] == [order.order_id for order in orders]
    assert [Status.DELIVERED, Status.READYTOPICK] == [
        order.fulfillments[0].carrier.status for order in orders
    ]


def test_what_is_no_id_is_never_asked_for(server, answer, platform):
    """Empty, blank and otherwise unusable ids leave no request, and nothing is said of them."""
    server.plays(answer.order())

    assert [ORDER_ID] == [order.order_id for order in platform.orders([*UNUSABLE, ORDER_ID])]
    assert [None] * len(UNUSABLE) == [platform.order(text) for text in UNUSABLE]
    for text in UNUSABLE:
        for order_id, parcel_id in ((text, PARCEL_ID), (ORDER_ID, text)):
            ref = FulfillmentRef(shop="s1", order_id=order_id, fulfillment_id=parcel_id)
            assert platform.fulfillment(ref) is None
    assert [ORDER] == server.paths


@pytest.mark.parametrize("ids", [[], [str(n) for n in range(51)]])
def test_no_ids_or_too_many_are_a_mistake(server, platform, ids):
    """One to fifty orders are asked for at a time."""
    with pytest.raises(InvalidInput, match="1 to 50"):
        platform.orders(ids)
    assert [] == server.paths


def test_absence_in_a_readable_order_is_none(server, answer, platform, ref):
    """An order that shows its parcels, and not this one, says that there is none."""
    server.plays(answer.reply({"order": answer.body(answer.parcel(id=1))}))
    assert platform.fulfillment(ref) is None


def test_an_unpacked_order_has_no_parcels(server, answer, platform, ref):
    """An empty list says that there is none where the order says that nothing is packed."""
    server.plays(answer.reply({"order": answer.body(packed_status="unpacked")}))
    assert platform.fulfillment(ref) is None


@pytest.mark.parametrize("kind", ["no list", "empty list"])
def test_an_order_that_shows_no_parcels_proves_nothing(server, answer, platform, ref, kind):
    """A packed order without parcels leaves them out: none of them is absent for it."""
    changes = {"fulfillments": None} if kind == "no list" else {}
    server.plays(answer.reply({"order": answer.body(**changes)}))
    with pytest.raises(ReadRefused):
        platform.fulfillment(ref)


def test_a_parcel_that_is_shown_twice_is_not_read(server, answer, platform, ref):
    """Of two rows that claim to be one parcel, neither is believed."""
    rows = answer.parcel("packed"), answer.parcel("fulfilled")
    server.plays(answer.reply({"order": answer.body(*rows)}))
    with pytest.raises(ReadRefused, match="twice"):
        platform.fulfillment(ref)


@pytest.mark.parametrize(
    "changes", [{"status": 7}, {"id": None}, {"shipment": {"cod_amount": 0.5}}]
)
def test_an_odd_parcel_is_one_odd_row(server, answer, platform, ref, changes):
    """A parcel that cannot be read, or a nameless one that may be it, comes as such."""
    other = answer.parcel("packed", id=1)
    server.plays(*[answer.reply({"order": answer.body(answer.parcel(**changes), other)})] * 2)

    assert isinstance(platform.fulfillment(ref), Unreadable)
    (order,) = platform.orders([ORDER_ID])

    assert ["1"] == [seen.ref.fulfillment_id for seen in order.fulfillments]
    assert 1 == len(order.unreadable)


MISSING = {
    "empty": lambda answer: answer.reply(status=404),
    "in its words": lambda answer: answer.printed("order_read_refused", status=404),
}


@pytest.mark.parametrize("kind", MISSING)
def test_not_found_is_believed_only_where_something_was_answered(
    server, answer, platform, ref, kind
):
    """A 404 may be anybody's word until an order was read; then it means that there is none."""
    server.plays(MISSING[kind](answer), answer.order(), MISSING[kind](answer))

    with pytest.raises(ReadRefused):
        platform.fulfillment(ref)
    platform.fulfillment(ref)
    assert platform.fulfillment(ref) is None


@pytest.mark.parametrize("kind", MISSING)
def test_an_order_that_is_not_found_is_none(server, answer, platform, kind):
    """404 is an answer to the question for an order."""
    server.plays(MISSING[kind](answer))
    assert platform.order(ORDER_ID) is None


def test_a_refused_order_hides_no_other(server, answer, platform):
    """Of several orders, one that is refused or not there is left out alone."""
    server.plays(answer.error(status=200), answer.error(status=404), answer.order())
    assert [ORDER_ID] == [order.order_id for order in platform.orders(["1", "2", ORDER_ID])]


def test_a_shop_that_shows_nothing_is_given_up(server, answer, platform):
    """Where nothing was ever answered, five refusals are enough."""
    server.plays(*[answer.no(status=400)] * 5)
    with pytest.raises(ReadRefused):
        platform.orders([str(number) for number in range(50)])
    assert 5 == len(server.paths)


def test_a_shop_that_shows_something_is_not_given_up(server, answer, platform):
    """Once an order was read, any number of refusals are about the orders refused."""
    server.plays(answer.order(), *[answer.no(status=400)] * 9)
    found = platform.orders([ORDER_ID, *(str(number) for number in range(9))])
    assert [ORDER_ID] == [order.order_id for order in found]


def test_changes_are_listed_by_page(server, answer, platform):
    """A page is asked for by its number, its size and the second of the change, and sorted."""
    late, early = (
        answer.body(
            answer.parcel(order_id=number), id=number, modified_on=f"2018-07-0{day}T00:00:00Z"
        )
        for number, day in ((1, 9), (2, 3))
    )
    server.plays(answer.page(late, early))

    found = platform.orders_changed(SINCE)

    assert ["2", "1"] == [order.order_id for order in found]
    (path,) = [urlsplit(path) for _, path in server.paths]
    assert "/admin/orders.json" == path.path
    assert {
        "modified_on_min": ["2018-07-01T00:00:00Z"],
        "page": ["1"],
        "limit": ["50"],
    } == parse_qs(path.query)
    assert {"orders"} == {seen.source for order in found for seen in order.fulfillments}


def test_an_order_listed_without_its_parcels_is_read_by_itself(server, answer, platform):
    """A list may leave parcels out; the time of the change stays the list's, for the next page."""
    listed = answer.body(fulfillments=None, modified_on="2018-07-03T00:00:00Z")
    server.plays(answer.page(listed), answer.order())

    (order,) = platform.orders_changed(SINCE)

    assert PARCEL_ID == order.fulfillments[0].ref.fulfillment_id
    assert datetime(2018, 7, 3, tzinfo=UTC) == order.updated_at
    assert (1, ORDER) == (platform.requests.alone, server.paths[1])


def test_an_order_that_is_shown_in_neither_way_stays_left_out(server, answer, platform):
    """What its own address does not show either is given as it was listed."""
    server.plays(answer.page(answer.body(fulfillments=None)), answer.error(status=404))
    (order,) = platform.orders_changed(SINCE)
    assert (True, ()) == (order.left_out, order.fulfillments)


@pytest.mark.parametrize("status", [400, 422])
def test_a_list_may_be_refused(server, answer, platform, status):
    """A shop that does not list orders says so, and may show them one by one."""
    server.plays(*[answer.no(status=status)] * 2)
    with pytest.raises(ReadRefused):
        platform.orders_changed(SINCE)


def test_a_list_that_is_not_about_changes_is_refused(server, answer, platform):
    """Where the filter is not kept, and there is more, what changed cannot be asked."""
    old = [answer.body(id=n + 1, modified_on="2018-06-01T00:00:00Z") for n in range(2)]
    server.plays(answer.page(*old, total=38))
    with pytest.raises(ReadRefused, match="did not change"):
        platform.orders_changed(SINCE)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_not_accepted(server, answer, platform, ref, status):
    """401 and 403 in Sapo's own words are about the token."""
    server.plays(answer.error("token không hợp lệ", status=status))
    with pytest.raises(AccessDenied, match="token không hợp lệ") as caught:
        platform.fulfillment(ref)
    assert status == caught.value.http_status


UNAVAILABLE = {
    "lost": lambda answer: answer.hang_up,
    "broken off": lambda answer: answer.break_off,
    "server error": lambda answer: answer.error("down", status=502),
    "page": lambda answer: answer.reply(PAGE),
    "page with 401": lambda answer: answer.reply(PAGE, status=401),
    "page with 403": lambda answer: answer.reply(PAGE, status=403),
    "page with 404": lambda answer: answer.reply(PAGE, status=404),
    "page with 503": lambda answer: answer.reply(PAGE, status=503),
    "empty": lambda answer: answer.reply(),
    "no order": lambda answer: answer.reply({"orders": []}),
    "another order": lambda answer: answer.order(id=7),
}


@pytest.mark.parametrize("kind", UNAVAILABLE)
def test_what_is_no_answer_is_asked_again(server, answer, platform, ref, naps, kind):
    """Trouble on the way is tried again, and is then no word about the order."""
    trouble = UNAVAILABLE[kind](answer)
    server.plays(trouble, trouble, answer.order())

    with pytest.raises(PlatformUnavailable) as caught:
        platform.fulfillment(ref)

    assert not isinstance(caught.value, ReadRefused)
    assert "Nguyen" not in str(caught.value)
    assert 1 == len(naps)
    assert ref == platform.fulfillment(ref).ref


def test_a_pause_is_kept(server, answer, platform, ref, budget):
    """A 429 pauses the shop's budget for as long as it asks for, even from a gate's page."""
    server.plays(*[answer.reply(PAGE, status=429, Retry_After="7")] * 2)
    with pytest.raises(Throttled):
        platform.fulfillment(ref)
    assert [7.0, 7.0] == budget.pauses


def test_a_count_of_calls_is_told_to_the_budget(server, answer, platform, ref, budget):
    """The header of Sapo's newer API is heeded where it comes."""
    server.plays(answer.reply({"order": answer.body()}, X_Sapo_Api_Call_Limit="32/40"))
    platform.order(ORDER_ID)
    assert [32] == budget.used


def test_a_read_may_be_given_up(server, answer, make_platform, ref):
    """Whoever asks the work to stop does not wait for a slow answer."""

    def stop():
        raise Interrupted

    server.plays(answer.stay_silent)
    with pytest.raises(Interrupted):
        make_platform(idle=stop).fulfillment(ref)


@pytest.mark.parametrize(
    ("shipment", "is_ours"),
    [
        ({"delivery_service_provider_id": 10355}, True),
        ({"delivery_service_provider_id": CARRIER}, True),
        ({"delivery_service_provider_id": 103550}, False),
        ({"delivery_service_provider_id": None}, False),
        (None, False),
    ],
)
def test_ours_is_what_names_this_carrier(server, answer, platform, ref, shipment, is_ours):
    """A parcel is ours by the id of its delivery service provider, and no other is."""
    server.plays(answer.reply({"order": answer.body(answer.parcel(shipment=shipment))}))
    assert is_ours is platform.is_ours(platform.fulfillment(ref))


def test_the_budget_is_the_shops(platform):
    """What there is room for is what the budget says."""
    assert 3 == platform.room(3.0)
