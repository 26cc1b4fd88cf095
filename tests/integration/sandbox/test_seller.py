from __future__ import annotations

import json

import pytest

from carrierflow.sandbox.haravan import App, Haravan, HttpReply, HttpRequest, ParcelRef
from carrierflow.sandbox.haravan.seller_json import _ENGLISH
from carrierflow.sandbox.haravan.vocabulary import BY_CODE

from .carrier import FakeCarrier, bad


@pytest.fixture
def carrier():
    """A carrier that agrees to everything."""
    return FakeCarrier()


@pytest.fixture
def desk(world, carrier):
    """The seller's desk of a shop with that carrier: send a request, get status and JSON."""
    haravan = Haravan(world, send=carrier)
    register(world)

    def send(path, wish=None):
        raw = b"" if wish is None else json.dumps({"shop": "alpha", **wish}).encode()
        method = "GET" if wish is None else "POST"
        reply = haravan.handle(HttpRequest.of(method, f"/seller/{path}", {}, raw))
        assert isinstance(reply, HttpReply)
        return reply.status, json.loads(reply.body)

    return send


@pytest.fixture
def ship(desk):
    """Make an order and ship it; returns the ids as the page sends them."""

    def go(total=250_000):
        order_id = desk("orders", {"total": total})[1]["order_id"]
        offer = desk("rates", {"order_id": order_id, "cod_amount": total})[1]["offers"][0]
        wish = {"order_id": order_id, "cod_amount": total}
        wish |= {"carrier": offer["carrier"], "service_id": offer["service_id"]}
        status, made = desk("ship", wish)
        assert 200 == status
        return {"order_id": order_id, "fulfillment_id": made["fulfillment_id"]}

    return go


def register(world):
    root = "https://carrier.example"
    fields = {
        "name": "Giao Thử",
        "get_shipping_rates_url": f"{root}/rates",
        "create_order_url": f"{root}/create",
        "get_order_detail_url": f"{root}/detail",
        "cancel_order_url": f"{root}/cancel",
    }
    world.shop("alpha").services.register(fields, world.now())


def parcel_in(state):
    return state["orders"][0]["parcels"][0]


def test_page_needs_nothing_from_elsewhere(haravan):
    """The page, its style and its script come from the sandbox, which allows no other source."""
    replies = [
        haravan.handle(HttpRequest.of("GET", path))
        for path in ("/seller", "/seller/seller.css", "/seller/seller.js")
    ]

    assert [200, 200, 200] == [reply.status for reply in replies]
    for reply in replies:
        assert reply.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert b"https://" not in reply.body
    assert "/seller" == haravan.handle(HttpRequest.of("GET", "/")).headers["Location"]


def test_seller_ships(desk, ship):
    """An order that was made, given a rate and shipped is shown with number, road and labels."""
    ship()

    state = desk("state")[1]

    parcel = parcel_in(state)
    assert ("CF-1", "Ready to pick up", "Chờ lấy hàng", "Cash not collected") == (
        parcel["tracking_number"],
        parcel["delivery"]["english"],
        parcel["delivery"]["vietnamese"],
        parcel["cod"]["english"],
    )
    assert (["readytopick"], True, False) == (
        [step["code"] for step in parcel["road"]],
        parcel["may_cancel"],
        state["orders"][0]["may_ship"],
    )
    assert [("create", True), ("rates", True)] == [
        (call["kind"], call["is_good"]) for call in state["calls"]
    ]


def test_seller_reads_why_not(desk, ship, carrier):
    """A carrier's refusal reaches the seller in its own words, and changes nothing."""
    ids = ship()
    carrier.says["/cancel"] = bad("Đã lấy hàng, không thể hủy")

    assert (422, {"errors": "Đã lấy hàng, không thể hủy"}) == desk("cancel", ids)

    state = desk("state")[1]
    assert "readytopick" == parcel_in(state)["delivery"]["code"]
    assert not state["calls"][0]["is_good"]


def test_seller_cancels(desk, ship):
    """A carrier that agrees lets the parcel be cancelled, and the order be shipped anew."""
    ids = ship()

    assert (200, {"carrier_status": "cancel"}) == desk("cancel", ids)

    order = desk("state")[1]["orders"][0]
    assert (True, False) == (order["may_ship"], order["parcels"][0]["may_cancel"])


