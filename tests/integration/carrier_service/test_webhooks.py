import json
from datetime import timedelta

import pytest
from plain_runs import hints

from carrierflow.carrier_service import MAX_BODY
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.domain.shop import ShopState
from carrierflow.errors import DatabaseUnavailable
from carrierflow.storage.callbacks import SqlCallbackStore

from .conftest import envelope, signed


ORDER = {"id": 1001, "customer": {"first_name": "canary", "phone": "0900"}}


def webhook(service, topic="orders/updated", body=ORDER, **parts):
    """Tell the carrier something, and return the HTTP status of the answer."""
    headers = {"X-Haravan-Topic": topic, "X-Haravan-Org-Id": "1000", **parts}
    return service.answer(signed("POST", "/webhooks", body, **headers)).status


def rows(app, columns="topic, org_id, order_id, sealed, acted_at"):
    """Return the webhooks that are kept."""
    with app.store.reading() as connection:
        query = f"SELECT {columns} FROM carrierflow_webhooks ORDER BY received_at"
        return connection.exec_driver_sql(query).all()


@pytest.fixture
def parcel(app):
    """A parcel of the order that webhooks are about."""
    ref = FulfillmentRef(shop="sms", order_id="1001", fulfillment_id="2001")
    return app.ledger.open(Opening(ref=ref))


@pytest.fixture
def hinted(app):
    """Tell which orders of the shop are to be looked at next."""
    return lambda: [hint.order_id for hint in hints(app.store, "sms")]


def challenge(app, courier, **query):
    """Answer a subscription's challenge."""
    service = app.carrier_service(courier)
    parts = {f"hub.{name}": text for name, text in query.items()}
    return service.answer(signed("GET", "/webhooks", query=parts))


def test_a_challenge_that_knows_our_token_is_repeated(sqlite_engine, make_app, courier):
    """The bare challenge, and nothing around it, proves that this is the place."""
    app = make_app(sqlite_engine, webhook_verify_token="token")

    reply = challenge(app, courier, mode="subscribe", verify_token="token", challenge="4711")

    assert (200, b"4711") == (reply.status, reply.body)


def test_a_challenge_need_not_say_its_mode(sqlite_engine, make_app, courier):
    """The token is what counts; a challenge without `hub.mode` is answered too."""
    app = make_app(sqlite_engine, webhook_verify_token="token\n")

    reply = challenge(app, courier, verify_token="token", challenge="4711")

    assert (200, b"4711") == (reply.status, reply.body)
    assert 401 == challenge(app, courier, verify_token="", challenge="4711").status
    assert 401 == challenge(app, courier, challenge="4711").status


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"mode": "subscribe", "verify_token": "other", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "tokén\ud800", "challenge": "1"},
        {"mode": "unsubscribe", "verify_token": "token", "challenge": "1"},
        {"mode": "subscribe", "verify_token": "token"},
    ],
)
def test_any_other_challenge_is_turned_away(sqlite_engine, make_app, courier, query):
    """Whoever does not know the token learns nothing."""
    app = make_app(sqlite_engine, webhook_verify_token="token")

    assert 401 == challenge(app, courier, **query).status


def test_without_a_verify_token_no_challenge_is_answered(app, courier):
    """An empty setting is no password."""
    query = {"mode": "subscribe", "verify_token": "", "challenge": "1"}

    assert 401 == challenge(app, courier, **query).status


def test_a_webhook_is_kept_sealed(app, service, parcel):
    """The body names people, so it stands in the database in no readable form."""
    assert 200 == webhook(service)

    ((topic, org_id, order_id, sealed, _),) = rows(app)
    assert ("orders/updated", "1000", "1001") == (topic, org_id, order_id)
    assert b"canary" not in sealed
    assert {(("result", "done"), ("topic", "orders/updated")): 1} == app.counters.counts("webhooks")


