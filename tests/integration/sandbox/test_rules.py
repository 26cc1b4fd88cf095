from __future__ import annotations

import pytest

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.haravan import (
    CarrierCallables,
    NotFound,
    ParcelRef,
    Unprocessable,
    World,
    sign,
)
from carrierflow.sandbox.haravan.dotnet_time import parse, printed_fresh, printed_seconds


SEGMENTS = {
    "picking": "picking",
    "delivering": "delivering",
    "delivered": "delivered",
    "not_meet_customer": "notmeetcustomer",
    "waiting_for_return": "waitingforreturn",
    "return": "return",
    "cancel": "cancel",
}


@pytest.fixture
def ids(world):
    """One parcel: the ids of its order and of itself."""
    return world.add_parcel(shop="alpha", cod_amount=20_000)


@pytest.fixture
def path(ids):
    """The path of that parcel."""
    return f"/com/orders/{ids[0]}/fulfillments/{ids[1]}"


@pytest.mark.parametrize("first", sorted(set(SEGMENTS) - {"cancel"}))
@pytest.mark.parametrize("second", sorted(SEGMENTS))
def test_accepts_any_jump(first, second, ids, put):
    """Any status but cancel may be followed by any other, backwards too."""
    put(ids, first)

    assert SEGMENTS[second] == put(ids, second)["carrier_status_code"]


@pytest.mark.parametrize(
    "segment", ["carrier_status/picking", "carrier_status/cancel", "cod_status/paid"]
)
def test_cancel_is_terminal(segment, ids, path, put, ask, read):
    """A cancelled fulfillment refuses every status with 422 and stays as it was."""
    put(ids, "cancel")
    before = read(ids)

    status, body = ask("PUT", f"{path}/{segment}.json")

    assert 422 == status
    assert ["errors"] == list(body)
    assert before == read(ids)


def test_plain_put_on_cancelled_is_refused(ids, path, put, ask):
    """A cancelled fulfillment takes no new tracking number either."""
    put(ids, "cancel")

    assert 422 == ask("PUT", f"{path}.json", {"fulfillment": {"tracking_number": "9"}})[0]


def test_repeats_change_nothing(ids, put, clock, read):
    """The status that a parcel has already is accepted with 200 and moves no date."""
    put(ids, "picking")
    before = read(ids)
    clock.advance(60)

    again = put(ids, "picking")

    assert "picking" == again["carrier_status_code"]
    assert before is read(ids)


def test_restamps_its_own_date_only(ids, put, clock):
    """Coming back to a status overwrites its date and clears no other."""
    first = put(ids, "delivering")["delivering_date"]
    clock.advance(60)
    put(ids, "not_meet_customer")
    clock.advance(60)

    again = put(ids, "delivering")

    assert first != again["delivering_date"]
    assert "2026-01-05T08:01:00Z" == again["not_meet_customer_date"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("codpending", "codpaid"),
        ("codpaid", "codpaid"),
        ("codreceipt", "codreceipt"),
        ("none", "none"),
    ],
)
def test_delivered_lifts_only_pending_cash(before, after, world, put):
    """Entering delivered turns codpending into codpaid and touches no other COD status."""
    ids = world.add_parcel(shop="alpha", cod_amount=1, cod_status=before)

    assert after == put(ids, "delivered")["carrier_cod_status_code"]


def test_lift_has_the_same_date(ids, put):
    """The date of a lifted codpaid is that of delivered, to the last digit."""
    shown = put(ids, "delivered")

    assert shown["delivered_date"] == shown["cod_paid_date"]


@pytest.mark.parametrize("segment", sorted(set(SEGMENTS) - {"delivered"}))
def test_other_steps_leave_cash_alone(segment, ids, put):
    """No delivery status but delivered touches COD, not even cancel or return."""
    assert "codpending" == put(ids, segment)["carrier_cod_status_code"]


