from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from carrierflow.sandbox.refusals import NoAnswer
from carrierflow.sandbox.sapo import SIGNATURE, event_signature


@pytest.fixture
def subscribe(ask):
    """Want a topic."""

    def want(topic="orders/update", address="http://app.test/hook"):
        fields = {"webhook": {"topic": topic, "address": address, "format": "json"}}
        return ask("POST", "/admin/webhooks.json", fields)

    return want


@pytest.fixture
def deliver(sapo):
    """Send what is due, and return how many were tried."""
    return sapo.event_sender.deliver


def topics(post):
    return [each.headers["X-Sapo-Topic"] for each in post.arrived]


def versions(post):
    return [int(each.headers["X-Event-Version"]) for each in post.arrived]


def test_a_webhook_is_the_bare_order_signed(subscribe, parcel, act, ask, deliver, post, world):
    """Its body is the order as a read shows it, unwrapped; its signature is of the bytes."""
    subscribe()
    ref = parcel()
    act(ref, "ship")

    assert 1 == deliver()

    (sent,) = post.arrived
    assert ("POST", "http://app.test/hook") == (sent.method, sent.url)
    assert ask("GET", f"/admin/orders/{ref.order_id}")[1]["order"] == json.loads(sent.body)
    digest = hmac.new(b"app-secret", sent.body, hashlib.sha256).digest()
    assert base64.b64encode(digest).decode() == sent.headers[SIGNATURE]
    assert {
        "X-Sapo-Topic": "orders/update",
        "X-Sapo-Tenant-Domain": "alpha.mysapogo.com",
        "X-Sapo-Order-Id": str(ref.order_id),
        "X-Sapo-Object-Id": str(ref.order_id),
        "X-Sapo-Test": "false",
        "X-Sapo-Webhook-Address": "http://app.test/hook",
        "X-Event-Version": "1",
    }.items() <= sent.headers.items()


def test_the_signature_is_one_that_anybody_can_compute():
    """HMAC-SHA256 with the app's secret, in base64: a value worked out elsewhere."""
    assert "97yD9DBThCSxMpjmqm+xQ+9NWaFJRhdZl0edvC0aPNg=" == event_signature(
        b"The quick brown fox jumps over the lazy dog", "key"
    )


def test_nobody_is_told_who_did_not_ask(parcel, act, deliver, post):
    """Without a subscription nothing is sent, and what happened before one is never told."""
    act(parcel(), "ship")

    assert (0, []) == (deliver(), post.arrived)


def test_each_event_goes_to_who_wants_it(subscribe, parcel, act, deliver, post, world):
    """Topics of orders come with what happened; there is none of a parcel's own."""
    for topic in ("fulfilled", "received", "paid", "cancelled", "finalized", "create"):
        assert 200 == subscribe(f"orders/{topic}")[0]
    ref = parcel()
    for action in ("ship", "receive"):
        act(ref, action)
    draft = world.create_order("alpha", {"tax_treatment": "exclusive"}).id
    world.finalize("alpha", draft)
    world.cancel_order("alpha", draft)

    deliver()

    happened = ("fulfilled", "received", "paid", "create", "finalized", "cancelled")
    assert [f"orders/{topic}" for topic in happened] == topics(post)
    assert sorted(versions(post)) == versions(post)
    assert (422, "invalid") == _first_error(subscribe("fulfillments/update"))
    assert (422, "invalid") == _first_error(subscribe(address="ftp://app.test"))


def _first_error(answered):
    status, body = answered
    return status, next(iter(body["data_error"]["errors"].values()))


def test_subscriptions_are_listed_changed_and_ended(subscribe, ask, parcel, act, deliver, post):
    """An app sees its own; changed, the next goes elsewhere; ended, nothing goes."""
    number = subscribe()[1]["webhook"]["id"]
    assert [number] == [row["id"] for row in ask("GET", "/admin/webhooks.json")[1]["webhooks"]]
    ref = parcel()
    ask("PUT", f"/admin/webhooks/{number}.json", {"webhook": {"address": "http://other.test/"}})
    act(ref, "ship")
    deliver()

    ask("DELETE", f"/admin/webhooks/{number}.json")
    act(ref, "receive")
    deliver()

    assert ["http://other.test/"] == [each.url for each in post.arrived]
    assert [] == ask("GET", "/admin/webhooks.json")[1]["webhooks"]


