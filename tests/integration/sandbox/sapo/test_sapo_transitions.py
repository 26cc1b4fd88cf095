from __future__ import annotations

import pytest

from carrierflow.sandbox.sapo import SapoAction, SapoRefusal, SapoState


WAYS = {
    "packed": (),
    "fulfilled": ("ship",),
    "retry_delivery": ("ship", "retry"),
    "received": ("ship", "receive"),
    "packed_cancelled": ("cancel",),
    "fulfilled_cancelling": ("ship", "cancel"),
    "fulfilled_cancelled": ("ship", "cancel", "receive_after_cancellation"),
}
LEADS = {
    ("packed", "ship"): ("fulfilled", "fulfilled"),
    ("packed", "cancel"): ("cancelled", "packed_cancelled"),
    ("fulfilled", "receive"): ("received", "received"),
    ("fulfilled", "cancel"): ("cancelling", "fulfilled_cancelling"),
    ("retry_delivery", "receive"): ("received", "received"),
    ("retry_delivery", "cancel"): ("cancelling", "fulfilled_cancelling"),
    ("fulfilled_cancelling", "receive_after_cancellation"): ("cancelled", "fulfilled_cancelled"),
}
ACTIONS = ("ship", "receive", "cancel", "receive_after_cancellation")


@pytest.fixture
def bring(world, parcel):
    """Bring a parcel into a state by other hands than the app's, and return what names it."""

    def to(state, **fields):
        ref = parcel(**fields)
        for step in WAYS[state]:
            if step == "retry":
                world.link_says(ref, SapoState.RETRY_DELIVERY)
            else:
                world.act_by_hand(ref, SapoAction(step))
        return ref

    return to


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", sorted(WAYS))
def test_an_action_leads_where_the_documents_say_or_nowhere(bring, act, shown, state, action):
    """What no document lets be done gets a 422 and changes nothing; the rest leads on."""
    ref = bring(state)
    before = shown(ref)

    status, body = act(ref, action)

    after = shown(ref)
    if (state, action) in LEADS:
        assert 200 == status
        words = (after["status"], after["composite_fulfillment_status"])
        assert LEADS[state, action] == words
        assert {**after, "composite_fulfillment_status": None} == body["fulfillment"]
    else:
        assert (422, before) == (status, after)
        assert ["data_error"] == list(body)


@pytest.mark.parametrize(
    ("state", "before"),
    [
        ("packed", None),
        ("fulfilled", None),
        ("received", None),
        ("packed_cancelled", "packed"),
        ("fulfilled_cancelling", "fulfilled"),
        ("fulfilled_cancelled", "fulfilled"),
    ],
)
def test_what_was_before_a_cancel_is_told_only_after_one(bring, shown, state, before):
    """`status_before_cancellation` is left out, not null, until there was a cancel."""
    body = shown(bring(state))

    assert (before is not None) is ("status_before_cancellation" in body)
    assert before == body.get("status_before_cancellation")


def test_each_step_leaves_its_time_and_its_hand(parcel, act, shown, clock, world):
    """Ship, cancel and taking back each note when they were done and by whose account."""
    ref, account = parcel(), world.shop("alpha").account_id
    for action in ("ship", "cancel", "receive_after_cancellation"):
        clock.advance(60)
        act(ref, action)

    body = shown(ref)
    assert [f"2026-01-05T08:0{minute}:00Z" for minute in (1, 2, 3)] == [
        body[name] for name in ("shipped_on", "cancel_date", "receive_cancellation_on")
    ]
    actors = ("stock_out", "cancel", "receive_cancellation")
    assert [account] * 3 == [body[f"{actor}_account_id"] for actor in actors]


def test_a_parcel_on_its_way_back_is_not_back(parcel, act, shown):
    """After a cancel of what was shipped, the date of its coming back is still missing."""
    ref = parcel()
    act(ref, "ship")
    act(ref, "cancel")

    body = shown(ref)
    assert body["cancel_date"] is not None
    assert body["receive_cancellation_on"] is None


def test_a_shop_may_say_cancelled_for_what_is_coming_back(world, parcel, act, shown):
    """Where it does, only the missing date tells a parcel on its way back from one that is back."""
    world.add_shop(code="beta", token="token-beta", says_cancelling=False)
    world.shop("alpha").options = world.shop("beta").options
    ref = parcel()
    act(ref, "ship")
    act(ref, "cancel")

    body = shown(ref)
    words = (body["status"], body["status_before_cancellation"], body["receive_cancellation_on"])
    assert ("cancelled", "fulfilled", None) == words


