"""A carrier service on real databases, and requests signed as Haravan signs them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.carrier_service import Accepted, Declined, Rate, Request
from carrierflow.platforms.haravan import sign
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key


SECRET = "canary-client-secret"
ROAD = {"province": "Hồ Chí Minh", "district_code": "HC476", "ward": "Phường Bến Nghé"}


class Courier:
    """A carrier that takes what fits, and remembers what it was asked."""

    def __init__(self):
        self.asked = []

    def quote(self, request):
        """Price by weight; nothing beyond 30 kg."""
        self.asked.append(request)
        if (request.total_grams or 0) > Decimal(30_000):
            return Declined("Parcels over 30 kg do not fit on a motorbike.")
        return [Rate(service_id=7, name="Giao nhanh", total_price=25_000, code="FAST")]

    def accept(self, request):
        """Take every parcel, under a number made from its code."""
        self.asked.append(request)
        return Accepted(tracking_number=f"CF-{request.external_code}", shipping_fee=25_000)

    def cancel(self, request):
        """Agree."""
        self.asked.append(request)


@pytest.fixture
def courier():
    """The carrier behind the service."""
    return Courier()


@pytest.fixture
def make_app(clock):
    """Build the whole of carrierflow on an engine, by the test's clock."""

    def make(engine, **settings):
        return build(
            Settings(**{"secret_key": generate_key(), "client_secret": SECRET, **settings}),
            engine=engine,
            now=clock,
            sleep=clock.sleep,
            database_clock=DatabaseClock(clock),
        )

    return make


@pytest.fixture
def app(sqlite_engine, make_app):
    """Carrierflow on a fresh SQLite database, with one shop."""
    made = make_app(sqlite_engine)
    made.shops.add("sms", token="t", base_url="http://127.0.0.1", org_id="1000")
    return made


@pytest.fixture
def service(app, courier):
    """The carrier service on it."""
    return app.carrier_service(courier)


def signed(method, path, body=None, *, secret=SECRET, query=None, **headers):
    """Return a request as Haravan would make it; a body is JSON unless it is bytes already."""
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Request(
        method=method,
        path=path,
        query=query or {},
        headers={"X-Haravan-Hmac-SHA256": sign(raw, secret), **headers},
        body=raw,
    )


def order(**fields):
    """Return the body of a create order, with all that it must hold."""
    return {
        "external_store_id": 9,
        "external_order_id": 1001,
        "external_fulfillment_id": "2001",
        "external_code": "9_1001_2001",
        "shipping_rate_id": 7,
        "cod_amount": None,
        **fields,
    }


def envelope(reply):
    """Return what an answer holds."""
    document = json.loads(reply.body)
    assert {"error", "message", "data"} == set(document)
    return document
