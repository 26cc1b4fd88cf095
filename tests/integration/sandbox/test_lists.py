from __future__ import annotations

from itertools import chain
from urllib.parse import quote

import pytest

from carrierflow.sandbox.haravan.list_queries import ORDER_FILTERS, PARCEL_FILTERS


@pytest.fixture
def orders(world, clock):
    """Sixty orders, made one second apart."""
    made = []
    for _ in range(60):
        made.append(world.add_parcel(shop="alpha", cod_amount=1)[0])
        clock.advance(1)
    return made


@pytest.fixture
def listed(ask):
    """Return the ids that a query lists."""

    def send(query):
        status, body = ask("GET", f"/com/orders.json?{query}")
        assert status == 200
        return [order["id"] for order in body["orders"]]

    return send


@pytest.mark.parametrize("query", ["", "limit=250", "limit=50", "limit="])
def test_clamps_the_page(query, orders, listed):
    """A page never holds more than 50 orders, whatever limit is asked for, and says nothing."""
    assert len(orders) > 50
    assert 50 == len(listed(query))


def test_pages_do_not_overlap(orders, listed):
    """Pages together show every order once."""
    pages = [listed(f"order=updated_at asc&page={page}&limit=25") for page in (1, 2, 3, 4)]

    assert [25, 25, 10, 0] == [len(page) for page in pages]
    assert orders == list(chain.from_iterable(pages))


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("updated_at asc", 0, 49),
        ("updated_at desc", 59, 10),
        ("created_at asc", 0, 49),
        ("created_at desc", 59, 10),
    ],
)
def test_sorts(order, first, last, orders, listed):
    """Lists are sorted by either time in either direction."""
    shown = listed(f"order={quote(order)}")

    assert (orders[first], orders[last]) == (shown[0], shown[-1])


def test_updated_at_min_is_inclusive(orders, listed, ask):
    """An order is found by the very `updated_at` that a client has read."""
    shown = ask("GET", f"/com/orders/{orders[58]}.json")[1]["order"]["updated_at"]

    assert orders[58:] == listed(f"order=updated_at asc&updated_at_min={shown}")


def test_bounds_cut_both_ways(orders, listed):
    """Minimum and maximum of `created_at` both cut."""
    query = "created_at_min=2026-01-05T08:00:10Z&created_at_max=2026-01-05T08:00:12Z"

    assert orders[10:13] == sorted(listed(query))


def test_since_id_walks_upwards(orders, listed):
    """`since_id` lists the orders after it, the lowest id first."""
    assert orders[5:55] == listed(f"since_id={orders[4]}")


def test_ids_choose(orders, listed):
    """`ids` lists these orders and skips those that are not there."""
    assert {orders[3], orders[50]} == set(listed(f"ids={orders[3]},{orders[50]},17"))


@pytest.mark.parametrize("blank", ["ids=", "ids=%20", "since_id=&updated_at_min=", "status="])
def test_blank_filters_are_ignored(blank, orders, listed):
    """A blank filter lists whatever comes, as in production."""
    assert 50 == len(set(listed(blank)) & set(orders))


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 58), ("status=open", 58), ("status=cancelled", 1), ("status=closed", 1),
     ("status=any", 60), ("fulfillment_status=shipped", 58), ("fulfillment_status=unshipped", 0),
     ("fulfillment_status=partial", 0), ("fulfillment_status=fulfilled", 58),
     ("fulfillment_status=any", 58), ("financial_status=pending", 58), ("financial_status=paid", 0),
     ("financial_status=voided&status=any", 0), ("financial_status=", 58)],
)  # fmt: skip
def test_status_filters(query, expected, orders, world, ask):
    """Lists and counts show open orders unless another status is asked for."""
    world.cancel_order("alpha", orders[0])
    world.close_order("alpha", orders[1])

    assert {"count": expected} == ask("GET", f"/com/orders/count.json?{query}")[1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=many",
        "ids=a,b",
        "status=lost",
        "order=price asc",
        "updated_at_min=yesterday",
        "financial_status=partiallypaid",
        "fulfillment_status=notfulfilled",
        "processed_at_max=yesterday",
    ],
)
def test_senseless_filters_are_refused(query, orders, ask):
    """A filter that cannot be read answers 400 with an error."""
    assert orders
    assert (400, ["errors"]) == (
        (answer := ask("GET", f"/com/orders.json?{query}"))[0],
        list(answer[1]),
    )


