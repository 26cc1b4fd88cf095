"""Webhooks of Sapo and Onflow over real sockets: a change there, a hint, and a look."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests
from asgi import serving
from plain_runs import hints

from carrierflow.carrier_service import MAX_BODY
from carrierflow.sandbox.onflow import OnflowStage
from carrierflow.sandbox.sapo import SapoAction, SapoRef, event_signature
from carrierflow.web import create_app

from . import test_onflow, test_sapo


SECRET = "canary-secret-1"
KINDS = ("sapo", "onflow")
UNREADABLE = (
    b'{"id": "x", "tracking_code": "../x"}',
    b'{"id": %s, "tracking_code": 7}' % (b"9" * 5000),
)


class Hinting:
    """A carrier on one platform, and the address where it answers that platform's webhooks."""

    def __init__(self, carrier, url):
        self.carrier, self.url = carrier, url

    def hinted(self):
        """Return the orders that webhooks named."""
        return [hint.order_id for hint in hints(self.carrier.app.store, "alpha")]


class SapoHinting(Hinting):
    """A shop on Sapo that subscribed to its orders."""

    name, address = "sapo", "/sapo/alpha/webhooks"

    def parcel(self):
        """Pack a parcel that both sides know."""
        return self.carrier.parcel("alpha", cod=250_000)

    def change(self, ref):
        """Let the merchant cancel the parcel, and the platform tell of it."""
        self.carrier.world.app_secret = SECRET
        self.carrier.world.events.subscribe("alpha", "orders/update", self.url + self.address)
        number, parcel = int(ref.order_id), int(ref.fulfillment_id)
        target = SapoRef(shop="alpha", order_id=number, fulfillment_id=parcel)
        self.carrier.world.act_by_hand(target, SapoAction.CANCEL)
        return self.carrier.server.sapo.event_sender.deliver()

    def send(self, body, *, shop="alpha", secret=SECRET):
        """Send a webhook as Sapo signs it."""
        signed = {"X-Sapo-Topic": "orders/update"}
        if secret is not None:
            signed["X-Sapo-Hmac-SHA256"] = event_signature(body, secret)
        url = f"{self.url}/sapo/{shop}/webhooks"
        return requests.post(url, data=body, headers=signed, timeout=30)

    def body(self, ref):
        """Return what a webhook about a parcel says."""
        return json.dumps({"id": int(ref.order_id)}).encode()


class OnflowHinting(Hinting):
    """An account on Onflow that has the address with its secret."""

    name, address = "onflow", f"/onflow/alpha/webhooks/{SECRET}"

    def parcel(self):
        """Put a shipment into the warehouse that both sides know."""
        return self.carrier.shipment("alpha", OnflowStage.PACKED)

    def change(self, ref):
        """Let the warehouse cancel the shipment, and tell of it."""
        account = self.carrier.world.accounts["alpha"]
        account.options = replace(account.options, webhook_url=self.url + self.address)
        self.carrier.world.cancel_by_hand(ref.fulfillment_id)
        return self.carrier.server.onflow.hook_sender.deliver()

    def send(self, body, *, shop="alpha", secret=SECRET):
        """Send a webhook to an address with a secret."""
        url = f"{self.url}/onflow/{shop}/webhooks/{secret or '-'}"
        return requests.post(url, data=body, timeout=30)

    def body(self, ref):
        """Return what a webhook about a shipment says."""
        return json.dumps({"tracking_code": ref.fulfillment_id}).encode()


STAGES = {"sapo": (test_sapo, SapoHinting), "onflow": (test_onflow, OnflowHinting)}


@contextmanager
def staged(kind, folder, secret=SECRET):
    """Serve a carrier's webhooks beside its platform."""
    module, hinting = STAGES[kind]
    with module.carrying(folder) as carrier:
        app = carrier.another_app(**{f"{kind}_webhook_secret": secret})
        carrier.app = app
        with serving(create_app(app, None)) as url:
            yield hinting(carrier, url)


@pytest.fixture(params=KINDS)
def stage(request, tmp_path):
    """A carrier on each of the platforms."""
    with staged(request.param, tmp_path) as made:
        yield made


