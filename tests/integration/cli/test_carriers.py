"""The carrier in the shop's list, from the command line and over real sockets."""

from __future__ import annotations

import pytest

from carrierflow.sandbox.haravan import App


SECRET = "sandbox-secret"


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


@pytest.fixture
def app_set(named, haravan):
    """A shell whose app can be installed, and whose webhooks have an address."""
    haravan.haravan.world.app = App(webhook_url="https://ship.example/carrier/webhooks")
    named.environment |= {
        "CARRIERFLOW_CLIENT_ID": "sandbox-app",
        "CARRIERFLOW_CLIENT_SECRET": SECRET,
        "CARRIERFLOW_ACCOUNTS_URL": haravan.url,
        "CARRIERFLOW_WEBHOOK_URL": haravan.url,
    }
    return named


def test_webhooks_from_the_command_line(app_set):
    """Subscribe, list and unsubscribe say what is sent, and where to."""
    assert "are off" in app_set("webhooks", "list", "alpha").out

    done = app_set("webhooks", "subscribe", "alpha", "--json").json
    assert "orders/updated" in [row["topic"] for row in done["subscriptions"]]
    assert "https://ship.example/carrier/webhooks" in app_set("webhooks", "list", "alpha").out
    assert app_set("shop", "list", "--json").json["shops"][0]["subscribed_at"] is not None

    assert [] == app_set("webhooks", "unsubscribe", "alpha", "--json").json["subscriptions"]
    assert app_set("shop", "list", "--json").json["shops"][0]["subscribed_at"] is None


def test_a_link_to_install_with(app_set, haravan):
    """The link leads to the accounts, runs out, and holds no secret."""
    done = app_set("shop", "install-url", "beta", "--json").json

    assert done["url"].startswith(f"{haravan.url}/connect/authorize?")
    assert ("beta", True) == (done["shop"], done["expires_at"].endswith("Z"))
    plain = app_set("shop", "install-url", "beta").out
    assert plain.startswith(f"{haravan.url}/connect/authorize?")
    assert 1 == len(plain.splitlines())
    assert SECRET not in plain + done["url"]
    assert done["url"] != plain.strip()


def test_a_link_needs_an_app(named):
    """Without the app's id and secret there is nothing to install; the sentence says so."""
    answer = named("shop", "install-url", "beta")

    assert (1, True) == (answer.code, "CARRIERFLOW_CLIENT_ID" in answer.err)
