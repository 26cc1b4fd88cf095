"""Carrier services over real HTTP: their two shapes, and what becomes of a write."""

from __future__ import annotations

import json

import pytest

from carrierflow.carrier_service.registration import Listed, Registration
from carrierflow.errors import (
    AccessDenied,
    NotSent,
    OutcomeUnknown,
    PlatformUnavailable,
    Refused,
)
from carrierflow.platforms.haravan import HaravanClient, HaravanRegistrations

from .conftest import SHORT, TOKEN


WANTED = Registration(
    name="Sao Mai Express",
    active=True,
    rates_url="https://ship.example/s1/rates",
    create_url="https://ship.example/s1/orders",
    detail_url="https://ship.example/s1/detail",
    cancel_url="https://ship.example/s1/cancel",
    by_external_code_url="https://ship.example/s1/by-external-code",
    tracking_url="https://ship.example/track?code=",
)
SENT = {
    "name": "Sao Mai Express",
    "active": True,
    "carrier_service_type": "api",
    "service_discovery": False,
    "get_shipping_rates_url": "https://ship.example/s1/rates",
    "create_order_url": "https://ship.example/s1/orders",
    "get_order_detail_url": "https://ship.example/s1/detail",
    "cancel_order_url": "https://ship.example/s1/cancel",
    "get_by_external_code_url": "https://ship.example/s1/by-external-code",
    "tracking_url": "https://ship.example/track?code=",
}
ANSWER = {"carrier_service": {**SENT, "id": 12008260, "options": {"has_drop_off": False}}}


@pytest.fixture(name="there")
def _there(server, budget, clock, naps):
    client = HaravanClient(
        base_url=server.url, token=TOKEN, budget=budget, limits=SHORT, now=clock, sleep=naps.append
    )
    registrations = HaravanRegistrations(client)
    yield registrations
    registrations.close()


def test_a_registration_is_sent_as_the_tutorial_prints_it(server, answer, there, budget):
    """Fields, wrapper and address are those of the tutorial, and one request is spent."""
    server.plays(answer.reply(ANSWER, status=201))

    made = there.create(WANTED)

    assert [("POST", "/com/carrier_services.json")] == server.paths
    assert {"carrier_service": SENT} == json.loads(server.bodies[0])
    assert ("12008260", "Sao Mai Express", True) == (made.id, made.name, made.active)
    assert 1 == budget.spent


def test_what_is_read_is_what_was_sent(server, answer, there):
    """One service read back gives the registration that was sent, with its id."""
    server.plays(answer.reply(ANSWER, status=201), answer.reply(ANSWER))

    assert there.create(WANTED) == there.read("12008260")


def test_the_list_has_another_shape(server, answer, there):
    """Rows name a carrier otherwise than a service does; both of their ids are kept."""
    row = {"id": 5, "carrier_service_id": 12008260, "carrier_name": "Sao Mai Express"}
    builtin = {"id": 2, "carrier_service_id": 2, "carrier_name": "GHN", "carrier_code": "ghn2018"}
    odd = {"id": None, "carrier_name": None}
    server.plays(answer.reply({"carrier_services": [row, builtin, odd, "nonsense"]}))

    assert [
        Listed(ids=("12008260", "5"), name="Sao Mai Express", code=None),
        Listed(ids=("2",), name="GHN", code="ghn2018"),
        Listed(ids=(), name="", code=None),
    ] == there.listed()


def test_nothing_under_an_id_is_no_trouble(server, answer, there):
    """404 to a read says that there is none; to a removal, that it is gone."""
    server.plays(answer.reply({"errors": "Not Found"}, status=404))
    server.plays(answer.reply({"errors": "Not Found"}, status=404))

    assert there.read("7") is None
    there.remove("7")


def test_a_change_and_a_removal_name_the_service(server, answer, there):
    """Both go to the address of the one service."""
    server.plays(answer.reply(ANSWER), answer.reply({}))

    there.change("12008260", WANTED)
    there.remove("12008260")

    path = "/com/carrier_services/12008260.json"
    assert [("PUT", path), ("DELETE", path)] == server.paths


@pytest.mark.parametrize(
    ("step", "fate"),
    [
        ("hang_up", OutcomeUnknown),
        ("stay_silent", OutcomeUnknown),
        ("break_off", OutcomeUnknown),
        ({"status": 500}, OutcomeUnknown),
        ({"status": 200, "body": b""}, OutcomeUnknown),
        ({"status": 200, "body": {"carrier_service": {"id": "x"}}}, OutcomeUnknown),
        ({"status": 429, "Retry_After": "2.0"}, NotSent),
        ({"status": 401}, AccessDenied),
        ({"status": 403}, AccessDenied),
        ({"status": 422, "body": {"errors": {"name": ["taken"]}}}, Refused),
        ({"status": 404}, PlatformUnavailable),
    ],
)
def test_a_write_is_sent_once_whatever_becomes_of_it(server, answer, there, step, fate):
    """No answer, however bad, makes a second request; its fate is named."""
    server.plays(answer.reply(**step) if isinstance(step, dict) else getattr(answer, step))

    with pytest.raises(fate):
        there.create(WANTED)

    assert 1 == len(server.received)


def test_a_read_is_tried_again(server, answer, there):
    """Reads may be repeated."""
    server.plays(answer.hang_up, answer.reply(ANSWER))

    assert "12008260" == there.read("12008260").id


@pytest.mark.parametrize("body", [{}, [], {"carrier_services": {}}, b"<html>"])
def test_a_list_that_is_none_is_unreadable(server, answer, there, body):
    """A reply that holds no list is not taken for an empty shop."""
    server.plays(*[answer.reply(body)] * 4)

    with pytest.raises(PlatformUnavailable):
        there.listed()
