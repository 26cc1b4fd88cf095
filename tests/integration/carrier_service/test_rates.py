from datetime import timedelta
from decimal import Decimal

import pytest

from carrierflow.carrier_service import Rate
from carrierflow.errors import BadTime, ConfigurationError, InvalidInput
from carrierflow.platforms.haravan.spelling import format_time

from .conftest import ROAD, envelope, signed


def test_rates_are_quoted_in_haravan_s_shape(service, courier):
    """The carrier's prices arrive as the platform writes them, in the bare envelope."""
    body = {"origin": ROAD, "destination": ROAD, "cod_amount": 199000.0, "total_grams": "1500.5"}

    reply = service.answer(signed("POST", "/sms/rates", body))

    assert 200 == reply.status
    (rate,) = envelope(reply)["data"]["rates"]
    assert (7, "Giao nhanh", "FAST", "vnd", 25_000) == (
        rate["service_id"],
        rate["service_name"],
        rate["service_code"],
        rate["currency"],
        rate["total_price"],
    )
    (asked,) = courier.asked
    assert ("sms", 199_000, Decimal("1500.5")) == (asked.shop, asked.cod_amount, asked.total_grams)
    assert "HC476" == asked.destination.district_code


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, (0, 3)),
        ({"earliest": 1}, (1, 1)),
        ({"latest": 4}, (4, 4)),
        ({"earliest": 1, "latest": 4}, (1, 4)),
    ],
)
def test_a_rate_has_every_field_of_the_tutorial(
    sqlite_engine, make_app, courier, clock, given, shown
):
    """Two dates and a code, whatever the carrier left out; what it said stays."""
    dates = {name: clock() + timedelta(days=days) for name, days in given.items()}
    courier.quote = lambda _: [Rate(service_id=7, name="Giao nhanh", total_price=1, **dates)]
    app = make_app(sqlite_engine, delivery_days=3)
    app.shops.add("sms", token="t", base_url="http://127.0.0.1")

    reply = app.carrier_service(courier).answer(signed("POST", "/sms/rates", {}))

    (rate,) = envelope(reply)["data"]["rates"]
    earliest, latest = (format_time(clock() + timedelta(days=days)) for days in shown)
    assert ("7", earliest, latest) == (
        rate["service_code"],
        rate["min_delivery_date"],
        rate["max_delivery_date"],
    )
    assert None not in {value for name, value in rate.items() if name != "description"}


def test_a_carrier_may_decline(service):
    """What the carrier says against it reaches the seller."""
    reply = service.answer(signed("POST", "/sms/rates", {"total_grams": 45_000}))

    told = envelope(reply)
    assert (200, True, None) == (reply.status, told["error"], told["data"])
    assert "motorbike" in told["message"]


@pytest.mark.parametrize("service_id", [2**31, -(2**31) - 1])
def test_a_service_id_fits_into_32_bits(service_id):
    """A rate that the platform could not hold cannot be made."""
    with pytest.raises(InvalidInput, match="32 bits"):
        Rate(service_id=service_id, name="Giao nhanh", total_price=1)


def test_delivery_times_have_a_zone(clock):
    """A time of arrival that could mean two moments cannot be quoted."""
    with pytest.raises(BadTime):
        Rate(service_id=1, name="x", total_price=1, earliest=clock().replace(tzinfo=None))


def test_a_service_without_a_secret_is_not_built(app, sqlite_engine, courier, make_app):
    """Where nobody could prove who calls, there is no service."""
    app = make_app(sqlite_engine, client_secret="")

    with pytest.raises(ConfigurationError, match="CARRIERFLOW_CLIENT_SECRET"):
        app.carrier_service(courier)
