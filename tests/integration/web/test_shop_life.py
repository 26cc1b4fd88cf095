"""A shop from its install to its uninstall and back, over real sockets in both directions."""

from __future__ import annotations

import time

import pytest
import requests
from asgi import serving

from carrierflow import Event, FulfillmentRef, Opening, ShopRevoked, ShopState, Status, build
from carrierflow.app.load_file import load_name
from carrierflow.app.settings import Settings
from carrierflow.platforms.haravan import sign
from carrierflow.sandbox.haravan import App, SandboxServer, World
from carrierflow.storage.encryption import generate_key
from carrierflow.web import create_app

from .conftest import EXAMPLES


SECRET = "shop-life-secret"
PATIENCE = 20


class Later:
    """An ASGI app that is named once its own URL is known."""

    def __init__(self):
        self.app = None

    async def __call__(self, scope, receive, send):
        """Answer one request."""
        await self.app(scope, receive, send)


class Scene:
    """A carrier that serves, a Haravan that calls it, and an owner with a browser."""

    def __init__(self, engine, haravan, url):
        self.haravan, self.world, self.root = haravan, haravan.world, f"{url}/haravan"
        self.world.app = App(client_secret=SECRET, webhook_url=f"{self.root}/webhooks")
        self.app = build(
            Settings(
                secret_key=generate_key(),
                client_id="sandbox-app",
                client_secret=SECRET,
                public_url=self.root,
                accounts_url=haravan.url,
                webhook_url=haravan.url,
                carrier_name="Sao Mai Express",
            ),
            engine=engine,
        )
        self.service = self.app.carrier_service(load_name(EXAMPLES / "carrier.py", "CARRIER"))

    def install(self, code):
        """Follow the carrier's link in a browser, to the last page."""
        link = self.app.installer.invite(code, base_url=self.haravan.url).url
        return requests.get(link, timeout=PATIENCE)

    def uninstall(self, code):
        """Take the app out, as the owner does in the shop's settings."""
        control = f"{self.haravan.url}/_sandbox/uninstall"
        assert requests.post(control, json={"shop": code}, timeout=PATIENCE).ok

    def state(self, code, wanted):
        """Wait until a shop is in a state: webhooks take a moment."""
        until = time.monotonic() + PATIENCE
        while self.app.shops.get(code).state is not wanted:
            assert time.monotonic() < until, f"{code} never was {wanted}"
            time.sleep(0.02)

    def told(self, topic):
        """Wait until the platform has noted a webhook of a topic: once it is answered."""
        until = time.monotonic() + PATIENCE
        while not (made := [call for call in self.world.calls if call.topic == topic]):
            assert time.monotonic() < until, f"{topic} was never told"
            time.sleep(0.02)
        return made[0]

    def record(self, ref, status):
        """Record an event of the road."""
        event = Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=status)
        assert "accepted" == self.app.ledger.record(event).verdict


@pytest.fixture
def scene(sqlite_engine):
    """The carrier, the platform and the owner; the engine outlives whoever is still answering."""
    later = Later()
    with serving(later) as url, SandboxServer(World()) as haravan:
        made = Scene(sqlite_engine, haravan, url)
        later.app = create_app(made.app, made.service)
        made.world.add_shop(code="alpha", token="not-ours")
        yield made


def test_a_shop_comes_goes_and_comes_back(scene):
    """A click connects and registers; an uninstall is heard by webhook; a click brings it back.

    What was recorded while the shop was away is published when it is back, twice over: the news
    of the second uninstall has the same bytes as the first.
    """
    for missed in (0, 1):
        page = scene.install("alpha")
        assert (200, "Shop alpha is connected; you can close this page.\n") == (
            page.status_code,
            page.text,
        )
        assert page.url.startswith(f"{scene.root}/installed?")
        assert {"Sao Mai Express"} == scene.world.shop("alpha").services.names()
        assert scene.world.webhook_queue.subscription("alpha") is not None

        order, fulfillment = scene.world.add_parcel(shop="alpha", cod_amount=0)
        ref = FulfillmentRef(shop="alpha", order_id=str(order), fulfillment_id=str(fulfillment))
        scene.app.ledger.open(Opening(ref=ref))
        scene.record(ref, Status.PICKING)
        assert missed + 1 == scene.app.reconcile(["alpha"])[0].published

        scene.uninstall("alpha")
        scene.state("alpha", ShopState.REVOKED)
        assert b"" == scene.app.shops.get("alpha").encrypted_token
        scene.record(ref, Status.DELIVERING)
        with pytest.raises(ShopRevoked):
            scene.app.reconcile(["alpha"])
        assert [] == scene.app.reconcile()

    assert 200 == scene.install("alpha").status_code
    assert 1 == scene.app.reconcile(["alpha"])[0].published
    assert [] == scene.app.incidents.all()
    assert scene.app.verify().ok


def test_an_echo_of_an_uninstall_revokes_nobody(scene):
    """The same webhook once more, after the shop came back, finds that the token opens."""
    scene.install("alpha")
    scene.uninstall("alpha")
    scene.state("alpha", ShopState.REVOKED)
    told = scene.told("app/uninstalled")
    scene.install("alpha")
    body = told.body.encode()
    headers = {
        "X-Haravan-Topic": told.topic,
        "X-Haravan-Org-Id": str(scene.world.shop("alpha").org_id),
        "X-Haravan-Hmacsha256": sign(body, SECRET),
    }

    again = requests.post(told.url, data=body, headers=headers, timeout=PATIENCE)

    assert 200 == again.status_code
    assert ShopState.ACTIVE is scene.app.shops.get("alpha").state
