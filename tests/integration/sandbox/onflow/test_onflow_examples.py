from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carrierflow.sandbox.onflow import STATUS_EVENT


DOCUMENTED = Path(__file__).parents[3] / "payloads" / "onflow"
CODE = "OASC51090555"
CREATED = 1773367142


def documented(name):
    """Return what a page of the documents prints."""
    return json.loads((DOCUMENTED / f"{name}.json").read_text("utf-8"))


@pytest.fixture
def at(clock):
    """Let the clock show a moment in Unix seconds."""
    return lambda seconds: clock.set(seconds * 10_000_000)


@pytest.fixture
def sample(world, at):
    """The shipment of the documented detail, new."""
    at(CREATED)
    return world.add_shipment(
        account="alpha",
        tracking_code=CODE,
        reference=f"MERCHANT{CREATED}",
        courier_tracking_code=f"COURIER{CREATED}",
    )


def test_the_documented_cancel_is_answered_field_by_field(world, at, sample, ask):
    """A packed shipment that is cancelled answers what the page of the cancel prints."""
    world.pick(CODE)
    world.pack(CODE)
    at(1774426854)

    answer = ask("PUT", f"/api/v1/shipments/b2c/{CODE}/cancel")

    assert (200, documented("shipment_cancelled_after_packing")) == answer


def test_the_example_of_the_cancel_has_no_code_and_finds_nothing(call):
    """The documented request, whose code is an empty segment, gets the page of a web server."""
    reply = call("PUT", "/api/v1/shipments/b2c//cancel")

    assert (404, "text/html; charset=utf-8") == (reply.status, reply.headers["Content-Type"])


@pytest.mark.parametrize("path", ["/api/v1/shipments", "/api/v1/shipments/b2c"])
def test_the_documented_detail_is_answered_field_by_field(path, world, at, sample, ask, clock):
    """A shipment that lived through the documented times prints what the page prints."""
    for moment, step in (
        (1773367301, world.pick),
        (1773367311, world.pack),
        (1773367614, world.hand_over),
    ):
        at(moment)
        step(CODE)
    at(1773368104)
    world.touch(CODE)

    answer = ask("GET", f"{path}/{CODE}/detail")

    assert (200, documented("shipment_handed_over")) == answer
    assert datetime(2026, 3, 13, 2, 15, 4, tzinfo=UTC) == clock()


def test_the_documented_return_is_answered_field_by_field(world, at, sample, ask):
    """A return is an object of its own, whose 350 has its own meaning."""
    at(1773711202)
    made = world.add_return(
        account="alpha",
        shipment=CODE,
        reference="MERCHANT-1773642318",
        partner_tracking_code=f"PARTNER{CREATED}",
        courier_tracking_code="RCTC-1773642318",
    )

    answer = ask("GET", f"/api/v1/return-shipments/b2c/{made.tracking_code}/detail")

    assert (200, documented("return_with_a_problem")) == answer


def test_webhooks_of_a_status_are_like_the_documented_ones_of_stock(world, onflow, receiver):
    """The outer fields of the one documented webhook stand in this one too, of the same kinds."""
    stock = documented("webhook_stock_updated")
    world.add_shipment(account="alpha")

    onflow.hook_sender.deliver()

    body = json.loads(receiver.heard[0].body)
    outer = ("user_id", "business_id", "instance_id", "event_code")
    assert [type(stock[name]) for name in outer] == [type(body[name]) for name in outer]
    assert len(stock["instance_id"]) == len(body["instance_id"])
    assert STATUS_EVENT == body["event_code"]
