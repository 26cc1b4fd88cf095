from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from carrierflow.sandbox.sapo import SapoRef, SapoWorld
from carrierflow.sandbox.sapo.unset_fields import LINE, ORDER


DOCUMENTED = Path(__file__).parents[3] / "payloads" / "sapo"

BY_RULE = {
    *("id", "tenant_id", "code", "created_on", "modified_on", "issued_on", "status", "total"),
    *("packed_status", "fulfillment_status", "received_status", "payment_status"),
    *("order_line_items", "prepayments", "fulfillments", "finalized_on", "finished_on"),
    *("return_status", "order_returns"),
}


def printed(name):
    """Return a document as the seed prints it, persons apart."""
    text = (DOCUMENTED / f"{name}.json").read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal)


class PrintedIds:
    """Gives out the very numbers that a sample prints."""

    def __init__(self, **rows):
        self._rows = {name: iter(row) for name, row in rows.items()}

    def __getattr__(self, name):
        return lambda *_args: next(self._rows[name])


@pytest.fixture
def at(clock):
    """Move the clock to a printed moment."""

    def move(text):
        clock.set(int(datetime.fromisoformat(text).timestamp()) * 10_000_000)

    return move


@pytest.fixture
def plant(world, at):
    """Put an order into the shop as it was when it was made, by what a later sample prints."""

    def put(sample, *, status="draft"):
        at(sample["created_on"])
        issued = int(datetime.fromisoformat(sample["issued_on"]).timestamp())
        return world.add_order(
            shop="alpha",
            status=status,
            order_id=sample["id"],
            code=sample["code"],
            issued_on=issued,
            lines=sample["order_line_items"],
            **{name: value for name, value in sample.items() if name not in BY_RULE},
        )

    return put


@pytest.fixture
def order_with(world, at):
    """Put the order of a sample of a parcel into the shop, with the lines that are packed."""

    def put(sample):
        at(sample["created_on"])
        lines = [
            {
                **{name: row[name] for name in row if name in LINE},
                "id": row["order_line_item_id"],
                "price": row["base_price"],
                "quantity": 1,
            }
            for row in sample["fulfillment_line_items"]
        ]
        world.add_order(
            shop="alpha",
            order_id=sample["order_id"],
            code="SO1",
            lines=lines,
            customer_id=sample["partner_id"],
        )
        return [
            {"order_line_item_id": row["order_line_item_id"], "quantity": str(row["quantity"])}
            for row in sample["fulfillment_line_items"]
        ]

    return put


def test_the_documented_order_is_made(world, ask, at):
    """The printed POST of an order gets the printed reply, with numbers and a code of its own."""
    want, request = printed("order_create"), printed("order_create_request")
    world.add_order(shop="alpha", code=request["order"]["code"])
    order = want["order"]
    world.ids = PrintedIds(
        order=[order["id"]],
        order_line=[order["order_line_items"][0]["id"]],
        address=[order["billing_address"]["id"], order["shipping_address"]["id"]],
        code=[order["code"]],
    )

    at(order["created_on"])
    assert (200, want) == ask("POST", "/admin/orders", request)


def test_the_documented_change_is_made(plant, ask, at):
    """The printed PUT of an order gets the printed reply: what changes is when it was changed."""
    request, want = printed("order_change_request"), printed("order_change")
    plant(request["order"])

    at(want["order"]["modified_on"])
    assert (200, want) == ask("PUT", f"/admin/orders/{want['order']['id']}", request)


@pytest.mark.parametrize(
    ("name", "action", "status"),
    [
        ("order_finalize", "finalize", "draft"),
        ("order_cancel", "cancel", "finalized"),
        ("order_finish", "finish", "finalized"),
    ],
)
def test_the_documented_orders_move(plant, ask, at, name, action, status):
    """Each printed action on an order gets the printed reply; a cancel leaves no date."""
    want = printed(name)
    order = want["order"]
    plant(order, status=status)

    at(order["modified_on"])
    assert (200, want) == ask("POST", f"/admin/orders/{order['id']}/{action}", {})


