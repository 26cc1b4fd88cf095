from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
import requests

from carrierflow.sandbox.haravan import (
    WEBHOOK_SIGNATURE_HEADER,
    Answer,
    App,
    BadInput,
    CarrierClient,
    Fault,
    FaultKind,
    NoAnswer,
    ParcelRef,
    Rule,
    SandboxServer,
    Unprocessable,
    WebhookSender,
    sign,
)

from .carrier import FakeCarrier, listening


@pytest.fixture
def carrier():
    """A carrier that takes every webhook."""
    return FakeCarrier()


@pytest.fixture
def subscribed(world, ask):
    """A shop whose webhooks are on, with one parcel in it; returns the parcel."""
    ids = world.add_parcel(shop="alpha", cod_amount=20_000)
    world.app = App(webhook_url="https://carrier.example/webhooks")
    ask("POST", "/api/subscribe", {})
    return ids


@pytest.fixture
def webhook_sender(world, faults, carrier):
    """Sends webhooks to that carrier."""
    return WebhookSender(
        world, CarrierClient(world, faults, send=carrier, sleep=lambda _seconds: None)
    )


@pytest.fixture
def topics(carrier):
    """Return the topics of the webhooks that arrived, in this order."""
    return lambda: [call.headers["X-Haravan-Topic"] for call in carrier.heard]


def statuses(carrier):
    return [
        body["fulfillments"][0]["carrier_status_code"]
        for body in carrier.bodies("/webhooks")
        if body.get("fulfillments")
    ]


def test_updates_are_told(subscribed, put, webhook_sender, carrier, world, topics):
    """A change of an order is told with the order itself, signed, under the shop's headers."""
    put(subscribed, "picking")

    assert 1 == webhook_sender.deliver()

    (call,) = carrier.heard
    assert ["orders/updated"] == topics()
    assert sign(call.body, "sandbox-secret") == call.headers[WEBHOOK_SIGNATURE_HEADER]
    assert (str(world.shop("alpha").org_id), str(subscribed[0])) == (
        call.headers["X-Haravan-Org-Id"],
        call.headers["X-Haravan-Order-Id"],
    )
    assert subscribed[0] == json.loads(call.body)["id"]
    assert ["picking"] == statuses(carrier)


def test_orders_have_topics_for_everything(subscribed, world, webhook_sender, topics):
    """Making, fulfilling, cancelling and removing an order are told under topics of their own."""
    order_id = world.add_parcel(shop="alpha")[0]
    world.cancel_order("alpha", order_id)
    world.remove_order("alpha", order_id)

    webhook_sender.deliver()

    assert {
        "orders/create",
        "orders/fulfilled",
        "orders/updated",
        "orders/cancelled",
        "orders/delete",
    } == set(topics())


def test_nothing_is_told_unasked(world, ask, webhook_sender):
    """A shop without a subscription sends nothing, and a topic left out of the app is not sent."""
    world.add_parcel(shop="alpha")
    assert 0 == webhook_sender.deliver()

    world.app = App(webhook_url="https://carrier.example/webhooks", topics=("orders/cancelled",))
    ask("POST", "/api/subscribe", {})
    world.add_parcel(shop="alpha")
    assert 0 == webhook_sender.deliver()


def test_uninstall_is_the_last_word(subscribed, world, webhook_sender, topics, carrier):
    """After an uninstall one webhook names the shop, and no other follows."""
    world.uninstall("alpha")
    world.edit(ParcelRef("alpha", *subscribed), carrier_status="picking")

    webhook_sender.deliver()

    assert ["app/uninstalled"] == topics()
    assert {"org_id": world.shop("alpha").org_id} == json.loads(carrier.heard[0].body)


def test_failures_are_tried_again(subscribed, put, webhook_sender, carrier, clock, topics):
    """A webhook that was not answered with 2xx is sent again after a while, unchanged."""
    carrier.says["/webhooks"] = Answer(status=302)
    put(subscribed, "picking")
    webhook_sender.deliver()
    carrier.says["/webhooks"] = Answer(status=200)
    assert 0 == webhook_sender.deliver()

    clock.advance(10)

    assert 1 == webhook_sender.deliver()
    assert carrier.heard[0].body == carrier.heard[1].body
    clock.advance(3600)
    assert 0 == webhook_sender.deliver()


def test_nineteen_failures_end_the_subscription(
    subscribed, put, webhook_sender, carrier, clock, ask
):
    """After nineteen failures in a row the platform drops the app, and says nothing."""
    carrier.says["/webhooks"] = Answer(status=500)
    put(subscribed, "picking")
    for _ in range(18):
        webhook_sender.deliver()
        clock.advance(10)
    assert ask("GET", "/api/subscribe")[1]["data"]

    webhook_sender.deliver()

    assert [] == ask("GET", "/api/subscribe")[1]["data"]
    clock.advance(3600)
    put(subscribed, "delivering")
    assert 0 == webhook_sender.deliver()