@pytest.mark.parametrize(
    ("fields", "paid"),
    [
        ({"cod_amount": 250_000}, [100_000]),
        ({"cod_amount": 0}, []),
    ],
)
def test_receive_books_the_goods_and_not_the_cash(parcel, act, shown, fields, paid):
    """Where cash was to be collected, the payment's row is the total, whatever the cash was."""
    ref = parcel(total=100_000, **fields)
    act(ref, "ship")
    act(ref, "receive")

    body = shown(ref)
    assert paid == [row["amount"] for row in body["payments"]]
    assert ("paid" if paid else "unpaid") == body["payment_status"]


def test_ship_puts_the_cash_down(world, parcel, act, shown):
    """The deposit is the whole of the cash, at the second of the shipping; a shop may have none."""
    ref = parcel(cod_amount=250_000)
    act(ref, "ship")
    (deposit,) = shown(ref)["shipment"]["shipper_deposits"]
    assert (250_000, shown(ref)["shipped_on"]) == (deposit["amount"], deposit["paid_on"])

    world.add_shop(code="beta", token="token-beta", puts_down_deposits=False)
    world.shop("alpha").options = world.shop("beta").options
    other = parcel(cod_amount=250_000)
    act(other, "ship")
    assert [] == shown(other)["shipment"]["shipper_deposits"]


@pytest.mark.parametrize("action", ["ship", "receive"])
def test_a_parcel_for_pickup_moves_at_the_counter_only(world, parcel, act, shown, action):
    """It has no shipment, no call moves it on, and handed over it is unpaid for all that."""
    ref = parcel(delivery_type="pickup")
    assert 422 == act(ref, action)[0]
    assert ("packed", None) == (shown(ref)["status"], shown(ref)["shipment"])

    world.hand_over(ref)

    body = shown(ref)
    assert ("received", "unpaid", None) == tuple(
        body[name] for name in ("status", "payment_status", "receive_account_id")
    )
    assert body["shipped_on"] == body["received_on"]


def test_only_what_is_packed_is_handed_over(world, bring):
    """A parcel that has left is not at the counter any more."""
    ref = bring("fulfilled")

    with pytest.raises(SapoRefusal):
        world.hand_over(ref)


def test_a_second_try_is_no_state_that_an_action_sets(world, bring, shown, clock):
    """Sapo's own link sets it and takes it away; the status stays the same word."""
    ref = bring("fulfilled")

    clock.advance(60)
    world.link_says(ref, SapoState.RETRY_DELIVERY)
    body = shown(ref)
    assert ("fulfilled", "retry_delivery", "2026-01-05T08:01:00Z") == (
        body["status"],
        body["composite_fulfillment_status"],
        body["modified_on"],
    )

    world.link_says(ref, SapoState.FULFILLED)
    assert "fulfilled" == shown(ref)["composite_fulfillment_status"]
    with pytest.raises(SapoRefusal):
        world.link_says(bring("packed"), SapoState.RETRY_DELIVERY)


def test_a_cancelled_parcel_stays_beside_the_new_one(world, parcel, act, ask):
    """Packed anew, the order lists both, under numbers of their own and the same cash."""
    ref = parcel()
    act(ref, "cancel")

    _, number = world.pack_anew(ref)

    rows = ask("GET", f"/admin/orders/{ref.order_id}")[1]["order"]["fulfillments"]
    assert [(ref.fulfillment_id, "cancelled"), (number, "packed")] == [
        (row["id"], row["status"]) for row in rows
    ]
    assert [250_000, 250_000] == [row["shipment"]["cod_amount"] for row in rows]


def test_the_order_sums_up_its_parcels(world, parcel, act, ask):
    """The flags of an order are raised once all of its parcels that count are there."""
    ref = parcel(total=100_000)
    _, other = world.add_parcel(shop="alpha", order_id=ref.order_id)
    names = ("packed_status", "fulfillment_status", "received_status", "payment_status")

    def flags():
        order = ask("GET", f"/admin/orders/{ref.order_id}")[1]["order"]
        return tuple(order[name] for name in names)

    assert ("packed", "unshipped", "unreceived", "unpaid") == flags()
    act(ref, "ship")
    assert "unshipped" == flags()[1]
    act(ref._replace(fulfillment_id=other), "cancel")
    assert ("packed", "shipped", "unreceived", "unpaid") == flags()
    act(ref, "receive")
    assert ("packed", "shipped", "received", "paid") == flags()