def test_processed_at_is_when_an_order_came_in(orders, listed):
    """An order is imported as it is made, so both times cut alike."""
    query = "processed_at_min=2026-01-05T08:00:10Z&processed_at_max=2026-01-05T08:00:12Z"

    assert orders[10:13] == sorted(listed(query))


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (".json", ORDER_FILTERS),
        ("/count.json", ORDER_FILTERS),
        ("/{order}.json", {"fields"}),
        ("/{order}/fulfillments.json", PARCEL_FILTERS),
        ("/{order}/fulfillments/count.json", PARCEL_FILTERS),
        ("/{order}/fulfillments/{parcel}.json", set()),
    ],
)
def test_a_filter_that_is_not_in_the_reference_is_refused(path, known, world, ask):
    """Who sends it would trust an answer that ignores it; each that is there is taken."""
    order, parcel = world.add_parcel(shop="alpha")
    place = "/com/orders" + path.format(order=order, parcel=parcel)

    for name in {"org_id", "tracking_number", "Status", "created_at", "cursor"} - known:
        for value in ("1", ""):
            status, body = ask("GET", f"{place}?{name}={value}")
            assert (400, True) == (status, f"'{name}'" in body["errors"])
    for name in sorted(known):
        assert 200 == ask("GET", f"{place}?{name}=")[0]
    assert 200 == ask("GET", place)[0]


def test_fields_are_chosen(orders, ask):
    """`fields` keeps the named fields and no other, the fulfillments among them."""
    body = ask("GET", f"/com/orders.json?ids={orders[0]}&fields=id,updated_at,fulfillments")[1]

    assert {"id", "updated_at", "fulfillments"} == set(body["orders"][0])
    assert "readytopick" == body["orders"][0]["fulfillments"][0]["carrier_status_code"]


def test_index_follows_updates(orders, listed, world):
    """An order that changes moves to the end of a list by `updated_at`."""
    world.close_order("alpha", orders[0])

    assert orders[0] == listed("status=any&order=updated_at desc")[0]
    assert [orders[0]] == listed("status=any&updated_at_min=2026-01-05T08:01:00Z")


def test_fulfillments_are_listed_and_counted(orders, world, ask):
    """The fulfillments of one order are listed, filtered by id, and counted."""
    second = world.add_parcel(shop="alpha", order_id=orders[0])[1]
    base = f"/com/orders/{orders[0]}/fulfillments"

    shown = ask("GET", f"{base}.json?ids={second}&fields=id")[1]

    assert {"fulfillments": [{"id": second}]} == shown
    assert {"count": 2} == ask("GET", f"{base}/count.json")[1]
    assert {"count": 1} == ask("GET", f"{base}/count.json?ids={second}")[1]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("since_id={ids[1]}", [2, 3]),
        ("limit=3", [0, 1, 2]),
        ("limit=3&page=2", [3]),
        ("ids={ids[0]},{ids[3]},17&since_id={ids[0]}", [3]),
        ("created_at_min=2026-01-05T08:00:01.000Z", [1, 2, 3]),
        ("created_at_max=2026-01-05 15:00:01", [0, 1]),
        ("updated_at_min=2026-01-05T08:00:01Z&updated_at_max=2026-01-05T08:00:02Z", [1, 2]),
        ("updated_at_min=2026-01-05 15:01", []),
        ("ids=&since_id=&page=&created_at_min=", [0, 1, 2, 3]),
    ],
)
def test_fulfillments_are_filtered_as_the_reference_says(query, places, world, clock, ask):
    """Each filter cuts; a time without a zone is taken for the shop's own."""
    order = world.add_order(shop="alpha").id
    ids = []
    for _ in range(4):
        ids.append(world.add_parcel(shop="alpha", order_id=order)[1])
        clock.advance(1)

    filters = quote(query.format(ids=ids), safe="=&")
    _, body = ask("GET", f"/com/orders/{order}/fulfillments.json?{filters}")

    assert [ids[place] for place in places] == [row["id"] for row in body["fulfillments"]]


@pytest.mark.parametrize("query", ["limit=x", "page=x", "since_id=x", "ids=x", "created_at_min=x"])
def test_senseless_filters_of_fulfillments_are_refused(query, orders, ask):
    """A filter that cannot be read answers 400 with an error."""
    path = f"/com/orders/{orders[0]}/fulfillments.json?{query}"
    assert (400, ["errors"]) == ((answer := ask("GET", path))[0], list(answer[1]))


def test_shops_do_not_see_each_other(orders, world, ask):
    """A token lists its own shop only."""
    world.add_shop(code="beta", token="token-beta")

    assert {"count": 0} == ask("GET", "/com/orders/count.json", shop="beta")[1]
    assert 404 == ask("GET", f"/com/orders/{orders[0]}.json", shop="beta")[0]