def test_kept_bodies_are_sealed_anew_with_the_others(app, service, parcel):
    """After a change of key, webhooks open with the new one like everything else."""
    webhook(service)
    before = rows(app)[0].sealed

    assert 2 == app.reseal()
    after = rows(app)[0].sealed
    (name,) = rows(app, "digest")[0]
    assert before != after
    assert ORDER == json.loads(app._keys.decrypt(after, context=f"webhook:{name}"))


def test_a_webhook_moves_the_parcel_s_turn_forward_and_nothing_else(app, service, parcel, hinted):
    """It says that somebody should look: status, version and last verification stay."""
    webhook(service, "orders/cancelled")

    assert ["1001"] == hinted()
    assert parcel == app.parcel("sms", "2001")


def test_a_webhook_lets_its_shop_be_due(app, service, parcel):
    """The shop that something happened in comes before those that want a run later."""
    app.shops.add("aaa", token="t", base_url="http://127.0.0.1")
    with app.store.begin() as connection:
        connection.exec_driver_sql("UPDATE carrierflow_shops SET next_due = '2099-01-01T00:00'")
    assert ["aaa", "sms"] == [shop.code for shop in app.shops.all()]

    webhook(service)

    assert ["sms", "aaa"] == [shop.code for shop in app.shops.all()]


@pytest.mark.parametrize(
    ("topic", "kept"),
    [
        ("orders/updated", "orders/updated"),
        ("orders/update", "orders/updated"),
        ("Orders/Cancel", "orders/cancelled"),
        ("orders/fulfilled", "orders/fulfilled"),
        ("carts/create", "carts/create"),
        ("inventory-transfers/update", "inventory_transfers/update"),
        ("<script>", "unknown"),
        ("", "unknown"),
    ],
)
def test_every_topic_is_kept_in_one_spelling(app, service, topic, kept):
    """What we do not act on is answered with success all the same, or it would come for days."""
    assert 200 == webhook(service, topic)

    assert kept == rows(app)[0].topic


def test_the_same_webhook_twice_is_one(app, service, clock, parcel, hinted):
    """A second delivery of the same bytes is neither kept nor acted on."""
    webhook(service)
    app.reconciler.parts.store.clear_hints(app.shops.get("sms"), hints(app.store, "sms"))
    clock.advance(timedelta(minutes=1))

    assert 200 == webhook(service)
    assert [] == hinted()
    assert 1 == len(rows(app))


def test_another_topic_or_shop_is_another_webhook(app, service):
    """The same body means something else elsewhere."""
    webhook(service)
    webhook(service, "orders/cancelled")
    webhook(service, **{"X-Haravan-Org-Id": "2000"})

    assert 3 == len(rows(app))


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"X-Haravan-Topic": "app_uninstalled"}, {"org_id": 1000}),
        ({"X-Haravan-Topic": "App-Uninstalled"}, {"org_id": "1000"}),
        ({"X-Haravan-Topic": "app/uninstalled"}, {"org_id": 1000}),
        ({"X-Haravan-Topic": "app_uninstalled", "X-Haravan-Org-Id": "1000"}, {}),
        ({}, {"topic": "app_uninstalled", "org_id": 1000}),
    ],
)
def test_an_uninstall_is_believed_however_it_is_spelled(app, service, headers, body):
    """The topic with a dash below, the organisation in the body: signed, it is an uninstall."""
    unsigned = signed("POST", "/webhooks", body, secret="other", **headers)
    assert 401 == service.answer(unsigned).status
    assert ShopState.ACTIVE is app.shops.get("sms").state

    assert 200 == service.answer(signed("POST", "/webhooks", body, **headers)).status
    assert ShopState.REVOKED is app.shops.get("sms").state


@pytest.mark.parametrize("body", [{"org_id": 1001}, {"org_id": "sms"}, {}, b"no json"])
def test_an_uninstall_of_nobody_we_know_ends_nothing(app, service, body):
    """An organisation that is missing, no id or another one leaves every shop connected."""
    headers = {"X-Haravan-Topic": "app_uninstalled"}

    assert 200 == service.answer(signed("POST", "/webhooks", body, **headers)).status
    assert ShopState.ACTIVE is app.shops.get("sms").state


