from __future__ import annotations

import pytest


@pytest.fixture
def listed(ask):
    """List orders by a query and return their numbers and the metadata."""

    def page(query="", *, token="token-alpha", rows="orders"):
        status, body = ask("GET", f"/admin/{rows}.json{query}", token=token)
        assert 200 == status
        return [row["id"] for row in body[rows]], body["metadata"]

    return page


@pytest.fixture
def ten(world, clock):
    """Ten orders, one second apart, the oldest first."""

    def make():
        clock.advance(1)
        return world.add_order(shop="alpha")

    return [make() for _ in range(10)]


def test_pages_cut_the_list_in_order(listed, ten):
    """Newest first, every order is on exactly one page; behind the last is an empty one."""
    pages = [listed(f"?limit=4&page={number}") for number in (1, 2, 3, 4)]

    assert ten[::-1] == [number for rows, _ in pages for number in rows]
    assert [4, 4, 2, 0] == [len(rows) for rows, _ in pages]
    assert [{"total": 10, "page": n, "limit": 4} for n in (1, 2, 3, 4)] == [m for _, m in pages]


def test_a_shop_may_list_the_oldest_first(world, listed, clock):
    """How lists are sorted is documented nowhere, so a shop may turn it round."""
    world.add_shop(code="beta", token="token-beta", newest_first=False)
    first = world.add_order(shop="beta")
    clock.advance(1)
    second = world.add_order(shop="beta")

    assert [first, second] == listed(token="token-beta")[0]


def test_an_order_made_between_two_pages_pushes_one_over(world, listed, ten, clock):
    """The last row of a page comes again as the first of the next."""
    first, _ = listed("?limit=5")
    clock.advance(1)
    world.add_order(shop="alpha")

    second, metadata = listed("?limit=5&page=2")

    assert ([first[-1]], 11) == ([n for n in second if n in first], metadata["total"])


def test_an_order_gone_between_two_pages_hides_another(world, listed, ten):
    """What stood first on the second page is on the first by then, and seen on neither."""
    first, _ = listed("?limit=5")
    world.remove_order("alpha", first[0])

    second, _ = listed("?limit=5&page=2")

    assert [ten[4]] == sorted(set(ten) - set(first) - set(second))


def test_a_change_between_two_pages_of_a_window_moves_an_order_into_it(world, listed, ten, clock):
    """By `modified_on_min` an order comes in when it changes, at the place of its making."""
    since = "2026-01-05T08:00:08Z"
    assert ten[:6:-1] == listed(f"?modified_on_min={since}")[0]

    clock.advance(60)
    world.finish_order("alpha", ten[0])

    assert [*ten[:6:-1], ten[0]] == listed(f"?modified_on_min={since}")[0]


def test_the_bound_of_a_window_belongs_to_it(listed, ten):
    """Both bounds include what carries exactly their second, whatever their zone is."""
    exact = "?modified_on_min={0}&modified_on_max={0}"

    assert [ten[4]] == listed(exact.format("2026-01-05T08:00:05Z"))[0]
    assert [ten[4]] == listed(exact.format("2026-01-05T15:00:05%2B07:00"))[0]
    assert [ten[4]] == listed(exact.format("2026-01-05T08:00:05"))[0]
    assert (
        ten[6:4:-1]
        == listed("?created_on_min=2026-01-05T08:00:06Z&created_on_max=2026-01-05T08:00:07Z")[0]
    )


def test_a_shop_may_not_heed_the_window(world, listed):
    """Where the filter by change is ignored, everything comes."""
    world.add_shop(code="beta", token="token-beta", filters_modified=False)
    order = world.add_order(shop="beta")

    rows, _ = listed("?modified_on_min=2030-01-01T00:00:00Z", token="token-beta")
    assert [order] == rows


def test_orders_are_found_by_what_is_asked(world, listed, parcel):
    """By numbers, status, branch, code, and the code of a parcel or its waybill."""
    ref = parcel(tracking_code="VN123")
    draft = world.add_order(shop="alpha", status="draft", code="OWN-1")
    order, packed = world.shop("alpha").parcel(ref)

    assert [draft] == listed("?status=draft,cancelled")[0]
    assert [ref.order_id] == listed(f"?ids={ref.order_id},1")[0]
    assert [draft, ref.order_id] == listed("?location_id=58369&ids=")[0]
    assert [] == listed("?location_id=1")[0]
    assert [draft] == listed("?query=OWN-1")[0]
    for code in (order.code, packed.code, "VN123"):
        assert [ref.order_id] == listed(f"?query={code}")[0]
    assert [] == listed("?query=VN12")[0]


@pytest.mark.parametrize(
    ("query", "limit"), [("", 20), ("?limit=0", 1), ("?limit=9999", 250), ("?limit=7&page=0", 7)]
)
def test_limits_are_cut_to_what_may_be(listed, query, limit):
    """Without a limit there are twenty a page; too great a one is quietly made the greatest."""
    assert {"total": 0, "page": 1, "limit": limit} == listed(query)[1]


@pytest.mark.parametrize(
    "query", ["?updated_at_min=2026-01-05", "?limit=many", "?modified_on_min=soon", "?order=id"]
)
@pytest.mark.parametrize("rows", ["orders", "fulfillments"])
def test_a_filter_without_sense_is_refused(ask, query, rows):
    """Who sends a filter that is none would trust the answer, so there is none."""
    status, body = ask("GET", f"/admin/{rows}{query}")

    assert (400, ["error"]) == (status, list(body))


def test_parcels_are_listed_whatever_their_order(world, listed, parcel, act, clock):
    """Newest first, with the metadata of every list, and by what integrators filter with."""
    first = parcel(tracking_code="VN1")
    clock.advance(10)
    second = parcel(delivery_type="pickup")
    clock.advance(10)
    third = parcel()
    act(third, "ship")
    one, two, three = (ref.fulfillment_id for ref in (first, second, third))

    def found(query):
        return listed(query, rows="fulfillments")[0]

    assert ([three, two], {"total": 3, "page": 1, "limit": 2}) == listed(
        "?limit=2", rows="fulfillments"
    )
    assert [two] == found("?delivery_types=pickup")
    assert [three, one] == found("?delivery_types=courier,self_shipping")
    assert [three] == found("?composite_fulfillment_statuses=fulfilled,received")
    assert [one] == found("?query=VN1")
    assert [two, one] == found("?packed_on_max=2026-01-05T08:00:19Z")
    assert [three] == found("?shipped_on_min=2026-01-05T08:00:00Z")


def test_a_list_shows_the_composite_word_and_an_action_does_not(ask, parcel, act):
    """The reply to an action says null where the next read has the word."""
    ref = parcel()
    replied = act(ref, "ship")[1]["fulfillment"]

    rows = ask("GET", "/admin/orders")[1]["orders"][0]["fulfillments"]
    single = ask("GET", f"/admin/fulfillments/{ref.fulfillment_id}")[1]["fulfillment"]
    assert (None, "fulfilled", "fulfilled") == tuple(
        body["composite_fulfillment_status"] for body in (replied, rows[0], single)
    )
