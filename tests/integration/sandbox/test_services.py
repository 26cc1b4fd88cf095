from __future__ import annotations

import pytest


SERVICE = {
    "name": "Giao Thử",
    "active": True,
    "carrier_service_type": "api",
    "service_discovery": False,
    "get_shipping_rates_url": "https://carrier.example/rates",
    "create_order_url": "https://carrier.example/create",
    "get_order_detail_url": "https://carrier.example/detail",
    "cancel_order_url": "https://carrier.example/cancel",
    "tracking_url": "https://carrier.example/track/",
}


@pytest.fixture
def registered(ask):
    """One registration of a carrier."""
    status, body = ask("POST", "/com/carrier_services.json", {"carrier_service": SERVICE})
    assert status == 201
    return body["carrier_service"]


def test_registrations_are_kept(registered, ask):
    """A registration can be read back with everything that was sent, and seven options off."""
    shown = ask("GET", f"/com/carrier_services/{registered['id']}.json")[1]["carrier_service"]

    assert registered == shown
    assert SERVICE.items() <= shown.items()
    assert [False] * 7 == list(shown["options"].values())


def test_list_has_another_shape(registered, ask):
    """The list mixes built-in carriers with our own, under other keys."""
    rows = ask("GET", "/com/carrier_services.json")[1]["carrier_services"]

    assert ["other", "ghn2018", "external"] == [row["carrier_code"] for row in rows]
    assert registered["id"] == rows[-1]["carrier_service_id"]


def test_registrations_change_and_go(registered, ask):
    """A registration can be changed and deleted; afterwards it is not found."""
    path = f"/com/carrier_services/{registered['id']}.json"

    changed = ask("PUT", path, {"carrier_service": {"active": False}})[1]["carrier_service"]

    assert (False, SERVICE["name"]) == (changed["active"], changed["name"])
    assert 200 == ask("DELETE", path)[0]
    assert 404 == ask("GET", path)[0]


@pytest.mark.parametrize("fields", [{}, {"name": "x", "create_order_url": "http://else.example/"}])
def test_bad_registrations_are_refused(fields, ask):
    """A registration needs a name, and its addresses HTTPS."""
    assert 422 == ask("POST", "/com/carrier_services.json", {"carrier_service": fields})[0]


def test_parcels_of_a_registered_carrier_are_external(registered, world, ask):
    """A fulfillment that names a registered carrier shows the code external."""
    order = world.add_order(shop="alpha")
    fields = {"fulfillment": {"tracking_company": registered["name"]}}

    body = ask("POST", f"/com/orders/{order.id}/fulfillments.json", fields)[1]

    assert "external" == body["fulfillment"]["tracking_company_code"]