def test_one_success_forgives(subscribed, put, webhook_sender, carrier, clock, ask):
    """Only failures in a row count: one success begins the count anew."""
    put(subscribed, "picking")
    for answer in (500, 500, 200):
        carrier.says["/webhooks"] = Answer(status=answer)
        webhook_sender.deliver()
        clock.advance(10)

    state = ask("GET", "/_sandbox/state")[1]["shops"][0]["subscription"]

    assert 0 == state["failures"]


def test_news_of_an_uninstall_are_given_up_too(subscribed, world, webhook_sender, carrier, clock):
    """The last webhook is tried nineteen times and no more."""
    carrier.says["/webhooks"] = Answer(status=500)
    world.uninstall("alpha")

    for _ in range(30):
        webhook_sender.deliver()
        clock.advance(10)

    assert 19 == len(carrier.heard)


@pytest.mark.parametrize(
    ("kind", "after", "expected"),
    [
        ("call_lost", 0, ["delivering"]),
        ("call_doubled", 0, ["picking", "picking", "delivering"]),
        ("call_late", 5, ["delivering", "picking"]),
        ("call_reordered", 0, ["delivering", "picking"]),
    ],
)
def test_webhook_faults_happen(
    kind, after, expected, subscribed, put, webhook_sender, carrier, faults, clock
):
    """Webhooks are lost, doubled, late or overtaken, as a rule for their topic says."""
    faults.add(Rule(fault=Fault(kind=FaultKind(kind), seconds=5.0), path="orders/updated"))
    put(subscribed, "picking")
    webhook_sender.deliver()
    put(subscribed, "delivering")
    webhook_sender.deliver()
    clock.advance(after)
    webhook_sender.deliver()

    assert expected == statuses(carrier)
    clock.advance(3600)
    assert 0 == webhook_sender.deliver()


def test_webhooks_overtake_only_within_a_while(
    subscribed, put, webhook_sender, carrier, faults, clock
):
    """A webhook that waits to be overtaken goes out anyway when nothing comes."""
    faults.add(Rule(fault=Fault(kind=FaultKind.CALL_REORDERED, seconds=5.0)))
    put(subscribed, "picking")
    assert 0 == webhook_sender.deliver()

    clock.advance(5)

    assert 1 == webhook_sender.deliver()


def test_unsigned_webhooks_fail_and_come_again_signed(
    subscribed, put, webhook_sender, carrier, faults, clock
):
    """A webhook sent without its signature is refused by a careful app, and sent again with it."""
    carrier.says["/webhooks"] = lambda call: Answer(
        status=200 if WEBHOOK_SIGNATURE_HEADER in call.headers else 401
    )
    faults.add(Rule(fault=Fault(kind=FaultKind.CALL_UNSIGNED)))
    put(subscribed, "picking")
    webhook_sender.deliver()
    clock.advance(10)
    webhook_sender.deliver()

    assert [False, True] == [WEBHOOK_SIGNATURE_HEADER in call.headers for call in carrier.heard]


def test_challenge_is_answered(subscribed, webhook_sender, carrier):
    """The address proves to be the app's by answering the challenge, bare."""
    carrier.says["/webhooks"] = lambda call: Answer(
        status=200, body=call.url.rpartition("hub.challenge=")[2].encode()
    )

    webhook_sender.challenge()

    (call,) = carrier.heard
    assert "GET" == call.method
    assert "hub.verify_token=sandbox-verify" in call.url


def test_challenge_may_fail(subscribed, webhook_sender, carrier, world):
    """A wrong answer, none, or no address at all fail the challenge."""
    with pytest.raises(Unprocessable):
        webhook_sender.challenge()
    world.app = replace(world.app, webhook_url="")
    with pytest.raises(BadInput):
        webhook_sender.challenge()


def test_silent_webhook_address_is_a_failure(subscribed, put, webhook_sender, carrier, clock):
    """An address where nobody listens counts as a failure, and is tried again."""

    def silent(_call):
        raise NoAnswer("Nobody listens.")

    carrier.says["/webhooks"] = silent
    put(subscribed, "picking")
    webhook_sender.deliver()
    clock.advance(10)

    assert 1 == webhook_sender.deliver()


def test_server_sends_by_itself(world, carrier):
    """A sandbox on a port sends its webhooks at once, and answers the challenge by control."""
    with listening(carrier) as root, SandboxServer(world) as server:
        app = {"webhook_url": f"{root}/webhooks"}
        requests.post(f"{server.url}/_sandbox/app", json=app, timeout=5)
        headers = {"Authorization": "Bearer token-alpha"}
        requests.post(f"{server.url}/api/subscribe", json={}, headers=headers, timeout=5)
        challenge = requests.post(f"{server.url}/_sandbox/challenge", timeout=5)
        assert (400, True) == (challenge.status_code, "challenge" in challenge.text)

        requests.post(f"{server.url}/_sandbox/orders", json={"shop": "alpha"}, timeout=5)

        deadline = time.monotonic() + 5
        while not any(call.method == "POST" for call in carrier.heard):
            assert time.monotonic() < deadline
            time.sleep(0.02)
