from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from carrierflow.sandbox.haravan import Faults, Haravan, HttpReply, HttpRequest, ManualClock, World


@pytest.fixture
def clock():
    """A clock that stands at a fixed moment."""
    return ManualClock(datetime(2026, 1, 5, 8, 0, tzinfo=UTC))


@pytest.fixture
def world(clock):
    """A platform with one shop."""
    world = World(clock=clock)
    world.add_shop(code="alpha", token="token-alpha")
    return world


@pytest.fixture
def faults():
    """Faults that a test may script."""
    return Faults()


@pytest.fixture
def haravan(world, faults):
    """The front door of that platform."""
    return Haravan(world, faults=faults, legal=LEGAL)


@pytest.fixture
def call(haravan):
    """Send one request in process and return its outcome."""

    def send(method, path, body=None, *, shop="alpha"):
        raw = b"" if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer token-{shop}"}
        return haravan.handle(HttpRequest.of(method, path, headers, raw))

    return send


@pytest.fixture
def ask(call):
    """Send one request that must be answered, and return its status and its JSON."""

    def send(method, path, body=None, **options):
        reply = call(method, path, body, **options)
        assert isinstance(reply, HttpReply)
        return reply.status, json.loads(reply.body)

    return send


@pytest.fixture
def put(ask):
    """PUT one status segment and return the reply's fulfillment."""

    def send(ids, segment, machine="carrier"):
        order_id, fulfillment_id = ids
        path = f"/com/orders/{order_id}/fulfillments/{fulfillment_id}/{machine}_status"
        status, body = ask("PUT", f"{path}/{segment}.json")
        assert status == 200
        return body["fulfillment"]

    return send


@pytest.fixture
def read(world):
    """Return a parcel of the first shop as the world holds it."""
    return lambda ids: world.shop("alpha").parcel(*ids)


LEGAL = {
    "delivery": {
        ("readytopick", "picking"),
        ("picking", "delivering"),
        ("delivering", "delivered"),
        ("readytopick", "cancel"),
    },
    "cod": {("codpending", "codpaid"), ("codpaid", "codreceipt")},
}


@pytest.fixture
def legal():
    """The steps that the judge of these tests calls legal."""
    return LEGAL
