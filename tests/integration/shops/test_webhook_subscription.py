"""Webhooks switched on, dropped by the platform, switched on again, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from carrierflow.carrier_service.registration import Subscription
from carrierflow.errors import OutcomeUnknown, PlatformUnavailable, Refused, ShopRevoked
from carrierflow.reconcile import EndReason
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.shops import Shops, WebhookSubscription
from carrierflow.storage.encryption import KeyRing, generate_key

from .conftest import HOUR


TOPICS = [Subscription(id="1", topic="orders/updated", url="https://ship.example/webhooks")]


class FakeSwitch:
    """The webhooks of one shop, in memory; it can lose a reply or a request."""

    def __init__(self):
        self.is_on = False
        self.asked = []
        self.loses = None
        self.trouble = None

    def listed(self):
        self._asked("list")
        return TOPICS if self.is_on else []

    def subscribe(self):
        self._switch("on", to=True)

    def unsubscribe(self):
        self._switch("off", to=False)

    def close(self):
        pass

    def _switch(self, what, *, to):
        self._asked(what)
        if self.loses != "request":
            self.is_on = to
        if self.loses is not None:
            raise OutcomeUnknown("no reply to a request that was sent")

    def _asked(self, what):
        self.asked.append(what)
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def switch():
    """The switch at the platform."""
    return FakeSwitch()


@pytest.fixture
def subscriber(store, switch, clock):
    """What looks after the webhooks of shops."""
    return WebhookSubscription(store, connect=lambda _shop, _idle: switch, clock=clock)


def test_webhooks_are_switched_on_and_off(subscriber, switch, shop, store, clock):
    """When they were switched on is remembered, and forgotten when they are off."""
    assert TOPICS == subscriber.subscribe(shop)
    assert (True, clock()) == (switch.is_on, store.shop(shop).subscribed_at)

    subscriber.unsubscribe(shop)
    assert (False, None) == (switch.is_on, store.shop(shop).subscribed_at)


@pytest.mark.parametrize("act", ["subscribe", "unsubscribe"])
def test_a_lost_reply_is_looked_up(subscriber, switch, shop, act):
    """The list tells that a request without an answer arrived; it is sent once."""
    switch.is_on = act == "unsubscribe"
    switch.loses = "reply"

    getattr(subscriber, act)(shop)

    assert 1 == switch.asked.count("on") + switch.asked.count("off")


@pytest.mark.parametrize("act", ["subscribe", "unsubscribe"])
def test_a_lost_request_is_reported(subscriber, switch, shop, act, store):
    """Where the list shows no effect, a person hears of it and nothing is remembered."""
    switch.is_on = act == "unsubscribe"
    switch.loses = "request"

    with pytest.raises(OutcomeUnknown):
        getattr(subscriber, act)(shop)

    assert 1 == switch.asked.count("on") + switch.asked.count("off")
    assert store.shop(shop).subscribed_at is None


def test_a_dropped_subscription_is_renewed_within_the_hour(subscriber, switch, shop, clock):
    """Asked every five minutes for a day, it looks once an hour and switches on what was off."""
    subscriber.subscribe(shop)
    switch.asked.clear()
    for minute in range(0, 24 * 60, 5):
        if minute == 3 * 60 + 20:
            switch.is_on = False
        clock.advance(minutes=5)
        assert subscriber.keep(shop) is None

    assert switch.is_on
    assert (25, 1) == (switch.asked.count("list"), switch.asked.count("on"))


def test_one_of_two_processes_looks(subscriber, store, switch, shop, clock):
    """The turn of an hour is taken once."""
    subscriber.subscribe(shop)
    clock.advance(hours=2)
    found = store.shop(shop)

    assert [True, False] == [subscriber._is_due(found) for _ in range(2)]


def test_webhooks_that_nobody_wanted_stay_off(subscriber, switch, shop, clock):
    """A shop whose webhooks were never switched on, or were switched off, is left alone."""
    clock.advance(days=2)
    subscriber.keep(shop)
    subscriber.subscribe(shop)
    subscriber.unsubscribe(shop)
    switch.asked.clear()
    clock.advance(days=2)

    assert subscriber.keep(shop) is None
    assert [] == switch.asked


def test_a_revoked_shop_has_none(subscriber, switch, shop, store, clock):
    """An uninstalled shop is not asked, and does not count as subscribed."""
    subscriber.subscribe(shop)
    Shops(store, KeyRing(generate_key()), clock=clock).revoke(shop)
    switch.asked.clear()
    clock.advance(days=1)

    assert subscriber.keep(shop) is None
    assert [] == switch.asked


@pytest.mark.parametrize(
    "trouble",
    [PlatformUnavailable("no reply"), Refused("no"), OutcomeUnknown("no reply"), ShopRevoked("x")],
)
def test_trouble_is_told_and_does_no_harm(subscriber, switch, shop, clock, trouble):
    """Whatever goes wrong becomes a sentence, and the next hour tries again."""
    subscriber.subscribe(shop)
    switch.trouble = trouble
    clock.advance(hours=1)

    assert subscriber.keep(shop).startswith("Its webhooks could not be looked after: ")

    switch.trouble = None
    switch.is_on = False
    assert subscriber.keep(shop) is None
    assert not switch.is_on
    clock.advance(hours=1)
    assert subscriber.keep(shop) is None
    assert switch.is_on


@pytest.fixture
def installed(journey):
    """A carrier whose shop came by an install, with one parcel."""
    journey.add_shop("alpha")
    journey.install("alpha")
    journey.parcel("alpha")
    return journey


def test_an_install_switches_webhooks_on(installed):
    """A new shop sends its webhooks from the start."""
    assert installed.app.shops.get("alpha").subscribed_at is not None
    assert "app/uninstalled" in [row.topic for row in installed.app.webhooks.listed("alpha")]


def test_a_run_notices_that_the_platform_dropped_them(installed):
    """After the platform forgot the subscription, a later reconcile brings it back."""
    installed.world.webhook_queue.unsubscribe("alpha")
    installed.clock.advance(30 * 60)
    installed.app.reconcile(["alpha"])
    assert installed.world.webhook_queue.subscription("alpha") is None

    installed.clock.advance(30 * 60)
    (report,) = installed.app.reconcile(["alpha"])

    assert installed.world.webhook_queue.subscription("alpha") is not None
    assert (EndReason.DONE, None) == (report.end_reason, report.sentence)


def test_a_run_does_not_fail_over_webhooks(installed):
    """A webhook host in trouble is told in the report of a run that did its work."""
    trouble = Rule(fault=Fault(kind=FaultKind.ERROR_500_BEFORE), path="/api/subscribe", times=9)
    installed.server.faults.plan(script=[trouble])
    installed.clock.advance(2 * HOUR)

    (report,) = installed.app.reconcile(["alpha"], full=True)

    assert (EndReason.DONE, False, 1) == (report.end_reason, report.failed, report.checked)
    assert report.sentence.startswith("Its webhooks could not be looked after: ")


def test_a_platform_that_says_no_is_quoted_without_names(installed):
    """A refusal in an answer that looks well is one, and says why."""
    installed.world.app = replace(installed.world.app, webhook_url="")

    with pytest.raises(Refused, match="has no address for webhooks"):
        installed.app.webhooks.subscribe("alpha")
    assert timedelta(0) == installed.clock() - installed.app.shops.get("alpha").subscribed_at