@pytest.mark.parametrize(
    ("amounts", "word"), [((), "unpaid"), ((99_999,), "unpaid"), ((60_000, 40_000), "paid")]
)
def test_an_order_is_paid_once_everything_is(world, ask, amounts, word):
    """Prepayments count until they are taken back, and less than the total is not enough."""
    order = world.add_order(shop="alpha", total=100_000)
    method = {"payment_method_id": 220256}
    numbers = [world.prepay("alpha", order, method | {"amount": each}).id for each in amounts]
    gone = world.prepay("alpha", order, method | {"amount": 100_000}).id
    assert "paid" == ask("GET", f"/admin/orders/{order}")[1]["order"]["payment_status"]

    world.cancel_prepayment("alpha", order, gone)

    body = ask("GET", f"/admin/orders/{order}")[1]["order"]
    assert (word, [*numbers, gone]) == (
        body["payment_status"],
        [row["id"] for row in body["prepayments"]],
    )


@pytest.mark.parametrize(
    ("cancels", "words"),
    [
        (True, ["cancelled", "cancelling", "received", "cancelled"]),
        (False, ["packed", "fulfilled", "received", "cancelled"]),
    ],
)
def test_an_orders_cancel_reaches_its_parcels_where_the_shop_does_so(world, ask, cancels, words):
    """What has not arrived is cancelled with the order, and the order prints no date of it."""
    world.add_shop(code="beta", token="token-beta", cancels_parcels=cancels)
    order = world.add_order(shop="beta")
    numbers = [world.add_parcel(shop="beta", order_id=order)[1] for _ in range(4)]
    ways = [(), ("ship",), ("ship", "receive"), ("cancel",)]
    for number, way in zip(numbers, ways, strict=True):
        for action in way:
            path = f"/admin/orders/{order}/fulfillments/{number}/{action}"
            ask("POST", path, {}, token="token-beta")

    status, body = ask("POST", f"/admin/orders/{order}/cancel", 0, token="token-beta")

    assert (200, "cancelled") == (status, body["order"]["status"])
    assert words == [row["status"] for row in body["order"]["fulfillments"]]
    assert [] == [name for name in body["order"] if "cancel" in name and name.endswith("_on")]


@pytest.mark.parametrize(
    ("status", "possible"),
    [
        ("draft", {"finalize", "cancel"}),
        ("finalized", {"finish", "cancel", "fulfillments"}),
        ("finished", set()),
        ("cancelled", set()),
    ],
)
@pytest.mark.parametrize("action", ["finalize", "finish", "cancel", "fulfillments"])
def test_an_order_goes_only_where_it_can(world, ask, status, possible, action):
    """What an order's status does not allow is refused, and changes nothing."""
    order = world.add_order(shop="alpha", status="draft" if status == "draft" else "finalized")
    if status == "finished":
        world.finish_order("alpha", order)
    if status == "cancelled":
        world.cancel_order("alpha", order)
    before = ask("GET", f"/admin/orders/{order}")[1]
    fields = {"fulfillment": {"delivery_type": "pickup"}}

    code, body = ask("POST", f"/admin/orders/{order}/{action}", fields)

    assert (200 if action in possible else 422) == code
    if action not in possible:
        assert ([""], before) == (
            list(body["data_error"]["errors"]),
            ask("GET", f"/admin/orders/{order}")[1],
        )


@pytest.mark.parametrize("bumps", [True, False])
def test_an_action_moves_the_orders_date_where_the_shop_does_so(world, ask, clock, bumps):
    """`modified_on` of the parcel always moves, that of its order by an option of the shop."""
    world.add_shop(code="beta", token="token-beta", bumps_orders=bumps)
    order, number = world.add_parcel(shop="beta")
    clock.advance(90)

    ask("POST", f"/admin/orders/{order}/fulfillments/{number}/ship", {}, token="token-beta")

    body = ask("GET", f"/admin/orders/{order}", token="token-beta")[1]["order"]
    moved = "2026-01-05T08:01:30Z"
    assert moved == body["fulfillments"][0]["modified_on"]
    assert bumps is (moved == body["modified_on"])