def test_the_documented_order_is_read(world, plant, ask, at):
    """An order whose parcel was handed over and brought back later reads as it is printed."""
    want = printed("order_read")
    order = want["order"]
    (packed,) = order["fulfillments"]
    (line,) = packed["fulfillment_line_items"]
    plant(order)
    world.shops["alpha"].options = options(packed_early=-1)
    at(order["finalized_on"])
    world.finalize("alpha", order["id"])
    at(packed["created_on"])
    world.ids = PrintedIds(
        parcel=[line["id"], packed["id"]],
        code=[packed["code"]],
        address=[packed["billing_address"]["id"]],
    )
    sent = {"delivery_type": "pickup", "billing_address": packed["billing_address"]}
    world.create_fulfillment("alpha", order["id"], sent)
    at(packed["received_on"])
    world.hand_over(SapoRef("alpha", order["id"], packed["id"]))
    at(order["modified_on"])
    world.give_back("alpha", order["id"], order["order_returns"][0])

    assert (200, want) == ask("GET", f"/admin/orders/{order['id']}")


def test_the_documented_parcel_is_packed(world, order_with, ask):
    """The printed POST of a parcel gets the printed reply: for pickup the shipment is dropped."""
    want, request = printed("fulfillment_create"), printed("fulfillment_create_request")
    parcel = want["fulfillment"]
    order_with(parcel)
    world.ids = PrintedIds(
        parcel=[parcel["fulfillment_line_items"][0]["id"], parcel["id"]],
        code=[parcel["code"]],
        address=[parcel["billing_address"]["id"]],
    )
    request["fulfillment"]["fulfillment_line_items"][0]["quantity"] = 0.1

    assert (200, exactly(want)) == ask(
        "POST", f"/admin/orders/{parcel['order_id']}/fulfillments", request
    )


def test_the_documented_parcel_is_received(world, order_with, ask, at):
    """Packed by a clock that was behind, shipped with a deposit, received and paid: as printed."""
    want, asked = printed("fulfillment_receive"), printed("fulfillment_create_request")
    parcel = want["fulfillment"]
    shipment, (payment,) = parcel["shipment"], parcel["payments"]
    lines = order_with(parcel)
    world.shops["alpha"].options = options(packed_early=58, parts_early=1)
    world.ids = PrintedIds(
        parcel=[parcel["fulfillment_line_items"][0]["id"], parcel["id"]],
        code=[parcel["code"]],
        address=[shipment["shipping_address"]["id"]],
        deposit=[shipment["shipper_deposits"][0]["id"]],
        payment=[payment["id"]],
        prepayment=[payment["prepayment_id"]],
    )
    sent = {**asked["fulfillment"]["shipment"], "cod_amount": 800_000}
    fields = {"delivery_type": "courier", "fulfillment_line_items": lines, "shipment": sent}
    orders = f"/admin/orders/{parcel['order_id']}/fulfillments"
    assert ask("POST", orders, {"fulfillment": fields})[0] == 200
    at(parcel["shipped_on"])
    assert ask("POST", f"{orders}/{parcel['id']}/ship", {})[0] == 200

    at(parcel["received_on"])
    assert (200, exactly(want)) == ask("POST", f"{orders}/{parcel['id']}/receive", {})


def test_the_documented_parcel_is_cancelled(world, order_with, ask, at):
    """A packed parcel that is cancelled is back at the same second, as printed."""
    want = printed("fulfillment_cancel")
    parcel = want["fulfillment"]
    lines = order_with(parcel)
    world.ids = PrintedIds(
        parcel=[parcel["fulfillment_line_items"][0]["id"], parcel["id"]], code=[parcel["code"]]
    )
    fields = {"delivery_type": "pickup", "fulfillment_line_items": lines}
    orders = f"/admin/orders/{parcel['order_id']}/fulfillments"
    assert ask("POST", orders, {"fulfillment": fields})[0] == 200

    at(parcel["cancel_date"])
    assert (200, want) == ask("POST", f"{orders}/{parcel['id']}/cancel", {})


def test_the_documented_prepayments(world, ask, at):
    """A prepayment is booked and taken back as printed, and stands with its order."""
    made, gone = printed("prepayment_create"), printed("prepayment_cancel")
    order = world.add_order(shop="alpha")
    world.ids = PrintedIds(prepayment=[made["prepayment"]["id"], gone["prepayment"]["id"]])

    at(made["prepayment"]["created_on"])
    request = printed("prepayment_create_request")
    assert (200, made) == ask("POST", f"/admin/orders/{order}/prepayments.json", request)

    at(gone["prepayment"]["created_on"])
    other = {"payment_method_id": 220256, "amount": 500_000}
    ask("POST", f"/admin/orders/{order}/prepayments", {"prepayment": other})
    at(gone["prepayment"]["modified_on"])
    number = gone["prepayment"]["id"]
    assert (200, gone) == ask("POST", f"/admin/orders/{order}/prepayments/{number}/cancel")
    rows = ask("GET", f"/admin/orders/{order}")[1]["order"]["prepayments"]
    assert [made["prepayment"], gone["prepayment"]] == rows


