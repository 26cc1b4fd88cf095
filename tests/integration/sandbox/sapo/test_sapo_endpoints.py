from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.exchange import HttpRequest
from carrierflow.sandbox.refusals import BadInput, NotFound
from carrierflow.sandbox.sapo import SapoRef

from .conftest import path_of


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_every_path_is_answered_with_the_suffix_and_without(world, ask, parcel, suffix):
    """Each call of the table is known by both of its spellings."""
    ref = parcel()
    draft = world.add_order(shop="alpha", status="draft")
    order = f"/admin/orders/{ref.order_id}"
    prepayment = {"prepayment": {"payment_method_id": 220256, "amount": 5}}
    webhook = {"webhook": {"topic": "orders/update", "address": "http://app.test/"}}
    fields = {"fulfillment": {"delivery_type": "pickup"}}
    new = {"order": {"tax_treatment": "exclusive", "order_line_items": []}}
    paid = world.prepay("alpha", ref.order_id, prepayment["prepayment"]).id
    wanted = world.events.subscribe("alpha", "orders/paid", "http://app.test/").id
    calls = [
        ("GET", "/admin/orders", None),
        ("POST", "/admin/orders", new),
        ("GET", order, None),
        ("PUT", order, {"order": {"note": "mong manh"}}),
        ("POST", f"/admin/orders/{draft}/finalize", {}),
        ("POST", f"/admin/orders/{draft}/finish", {}),
        ("POST", f"{order}/fulfillments", fields),
        ("POST", f"{order}/prepayments", prepayment),
        ("POST", f"{order}/prepayments/{paid}/cancel", {}),
        ("GET", "/admin/fulfillments", None),
        ("GET", f"/admin/fulfillments/{ref.fulfillment_id}", None),
        ("GET", "/admin/shipments", None),
        ("GET", f"/admin/shipments/{ref.fulfillment_id}", None),
        ("POST", f"{path_of(ref)}/ship", {}),
        ("POST", f"{path_of(ref)}/cancel", {}),
        ("POST", f"{path_of(ref)}/receive_after_cancellation", {}),
        ("GET", "/admin/webhooks", None),
        ("POST", "/admin/webhooks", webhook),
        ("PUT", f"/admin/webhooks/{wanted}", webhook),
        ("DELETE", f"/admin/webhooks/{wanted}", None),
        ("POST", f"{order}/cancel", 0),
    ]

    assert [200] * len(calls) == [
        ask(method, path + suffix, body)[0] for method, path, body in calls
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/admin/orders/1"),
        ("POST", "/admin/orders/1/cancel"),
        ("POST", "/admin/orders/1/fulfillments/2/ship"),
        ("POST", "/admin/orders/{order}/fulfillments/2/ship"),
        ("GET", "/admin/fulfillments/2"),
        ("POST", "/admin/orders/{order}/fulfillments/{parcel}/deliver"),
        ("POST", "/admin/orders/{order}"),
        ("GET", "/orders"),
        ("DELETE", "/admin/webhooks/7"),
    ],
)
def test_what_is_not_there_is_a_message(ask, parcel, method, path):
    """An order, a parcel, a call that Sapo does not have: a 404 with a message alone."""
    ref = parcel()

    status, body = ask(method, path.format(order=ref.order_id, parcel=ref.fulfillment_id), {})

    assert (404, ["error"], ["message"]) == (status, list(body), list(body["error"]))


def test_a_parcel_is_not_found_in_another_order_or_shop(world, ask, parcel):
    """A number that is right, under an order or with a token that is not its own, names nothing."""
    ref = parcel()
    other = world.add_order(shop="alpha")
    world.add_shop(code="beta", token="token-beta")

    assert 404 == ask("POST", path_of(ref._replace(order_id=other)) + "/ship", {})[0]
    assert 404 == ask("POST", path_of(ref) + "/ship", {}, token="token-beta")[0]
    assert [] == ask("GET", "/admin/orders", token="token-beta")[1]["orders"]


def test_a_wrong_token_opens_nothing(ask, parcel):
    """Without the shop's own token there is a 401, and the world stays as it is."""
    ref = parcel()

    assert 401 == ask("POST", path_of(ref) + "/ship", {}, token="guessed")[0]
    assert 401 == ask("GET", "/admin/orders", token="")[0]