@pytest.mark.parametrize(
    ("segment", "code"),
    [("paid", "codpaid"), ("receipt", "codreceipt"), ("not_receipt", "codnotreceipt")],
)
def test_cash_leaves_delivery_alone(segment, code, ids, put):
    """A COD PUT stamps its date and leaves the delivery status."""
    shown = put(ids, segment, "cod")

    assert (code, "readytopick") == (
        shown["carrier_cod_status_code"],
        shown["carrier_status_code"],
    )


@pytest.mark.parametrize(
    "segment",
    [
        "carrier_status/pending",
        "carrier_status/readytopick",
        "carrier_status/ready_to_pick",
        "carrier_status/notmeetcustomer",
        "cod_status/pending",
        "cod_status/none",
        "cod_status/codpaid",
    ],
)
def test_unknown_segments_are_not_found(segment, path, ask):
    """A segment that the API does not have answers 404, codes in place of segments included."""
    assert 404 == ask("PUT", f"{path}/{segment}.json")[0]


@pytest.mark.parametrize("code", ["pending", "readytopick", "teleported"])
def test_plain_put_takes_only_puttable_codes(code, path, ask):
    """A plain PUT of a code that nobody may set is refused."""
    assert 422 == ask("PUT", f"{path}.json", {"fulfillment": {"carrier_status_code": code}})[0]


def test_plain_put_acts_like_a_status_put(ids, path, ask, read):
    """A plain PUT with the code of a status stamps the same date and lifts the same cash."""
    ask("PUT", f"{path}.json", {"fulfillment": {"carrier_status_code": "delivered"}})

    assert ("delivered", "codpaid") == (read(ids).carrier_status, read(ids).cod_status)
    assert {"ready_to_pick_date", "delivered_date", "cod_paid_date"} == set(read(ids).dates)


def test_plain_put_without_news_changes_nothing(ids, path, ask, read):
    """A plain PUT that says what the platform knows leaves `updated_at`."""
    before = read(ids)

    assert 200 == ask("PUT", f"{path}.json", {"fulfillment": {}})[0]
    assert before == read(ids)


@pytest.mark.parametrize(("amount", "code"), [(0, "none"), (5, "codpending")])
def test_post_starts_at_readytopick(amount, code, world, ask):
    """A new fulfillment is ready to pick, and codpending only if there is cash to collect."""
    order = world.add_order(shop="alpha", total=99)

    status, body = ask(
        "POST", f"/com/orders/{order.id}/fulfillments.json", {"fulfillment": {"cod_amount": amount}}
    )

    shown = body["fulfillment"]
    assert 201 == status
    assert ("readytopick", code) == (shown["carrier_status_code"], shown["carrier_cod_status_code"])


@pytest.mark.parametrize("name", ["cod_amount", "location_id"])
def test_post_refuses_what_is_no_number(name, world, ask):
    """An amount or a location that is no number is refused, not swallowed."""
    order = world.add_order(shop="alpha")
    body = {"fulfillment": {name: "much"}}

    assert 422 == ask("POST", f"/com/orders/{order.id}/fulfillments.json", body)[0]


@pytest.mark.parametrize("body", [None, [], {"fulfilment": {}}, {"fulfillment": 1}])
def test_bodies_need_their_wrapper(body, world, ask):
    """A body without the documented wrapper is answered 400."""
    order = world.add_order(shop="alpha")

    assert 400 == ask("POST", f"/com/orders/{order.id}/fulfillments.json", body)[0]


def test_unknown_paths_are_not_found(ask):
    """A path that the API does not have answers 404, fulfillments across orders among them."""
    assert 404 == ask("GET", "/com/fulfillments.json")[0]


def test_wrong_order_hides_a_fulfillment(ids, world, ask):
    """A fulfillment is found under its own order only."""
    other, _ = world.add_parcel(shop="alpha")

    assert 404 == ask("GET", f"/com/orders/{other}/fulfillments/{ids[1]}.json")[0]