def test_the_documented_page(world, ask):
    """The metadata of a list of 38 are those that the seed prints, with twenty rows beside them."""
    for _ in range(38):
        world.add_order(shop="alpha")

    status, body = ask("GET", "/admin/orders")
    assert (200, printed("order_list")["metadata"], 20) == (
        status,
        body["metadata"],
        len(body["orders"]),
    )


def setup_refusals(world):
    """Plant what the printed refusals are about, and return each request with its document."""
    draft = world.add_order(shop="alpha", status="draft")
    finalized, finished, cancelled = (world.add_order(shop="alpha") for _ in range(3))
    world.finish_order("alpha", finished)
    world.cancel_order("alpha", cancelled)
    world.ids.parcel = iter([1, 34120348, 2, 3]).__next__
    order, received = world.add_parcel(shop="alpha", cod_amount=800_000)
    _, packed = world.add_parcel(shop="alpha", order_id=order, delivery_type="pickup")
    ref = SapoRef("alpha", order, received)
    world.act_by_hand(ref, "ship")
    world.act_by_hand(ref, "receive")
    orders, parcels = "/admin/orders", f"/admin/orders/{order}/fulfillments"
    nowhere = {"delivery_type": "courier", "shipment": {"delivery_service_provider_id": 1}}
    lacking = {"shipping_address": {"address1": ""}, "tax_treatment": None}
    unknown = {"payment_method_id": 1, "amount": 1}
    return {
        "order_create_refused": ("POST", orders, {"order": lacking}),
        "order_finalize_refused": ("POST", f"{orders}/{finalized}/finalize", {}),
        "order_cancel_refused": ("POST", f"{orders}/{cancelled}/cancel", 0),
        "order_finish_refused": ("POST", f"{orders}/{finished}/finish", {}),
        "order_finish_draft_refused": ("POST", f"{orders}/{draft}/finish", {}),
        "order_read_refused": ("GET", f"{orders}/1", None),
        "prepayment_create_refused": (
            "POST",
            f"{orders}/{finalized}/prepayments.json",
            {"prepayment": unknown},
        ),
        "prepayment_cancel_refused": ("POST", f"{orders}/{finalized}/prepayments/1/cancel", {}),
        "fulfillment_create_refused": (
            "POST",
            f"{orders}/{finalized}/fulfillments",
            {"fulfillment": nowhere},
        ),
        "fulfillment_ship_refused": ("POST", f"{parcels}/{packed}/ship", {}),
        "fulfillment_receive_refused": ("POST", f"{parcels}/{packed}/receive", {}),
        "fulfillment_cancel_refused": ("POST", f"{parcels}/{received}/cancel", {}),
        "fulfillment_take_back_refused": (
            "POST",
            f"{parcels}/{packed}/receive_after_cancellation",
            {},
        ),
    }


REFUSALS = sorted(path.stem for path in DOCUMENTED.glob("*_refused.json"))


@pytest.mark.parametrize("name", REFUSALS)
def test_the_documented_refusals(world, ask, name):
    """Each refusal that the seed prints is given, in its shape and its words."""
    method, path, body = setup_refusals(world)[name]

    status, shown = ask(method, path, body)
    assert printed(name) == shown
    assert status == (404 if name.endswith(("read_refused", "prepayment_cancel_refused")) else 422)


def test_no_field_of_an_order_is_missing():
    """What an order prints without anybody's doing are the fields of the seed's samples."""
    for name in ("order_create", "order_finalize", "order_cancel", "order_finish", "order_change"):
        assert list(ORDER) == list(printed(name)["order"])


def exactly(document):
    """Return a document with its decimals as a client's parser reads them."""
    return json.loads(json.dumps(document, default=float))


def options(**fields):
    """Return options like those of the shop, but for some."""
    world = SapoWorld()
    return world.add_shop(code="beta", token="t", bucket_size=100_000, **fields).options