def test_order_is_cancelled_with_its_parcels(desk, ship, carrier):
    """Cancelling an order asks for its parcels first: a refusal keeps the order too."""
    ids = ship()
    carrier.says["/cancel"] = bad("Không")
    assert 422 == desk("cancel-order", {"order_id": ids["order_id"]})[0]
    assert not desk("state")[1]["orders"][0]["is_cancelled"]

    carrier.says["/cancel"] = FakeCarrier().says["/cancel"]
    assert 200 == desk("cancel-order", {"order_id": ids["order_id"]})[0]

    order = desk("state")[1]["orders"][0]
    assert (True, "cancel") == (order["is_cancelled"], order["parcels"][0]["delivery"]["code"])


def test_silent_carrier_can_be_asked_again(desk, ship, carrier, world):
    """A parcel that no carrier answered for may be handed over again."""
    order_id = desk("orders", {"total": 0})[1]["order_id"]
    answer, carrier.says["/create"] = carrier.says["/create"], bad("", status=503)
    wish = {"order_id": order_id, "carrier": 12008260, "service_id": 7, "cod_amount": 0}
    assert 502 == desk("ship", wish)[0]
    parcel = parcel_in(desk("state")[1])
    assert (None, True, False) == (
        parcel["tracking_number"],
        parcel["may_retry"],
        parcel["may_cancel"],
    )

    carrier.says["/create"] = answer

    ids = {"order_id": order_id, "fulfillment_id": parcel["id"]}
    assert (200, {"tracking_number": "CF-1"}) == desk("retry", ids)


def test_statuses_change_in_the_state(desk, ship, world):
    """What the carrier PUTs is in the next state that the page asks for."""
    ids = ship()

    ref = ParcelRef("alpha", ids["order_id"], ids["fulfillment_id"])
    world.edit(ref, carrier_status="delivered")

    parcel = parcel_in(desk("state?shop=alpha")[1])
    assert ("Đã giao hàng", "codpaid") == (
        parcel["delivery"]["vietnamese"],
        parcel["cod"]["code"],
    )
    assert ["readytopick", "delivered", "codpaid"] == [step["code"] for step in parcel["road"]]


def test_words_nobody_knows_stand_for_themselves(desk, ship, world):
    """A status that has no label is shown as it is."""
    ids = ship()
    ref = ParcelRef("alpha", ids["order_id"], ids["fulfillment_id"])

    world.edit(ref, carrier_status="teleported")

    assert {"code": "teleported", "english": "teleported", "vietnamese": "teleported"} == (
        parcel_in(desk("state")[1])["delivery"]
    )


def test_app_is_uninstalled_and_may_come_back(desk, world):
    """After an uninstall the shop shows no carrier, and the way back if there is one."""
    world.app = App(install_url="https://carrier.example/install")

    assert 200 == desk("uninstall", {})[0]

    shop = desk("state")[1]["shop"]
    org_id = world.shop("alpha").org_id
    assert (False, [], f"https://carrier.example/install?shop=alpha&orgid={org_id}") == (
        shop["is_installed"],
        shop["carriers"],
        shop["install_url"],
    )


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("orders", {"total": -1}, 400),
        ("orders", {"total": "much"}, 400),
        ("orders", {"total": 1, "shop": "nowhere"}, 404),
        ("orders", {"total": 1, "recipient": {"age": 3}}, 400),
        ("rates", {"order_id": 1, "cod_amount": 0}, 404),
        ("ship", {"order_id": 1}, 400),
        ("cancel", {"order_id": 1, "fulfillment_id": 1}, 404),
        ("steal", {}, 404),
        ("state?shop=nowhere", None, 404),
        ("seller.txt", None, 404),
    ],
)
def test_senseless_wishes_are_refused(path, wish, status, desk):
    """A wish that makes no sense is answered with one sentence."""
    answered, body = desk(path, wish)

    assert status == answered
    assert body["errors"].endswith(".")


def test_sandbox_without_shops_has_nothing_to_show(world, desk):
    """Without any shop the page still gets an answer."""
    world.reset(keep_shops=False)

    assert ([], None, []) == tuple(desk("state")[1][name] for name in ("shops", "shop", "orders"))


def test_every_status_has_an_english_name_on_the_page():
    """The page names in English what Haravan names in Vietnamese, none left out."""
    assert set(BY_CODE) == set(_ENGLISH)
