"""The carrier in the shop's list, from the command line and over real sockets."""

from __future__ import annotations

import pytest


@pytest.fixture
def named(ready, shop):
    """A shell whose carrier has a name and an address, and a shop with one open parcel."""
    ready.environment |= {
        "CARRIERFLOW_PUBLIC_URL": "https://ship.example/carrier",
        "CARRIERFLOW_CARRIER_NAME": "Sao Mai Express",
    }
    return ready


def services(haravan):
    return haravan.haravan.world.shop("alpha").services


def test_a_carrier_comes_and_goes(named, haravan):
    """Register, list, switch off, unregister: each says what it did, and the shop shows it."""
    done = named("carrier", "register", "alpha", "--json").json
    assert ("created", "alpha", True) == (
        done["done"],
        done["shop"],
        done["registration"]["active"],
    )
    service = services(haravan).get(int(done["registration"]["id"]))
    assert "https://ship.example/carrier/alpha/orders" == service.fields["create_order_url"]
    assert "was as it should be" in named("carrier", "register", "alpha").out

    rows = named("carrier", "list", "alpha", "--json").json["carriers"]
    assert [("Sao Mai Express", True)] == [(r["name"], r["ours"]) for r in rows if r["ours"]]
    assert len(rows) > 1
    assert "Sao Mai Express" in named("carrier", "list", "alpha").out

    assert "changed" == named("carrier", "update", "alpha", "--inactive", "--json").json["done"]
    assert services(haravan).get(service.id).fields["active"] is False

    refused = named("carrier", "unregister", "alpha")
    assert (1, True) == (refused.code, "--inactive" in refused.err)
    assert "removed" == named("carrier", "unregister", "alpha", "--force", "--json").json["done"]
    assert set() == services(haravan).names()
    assert "was not registered" in named("carrier", "unregister", "alpha", "--force").out


def test_what_is_missing_is_said(ready, shop):
    """Without a name and an address nothing is sent, and the sentence names the setting."""
    ready.environment |= {"CARRIERFLOW_CARRIER_NAME": "Sao Mai Express"}

    answer = ready("carrier", "register", "alpha")

    assert (1, True) == (answer.code, "public_url" in answer.err)