@pytest.mark.parametrize("bumps", [True, False])
def test_bump_is_a_switch(bumps, clock):
    """A status moves the order's `updated_at` exactly where the shop says so."""
    world = World(clock=clock)
    world.add_shop(code="s", token="t", bump_orders=bumps)
    order_id, fulfillment_id = world.add_parcel(shop="s")
    before = world.shop("s").order(order_id).updated_at
    clock.advance(5)

    world.edit(ParcelRef("s", order_id, fulfillment_id), carrier_status="picking")

    assert bumps == (world.shop("s").order(order_id).updated_at > before)


@pytest.mark.parametrize(("lifts", "cod"), [(True, "codpaid"), (False, "codpending")])
def test_the_lift_is_a_switch(lifts, cod, clock):
    """A delivery lifts the cash exactly where the shop says so."""
    world = World(clock=clock)
    world.add_shop(code="s", token="t", lifts_cod=lifts)
    order_id, fulfillment_id = world.add_parcel(shop="s", cod_amount=5)

    parcel = world.edit(ParcelRef("s", order_id, fulfillment_id), carrier_status="delivered")

    assert cod == parcel.cod_status


@pytest.mark.parametrize(
    ("ignore", "code"), [(True, "readytopick"), (False, "cancel"), (None, "cancel")]
)
def test_cancelled_orders(ignore, code, ids, ask, read):
    """Cancelling an order cancels its fulfillments, unless the flag says to ignore them."""
    body = {} if ignore is None else {"ignore_cancel_fulfillment": ignore}

    status, answer = ask("POST", f"/com/orders/{ids[0]}/cancel.json", body)

    assert 200 == status
    assert ("cancelled", "other") == (
        answer["order"]["cancelled_status"],
        answer["order"]["cancel_reason"],
    )
    assert "2026-01-05T08:00:00Z" == answer["order"]["cancelled_at"]
    assert code == read(ids).carrier_status
    assert ("cancel_date" in read(ids).dates) == (code == "cancel")


def test_orders_are_cancelled_once(ids, ask):
    """A second cancel of an order is refused."""
    ask("POST", f"/com/orders/{ids[0]}/cancel.json")

    assert 422 == ask("POST", f"/com/orders/{ids[0]}/cancel.json")[0]


def test_cancels_reach_the_carrier(world, ids, put, call):
    """Both a cancel by API and the cancel of an order are told to the carrier, once each."""
    heard = []
    world.callbacks = CarrierCallables(on_cancel=heard.append)
    other = world.add_parcel(shop="alpha")

    put(ids, "cancel")
    call("POST", f"/com/orders/{other[0]}/cancel.json")

    assert [ParcelRef("alpha", *ids), ParcelRef("alpha", *other)] == heard


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("Delivered", "CODPending"), ("delivered", "codpaid")),
        (("Picking", "CODpaid"), ("picking", "codpaid")),
        (("Storing", "CODPending"), ("readytopick", "codpending")),
        (None, ("readytopick", "codpending")),
    ],
)
def test_polling_applies_the_carriers_words(words, expected, world, ids, read):
    """Polled words are mapped without case, and one that has no code changes nothing."""
    world.callbacks = CarrierCallables(poll_detail=lambda _ref: words)

    changed = world.poll(ParcelRef("alpha", *ids))

    assert expected == (read(ids).carrier_status, read(ids).cod_status)
    assert changed == (expected != ("readytopick", "codpending"))


def test_polling_never_uncollects_cash(world, ids, put, read):
    """Polled words that still say codpending do not take back cash that was collected."""
    world.callbacks = CarrierCallables(poll_detail=lambda _ref: ("Delivered", "CODPending"))
    put(ids, "delivered")

    assert not world.poll(ParcelRef("alpha", *ids))
    assert "codpaid" == read(ids).cod_status