def test_a_failure_is_tried_nineteen_times_more(
    subscribe, parcel, act, deliver, post, clock, world
):
    """Over 48 hours, unchanged and under the same version; then it is given up."""
    subscribe()
    act(parcel(), "ship")
    post.answers = [500, NoAnswer("nobody"), *[503] * 30]

    for _ in range(30):
        deliver()
        clock.advance(48 * 3600 / 19)

    assert (20, {1}) == (len(post.arrived), set(versions(post)))
    assert 1 == len({each.body for each in post.arrived})
    assert [] == list(world.events.waiting())
    assert [500, None, 503] == [each.status for each in world.events.sent][:3]


def test_an_answer_ends_the_tries(subscribe, parcel, act, deliver, post, clock):
    """Any 2xx will do."""
    subscribe()
    act(parcel(), "ship")
    post.answers = [500, 204]

    for _ in range(4):
        deliver()
        clock.advance(48 * 3600 / 19)

    assert 2 == len(post.arrived)


@pytest.mark.parametrize(
    ("kind", "arrived", "waiting"),
    [("call_lost", 0, 0), ("call_reply_lost", 1, 1), ("call_doubled", 2, 0)],
)
def test_a_webhook_may_be_lost_or_come_twice(
    subscribe, script, parcel, act, deliver, post, world, kind, arrived, waiting
):
    """A lost one is lost for good; one whose answer was lost is sent again later."""
    subscribe()
    script(kind, path="orders/update")
    act(parcel(), "ship")

    deliver()

    assert (arrived, waiting) == (len(post.arrived), len(list(world.events.waiting())))
    assert arrived in (0, len(versions(post)))


@pytest.mark.parametrize(("kind", "is_there"), [("call_unsigned", False), ("call_missigned", True)])
def test_a_webhook_may_bear_no_signature_or_a_wrong_one(
    subscribe, script, parcel, act, deliver, post, kind, is_there
):
    """Neither is the signature of the bytes."""
    subscribe()
    script(kind)
    act(parcel(), "ship")

    deliver()

    (sent,) = post.arrived
    assert is_there is (SIGNATURE in sent.headers)
    assert event_signature(sent.body, "app-secret") != sent.headers.get(SIGNATURE)


def test_a_webhook_may_be_late(subscribe, script, parcel, act, deliver, post, clock):
    """It comes after so many seconds, as the order was then."""
    subscribe()
    script("call_late", seconds=20)
    ref = parcel()
    act(ref, "ship")
    deliver()
    assert [] == post.arrived
    clock.advance(20)
    deliver()

    assert ["fulfilled"] == [json.loads(post.arrived[0].body)["fulfillments"][0]["status"]]


def test_a_webhook_may_be_overtaken(subscribe, script, parcel, act, deliver, post):
    """The next one goes first; the version tells which is older."""
    subscribe()
    script("call_reordered", seconds=500)
    ref = parcel()
    act(ref, "ship")
    deliver()
    act(ref, "receive")
    deliver()

    assert [2, 1] == versions(post)


def test_a_refused_action_is_no_event(subscribe, parcel, act, deliver, post):
    """Nothing is told where nothing happened."""
    subscribe()
    assert 422 == act(parcel(), "receive")[0]

    assert (0, []) == (deliver(), post.arrived)


def test_one_shops_news_are_not_anothers(subscribe, parcel, act, ask, deliver, post, world):
    """A subscription holds for the shop whose token made it."""
    number = subscribe()[1]["webhook"]["id"]
    world.add_shop(code="beta", token="token-beta")
    order, parcel_of_beta = world.add_parcel(shop="beta")
    path = f"/admin/orders/{order}/fulfillments/{parcel_of_beta}/ship"
    assert 200 == ask("POST", path, {}, token="token-beta")[0]

    assert (0, 404) == (
        deliver(),
        ask("DELETE", f"/admin/webhooks/{number}", token="token-beta")[0],
    )


def test_the_merchants_doings_are_told_too(subscribe, parcel, world, deliver, post):
    """An order changes for whoever listens, whoever changed it."""
    subscribe()
    ref = parcel()
    world.act_by_hand(ref, "cancel")
    world.pack_anew(ref)
    deliver()

    shown = [len(json.loads(each.body)["fulfillments"]) for each in post.arrived]
    assert [1, 2] == shown