def test_a_token_without_the_scope_may_read(world, ask):
    """Where the app may not write, actions get a 403 and reads are answered."""
    world.add_shop(code="beta", token="token-beta", may_write=False)
    ref = SapoRef("beta", *world.add_parcel(shop="beta"))

    assert 403 == ask("POST", path_of(ref) + "/ship", {}, token="token-beta")[0]
    read = ask("GET", f"/admin/orders/{ref.order_id}", token="token-beta")[1]
    assert "packed" == read["order"]["fulfillments"][0]["status"]


@pytest.mark.parametrize("body", [b"", b"{}", b"0", b'{"order": {"id": 1}}', b"not JSON"])
def test_what_comes_with_an_action_is_not_looked_at(sapo, parcel, body):
    """Clients send nothing, an empty object, or a whole order: it is all the same to an action."""
    request = HttpRequest.of(
        "POST", path_of(parcel()) + "/ship", {"x-sapo-access-token": "token-alpha"}, body
    )

    assert 200 == sapo.handle(request).status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/fulfillments", {}),
        ("/fulfillments", {"fulfillment": []}),
        ("/prepayments", {"prepayment": {"payment_method_id": 220256, "amount": "much"}}),
        ("/prepayments", {"prepayment": {"payment_method_id": 220256, "paid_on": "soon"}}),
    ],
)
def test_a_body_without_sense_is_a_400(world, ask, path, body):
    """What cannot be read is refused with a sentence and makes nothing."""
    order = world.add_order(shop="alpha")

    status, shown = ask("POST", f"/admin/orders/{order}{path}", body)

    assert (400, ["error"]) == (status, list(shown))
    read = ask("GET", f"/admin/orders/{order}")[1]["order"]
    assert ([], []) == (read["fulfillments"], read["prepayments"])


def test_a_line_that_the_order_lacks_is_not_packed(world, ask):
    """A parcel holds lines of its own order only."""
    order = world.add_order(shop="alpha")
    fields = {"delivery_type": "pickup", "fulfillment_line_items": [{"order_line_item_id": 1}]}

    status, body = ask("POST", f"/admin/orders/{order}/fulfillments", {"fulfillment": fields})

    assert (422, ["data_error"]) == (status, list(body))


def test_a_prepayment_is_taken_back_once(world, ask):
    """The second time it counts as not there."""
    order = world.add_order(shop="alpha")
    fields = {"payment_method_id": 220256, "amount": 5}
    number = world.prepay("alpha", order, fields).id
    path = f"/admin/orders/{order}/prepayments/{number}/cancel"

    assert [200, 404] == [ask("POST", path, {})[0] for _ in range(2)]


@pytest.mark.parametrize(
    ("action", "is_blank"),
    [("ship", True), ("receive", False), ("cancel", False), ("receive_after_cancellation", True)],
)
def test_two_replies_may_be_blank(world, call, action, is_blank):
    """What the documents print as nothing comes as nothing where the shop is set so; it is done."""
    world.add_shop(code="beta", token="token-beta", blank_replies=True)
    ref = SapoRef("beta", *world.add_parcel(shop="beta"))
    for step in {"receive": ("ship",), "receive_after_cancellation": ("ship", "cancel")}.get(
        action, ()
    ):
        world.act_by_hand(ref, step)
    before = world.shop("beta").parcel(ref)[1].state

    reply = call("POST", f"{path_of(ref)}/{action}", {}, token="token-beta")

    assert (200, is_blank) == (reply.status, not reply.body)
    assert before is not world.shop("beta").parcel(ref)[1].state


def test_the_bucket_lets_forty_a_minute_pass(world, call, clock):
    """The forty-first gets a 429 that says how long one takes to leak, and changes nothing."""
    world.add_shop(code="beta", token="token-beta")
    ref = SapoRef("beta", *world.add_parcel(shop="beta"))
    statuses = [call("GET", "/admin/orders", token="token-beta").status for _ in range(40)]

    refused = call("POST", path_of(ref) + "/ship", {}, token="token-beta")

    assert ([200] * 40, 429, "2") == (statuses, refused.status, refused.headers["Retry-After"])
    assert "packed" == world.shop("beta").parcel(ref)[1].state
    clock.advance(1.4)
    assert 429 == call("POST", path_of(ref) + "/ship", {}, token="token-beta").status
    clock.advance(0.1)
    assert 200 == call("POST", path_of(ref) + "/ship", {}, token="token-beta").status