def test_a_change_there_is_looked_at_by_the_next_quick_run(stage):
    """The webhook changes nothing by itself; the look that it brings does."""
    refs = [stage.parcel() for _ in range(3)]
    stage.carrier.clock.advance(60)
    stage.carrier.runs()
    before = stage.carrier.known(refs[1])
    assert [] == stage.carrier.app.reconcile(hinted=True)
    stage.carrier.clock.advance(60)

    assert 1 == stage.change(refs[1])
    assert ([refs[1].order_id], before) == (stage.hinted(), stage.carrier.known(refs[1]))
    (report,) = stage.carrier.app.reconcile(hinted=True)

    assert ("done", 1) == (report.end_reason, report.orders)
    assert ([], "cancel") == (stage.hinted(), stage.carrier.known(refs[1])[0])


@pytest.mark.parametrize("secret", [None, "canary-secret-2", SECRET + "x"])
def test_without_its_proof_a_webhook_is_turned_away(stage, secret):
    """It is a 401 that repeats nothing, whatever shop is named, and nobody looks."""
    ref = stage.parcel()

    for shop in ("alpha", "nobody"):
        reply = stage.send(stage.body(ref), shop=shop, secret=secret)
        assert 401 == reply.status_code
        assert "canary" not in reply.text
    assert [] == stage.hinted()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("secret", ["", " \n", "\ufeff"])
def test_a_blank_secret_lets_nobody_in(tmp_path, kind, secret):
    """Who set none, or a line end, is told nothing by anybody."""
    with staged(kind, tmp_path, secret) as stage:
        body = stage.body(stage.parcel())
        assert {401} == {stage.send(body, secret=one).status_code for one in ("-", "%20", "%2C")}
        assert [] == stage.hinted()


@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_is_cleaned_at_the_door(tmp_path, kind):
    """A line end behind the secret in the settings keeps nobody out who has it."""
    with staged(kind, tmp_path, f"\ufeff {SECRET}\r\n") as stage:
        ref = stage.parcel()
        assert 200 == stage.send(stage.body(ref)).status_code
        assert [ref.order_id] == stage.hinted()


def test_strangers_hint_at_nothing(stage):
    """An unknown shop, a shop of another platform, an unknown order: a success, and no look."""
    ref = stage.parcel()
    other = next(kind for kind in KINDS if kind != stage.name)
    url = stage.carrier.server.url
    stage.carrier.app.shops.add("other", platform=other, token="t", base_url=url)

    for shop in ("nobody", "other"):
        assert 200 == stage.send(stage.body(ref), shop=shop).status_code
    assert 200 == stage.send(b'{"id": 777, "tracking_code": "OASC777"}').status_code
    assert [] == stage.hinted()


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[1]", b"{}", b"[" * 100_000, *UNREADABLE],
    ids=len,
)
def test_odd_bodies_are_answered_and_name_nothing(stage, body):
    """Whatever was proven to come from the platform is answered with success."""
    stage.parcel()

    assert 200 == stage.send(body).status_code
    assert [] == stage.hinted()


def test_a_long_body_is_not_read_to_its_end(stage):
    """One MiB is answered, more is not, as for every platform."""
    assert 200 == stage.send(b" " * MAX_BODY).status_code
    assert 413 == stage.send(b" " * (MAX_BODY + 1)).status_code


def test_other_paths_and_methods_are_none(stage):
    """Webhooks are posted to one address."""
    assert 404 == requests.post(f"{stage.url}/{stage.name}/alpha", timeout=30).status_code
    assert 405 == requests.get(stage.url + stage.address, timeout=30).status_code
    assert 404 == requests.post(stage.url + "/haravan/webhooks", timeout=30).status_code


def test_the_secret_is_in_no_log(stage, caplog):
    """An address that bears a secret is written down nowhere."""
    caplog.set_level("DEBUG", logger="carrierflow")
    ref = stage.parcel()

    stage.send(stage.body(ref))
    stage.send(b"no json", secret="canary-secret-2")

    told = [str(vars(record)) for record in caplog.records if record.name.startswith("carrierflow")]
    assert told
    assert not [line for line in told if "canary" in line]