def test_the_carrier_is_not_told_of_its_own_cancel(world, ids, read):
    """A cancel that the carrier answered to a poll does not come back as a callback."""
    heard = []
    words = ("Cancel", "CODPending")
    world.callbacks = CarrierCallables(on_cancel=heard.append, poll_detail=lambda _ref: words)

    world.poll_all()
    world.deliver_callbacks()

    assert ("cancel", []) == (read(ids).carrier_status, heard)


def test_polling_revives_nothing(world, ids, put):
    """A cancelled parcel is not polled any more."""
    world.callbacks = CarrierCallables(poll_detail=lambda _ref: ("Delivering", "None"))
    put(ids, "cancel")

    assert 0 == world.poll_all()


def test_signs_the_exact_bytes():
    """A callback is signed as OpenSSL does: HMAC-SHA256 in base64."""
    assert "nvoUoYQQpXpDL78M441LwzM5A2pk5XuMhtoLseEi2XI=" == sign(b'{"a": 1}', "secret")


def test_merchants_may_write_nonsense_but_revive_nothing(world, ids):
    """A merchant's edit takes any word, until the parcel is cancelled."""
    ref = ParcelRef("alpha", *ids)

    assert "teleported" == world.edit(ref, carrier_status="teleported").carrier_status

    world.edit(ref, carrier_status="cancel")
    with pytest.raises(Unprocessable):
        world.edit(ref, carrier_status="picking")


def test_removed_orders_are_gone(world, ids, ask):
    """A removed order answers 404 and is in no list."""
    world.remove_order("alpha", ids[0])

    assert 404 == ask("GET", f"/com/orders/{ids[0]}.json")[0]
    assert [] == ask("GET", f"/com/orders.json?ids={ids[0]}")[1]["orders"]
    with pytest.raises(NotFound):
        world.shop("alpha").parcel(*ids)


def test_ids_are_deterministic_and_free(clock):
    """Ids count up from a realistic size and step over those that somebody chose."""
    world = World(clock=clock)
    world.add_shop(code="s", token="t")
    world.add_parcel(shop="s", order_id=1229422896, fulfillment_id=1054978734)

    assert [(1229422895, 1054978733), (1229422897, 1054978735)] == [
        world.add_parcel(shop="s") for _ in range(2)
    ]


def test_an_order_may_have_two_parcels(world, ids):
    """A parcel that names an order which exists joins it."""
    joined = world.add_parcel(shop="alpha", order_id=ids[0])

    assert (ids[1], joined[1]) == world.shop("alpha").order(ids[0]).fulfillment_ids


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("2021-10-03T04:51:26.526012Z", "2021-10-03T04:51:26.526012Z"),
        ("2021-10-02T13:47:32.8910108Z", "2021-10-02T13:47:32.8910108Z"),
        ("2021-05-13T07:29:20.10Z", "2021-05-13T07:29:20.1Z"),
        ("2021-10-03T04:40:15Z", "2021-10-03T04:40:15Z"),
        ("2008-12-31 03:00", "2008-12-30T20:00:00Z"),
        ("2021-10-20T14:07:45.084+07:00", "2021-10-20T07:07:45.084Z"),
    ],
)
def test_times_survive_to_the_tick(text, again):
    """Times are read and printed without losing a digit; one without a zone is the shop's."""
    assert again == printed_fresh(parse(text))


def test_half_seconds_go_up():
    """Status dates are rounded half up to whole seconds."""
    assert ["2021-10-03T04:51:26Z", "2021-10-03T04:51:27Z"] == [
        printed_seconds(parse(f"2021-10-03T04:51:26.{digits}Z")) for digits in ("4999999", "5")
    ]


def test_manual_clocks_never_run_backwards():
    """A manual clock refuses to be advanced by less than nothing."""
    with pytest.raises(ValueError, match="-1"):
        ManualClock().advance(-1)