def test_a_shop_may_tell_how_full_the_bucket_is(world, call):
    """The newer API's header is there if the shop is set so, and else it is not."""
    world.add_shop(code="beta", token="token-beta", tells_limit=True, bucket_size=2)
    replies = [call("GET", "/admin/orders", token="token-beta") for _ in range(3)]

    header = "X-Sapo-Api-Call-Limit"
    assert ["1/2", "2/2", "2/2"] == [reply.headers[header] for reply in replies]
    assert header not in call("GET", "/admin/orders").headers


def test_the_receiver_comes_from_the_json_within_the_json(world, ask):
    """The shipping address is that of `detail`; where that is no JSON, the order's own stays."""
    home = {"first_name": "Lê Minh Anh", "address1": "1 Phố Thử"}
    order = world.add_order(shop="alpha", shipping_address=home)
    detail = json.dumps({"receiver_name": "Trần Thử", "destination_address": "2 Phố Thử"})

    def receiver(text):
        shipment = {"delivery_service_provider_id": 10355, "detail": text}
        fields = {"delivery_type": "courier", "shipment": shipment}
        path = f"/admin/orders/{order}/fulfillments"
        body = ask("POST", path, {"fulfillment": fields})[1]["fulfillment"]
        address = body["shipment"]["shipping_address"]
        return address["first_name"], address["address1"], body["shipment"].get("detail")

    assert ("Trần Thử", "2 Phố Thử", detail) == receiver(detail)
    assert ("Lê Minh Anh", "1 Phố Thử", "{") == receiver("{")
    assert ("Lê Minh Anh", "1 Phố Thử", None) == receiver(None)


def test_the_tracking_code_is_the_parcels_code_unless_there_is_another(parcel, shown):
    """In the samples both are the same; a carrier's own is kept and stands beside it."""
    own, other = shown(parcel()), shown(parcel(tracking_code="VN123"))

    assert own["code"] == own["shipment"]["tracking_code"]
    assert "VN123" == other["shipment"]["tracking_code"] != other["code"]


def test_codes_count_within_a_day_of_vietnam(world, clock):
    """A code is prefix, day and number; the day begins at 17:00 UTC."""
    first = world.add_order(shop="alpha")
    second = world.add_order(shop="alpha")
    clock.advance(9 * 3600)
    third = world.add_order(shop="alpha")

    codes = [world.shop("alpha").order(order).code for order in (first, second, third)]
    assert ["SO0501261", "SO0501262", "SO0601261"] == codes


def test_collation_is_read_only(world, parcel, shown):
    """It is unresolved until somebody outside of every call says a word."""
    ref = parcel()
    assert "unresolved" == shown(ref)["shipment"]["collation_status"]

    world.collate(ref, "resolved")
    assert "resolved" == shown(ref)["shipment"]["collation_status"]


def test_shops_are_told_apart(world):
    """Neither a code nor a token opens two shops, and an unknown code none."""
    for fields in ({"code": "alpha", "token": "x"}, {"code": "x", "token": "token-alpha"}):
        with pytest.raises(BadInput):
            world.add_shop(**fields)
    with pytest.raises(NotFound):
        world.shop("gamma")


def test_a_reset_forgets_orders_and_keeps_the_shops_or_not(world, parcel, ask):
    """After it there is nothing to list; the token opens the shop unless that went too."""
    parcel()
    world.reset()
    assert (200, 0) == (
        ask("GET", "/admin/orders")[0],
        ask("GET", "/admin/orders")[1]["metadata"]["total"],
    )

    world.reset(keep_shops=False)
    assert 401 == ask("GET", "/admin/orders")[0]


def test_an_order_that_was_removed_is_gone(world, parcel, ask):
    """Neither it nor its parcels are found any more."""
    ref = parcel()
    world.remove_order("alpha", ref.order_id)

    assert 404 == ask("GET", f"/admin/orders/{ref.order_id}")[0]
    assert 404 == ask("GET", f"/admin/fulfillments/{ref.fulfillment_id}")[0]
