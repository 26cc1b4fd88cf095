from __future__ import annotations

import pytest

from carrierflow.sandbox.sapo import SapoWorld

from .conftest import path_of


@pytest.fixture
def control(ask):
    """Make a control call, and return its status and what it says."""

    def send(name, body=None):
        method = "GET" if body is None else "POST"
        return ask(method, f"/_sandbox/{name}", body, token="")

    return send


def test_the_state_shows_shops_orders_and_parcels(control, parcel):
    """Without a token the sandbox says what it holds, and can be asked for one shop."""
    ref = parcel(tracking_code="CF1")

    status, state = control("state?shop=alpha")

    (shop,) = state["shops"]
    (order,) = shop["orders"]
    (row,) = order["fulfillments"]
    assert (200, "alpha", ref.order_id) == (status, shop["code"], order["id"])
    assert (ref.fulfillment_id, "packed", 250_000, False, "CF1") == (
        row["id"],
        row["state"],
        row["cod_amount"],
        row["is_paid"],
        row["tracking_code"],
    )
    assert "2026-01-05T08:00:00Z" == state["now"]


def test_shops_and_parcels_are_made_over_http(control, call):
    """A shop that was added answers to its token, with the parcels that were put into it."""
    assert (200, {"code": "beta"}) == control("shops", {"code": "beta", "token": "t"})
    _, made = control("orders", {"shop": "beta", "cod_amount": 90_000, "tracking_code": "CF9"})

    reply = call("GET", f"/admin/orders/{made['order_id']}.json", token="t")

    assert 200 == reply.status
    assert str(made["fulfillment_id"]).encode() in reply.body


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        (["ship"], "fulfilled"),
        (["ship", "receive"], "received"),
        (["ship", "retry_delivery", "fulfilled"], "fulfilled"),
        (["ship", "cancel", "receive_after_cancellation"], "fulfilled_cancelled"),
        (["hand_over"], "received"),
    ],
)
def test_a_parcel_is_moved_by_hand(control, parcel, actions, state, shown, world):
    """What a merchant or a linked carrier does is done, shown, and known as nobody's call."""
    ref = parcel()
    names = {"shop": "alpha", "order_id": ref.order_id, "fulfillment_id": ref.fulfillment_id}

    said = [control("edit", {**names, "action": action}) for action in actions]

    assert {200} == {status for status, _ in said}
    assert state == said[-1][1]["state"] == shown(ref)["composite_fulfillment_status"]
    _, judged = control("judge")
    assert (0, len(actions)) == (judged["writes_received"], len(judged["touches"]))


@pytest.mark.parametrize(
    ("edit", "shows"), [("cancel", "cancelled"), ("finish", "finished"), ("remove", None)]
)
def test_an_order_is_closed_or_goes(control, parcel, edit, shows):
    """An order is cancelled, finished or taken away by name."""
    ref = parcel()

    assert (200, {"ok": True}) == control(
        "edit", {"shop": "alpha", "order_id": ref.order_id, "order": edit}
    )

    orders = control("state")[1]["shops"][0]["orders"]
    assert [] == orders if shows is None else shows == orders[0]["status"]


def test_faults_are_planned_and_counted(control, call, parcel):
    """The next request that matches goes wrong, and the state says so."""
    rule = {"kind": "error_502_after", "path": "ship"}
    assert (200, {"ok": True}) == control("faults", {"script": [rule]})

    reply = call("POST", f"{path_of(parcel())}/ship.json", {})

    assert 502 == reply.status
    assert {"error_502_after": 1} == control("state")[1]["faults_given"]


def test_a_reset_forgets_all_but_shops(control, parcel, world):
    """Orders, faults and the record go; shops go if asked."""
    parcel()
    control("faults", {"mix": {"rates": {"lost_reply": 1.0}}})

    control("reset", {})
    (shop,) = control("state")[1]["shops"]
    assert [] == shop["orders"]
    control("reset", {"shops": True})
    assert [] == control("state")[1]["shops"]
    assert isinstance(world, SapoWorld)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("edit", {"shop": "alpha", "order_id": 1, "fulfillment_id": 2, "action": "ship"}),
        ("edit", {"shop": "alpha", "order_id": 1, "fulfillment_id": 2, "action": "fly"}),
        ("edit", {"shop": "alpha", "order_id": 1, "order": "fly"}),
        ("edit", {"shop": "alpha", "order_id": 1, "order": "remove"}),
        ("edit", {"shop": "alpha"}),
        ("orders", {"shop": "nowhere"}),
        ("shops", {"code": "alpha", "token": "another"}),
        ("shops", {"code": "beta", "token": "t", "colour": "red"}),
        ("faults", {"script": [{"kind": "earthquake"}]}),
        ("faults", {"script": [{"kind": "late_apply", "seconds": 90}]}),
    ],
)
def test_what_makes_no_sense_is_a_sentence(control, name, body):
    """Bad input gets 400 with one sentence, and nothing happens."""
    before = control("state")

    status, said = control(name, body)

    assert (400, True) == (status, bool(said["errors"]))
    assert before == control("state")


def test_an_unknown_call_is_not_found(control):
    """A call that there is not gets 404."""
    assert 404 == control("fly")[0]


def test_time_moves_by_request(control):
    """A manual clock is advanced."""
    assert (200, {"now": "2026-01-05T08:01:00Z"}) == control("advance", {"seconds": 60})
    assert (200, {"ok": True, "now": "2026-01-05T08:01:00Z"}) == control("health")