@pytest.mark.parametrize("body", [b"no json", b"", b"[1]", {"id": "x"}, {"id": 10**30}, {}])
def test_a_body_that_names_no_order_is_kept(app, service, body):
    """Nothing that was signed is lost, whatever it is."""
    assert 200 == webhook(service, body=body)

    assert (1, None) == (len(rows(app)), rows(app)[0].order_id)


def test_a_body_too_long_to_keep_still_hints(app, service, parcel, hinted):
    """An order beyond the limit is looked at by the id in its header."""
    body = b"x" * (MAX_BODY + 1)

    assert 200 == webhook(service, body=body, **{"X-Haravan-Order-Id": "1001"})
    assert ["1001"] == hinted()
    assert rows(app)[0].sealed is None


def test_strangers_are_kept_and_hint_at_nothing(app, service, parcel, hinted):
    """An unknown order or organisation is answered with success, and nobody looks."""
    assert 200 == webhook(service, body={"id": 777})
    assert 200 == webhook(service, **{"X-Haravan-Org-Id": "2000"})

    assert [] == hinted()
    assert 2 == len(rows(app))


def test_a_webhook_that_cannot_be_kept_will_come_again(app, service, monkeypatch):
    """Only what is kept is answered with success: the platform sends the rest again."""

    def locked(store, delivery, *, acted):
        raise DatabaseUnavailable("canary: locked by 10.0.0.7")

    monkeypatch.setattr(SqlCallbackStore, "store_webhook", locked)
    headers = {"X-Haravan-Topic": "orders/updated"}

    reply = service.answer(signed("POST", "/webhooks", ORDER, **headers))

    assert 503 == reply.status
    assert "canary" not in envelope(reply)["message"]


def test_an_uninstall_leaves_a_shop_of_another_platform_alone(app, service):
    """An id stands for two shops on two platforms; the one that was left loses its token."""
    app.shops.add("shelf", platform="sapo", token="t", base_url="http://127.0.0.1", org_id="1000")

    webhook(service, "app/uninstalled", {"org_id": 1000})

    states = {shop.code: shop.state for shop in app.shops.all()}
    assert {"sms": ShopState.REVOKED, "shelf": ShopState.ACTIVE} == states


def test_an_uninstall_revokes_the_shop_once(app, service):
    """The shop loses its token; the same webhook again revokes no later install unasked.

    Where the platform cannot be asked, it is to send the webhook once more.
    """
    webhook(service, "app/uninstalled", {"org_id": 1000})
    assert ShopState.REVOKED is app.shops.get("sms").state

    app.shops.rotate_token("sms", "new")
    app.shops.resume("sms")

    assert 503 == webhook(service, "app/uninstalled", {"org_id": 1000})
    assert ShopState.ACTIVE is app.shops.get("sms").state


def test_an_uninstall_that_broke_off_is_finished_by_the_next_delivery(app, courier, monkeypatch):
    """Kept but not acted on: the platform got no success, and its retry goes on."""
    revoke = app.shops.revoke

    def dies(code):
        raise DatabaseUnavailable("gone")

    monkeypatch.setattr(app.shops, "revoke", dies)
    assert 503 == webhook(app.carrier_service(courier), "app/uninstalled", {})
    assert rows(app)[0].acted_at is None
    monkeypatch.setattr(app.shops, "revoke", revoke)

    assert 200 == webhook(app.carrier_service(courier), "app/uninstalled", {})
    assert ShopState.REVOKED is app.shops.get("sms").state


def test_an_uninstall_names_its_shop_in_the_body_where_no_header_does(app, service):
    """Handlers in the wild read the organisation from the body."""
    webhook(service, "app/uninstalled", {"org_id": 1000}, **{"X-Haravan-Org-Id": ""})

    assert ShopState.REVOKED is app.shops.get("sms").state
