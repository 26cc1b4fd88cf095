"""What is left of a shop after the app was uninstalled, and how it comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plain_runs import Leases
from sqlalchemy import select

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.clock import now
from carrierflow.domain.model import Machine, Status
from carrierflow.domain.publication import Attempt
from carrierflow.domain.shop import ShopState
from carrierflow.errors import (
    AccessDenied,
    PlatformUnavailable,
    ShopHeld,
    ShopRevoked,
    UnknownShop,
)
from carrierflow.reconcile import EndReason
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.shops import Shops, is_uninstalled
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import shops


TOKEN = "canary-5d1c-token"


@pytest.fixture
def connections(store, clock):
    """The connections of a carrier."""
    return Shops(store, KeyRing(generate_key()), clock=clock)


@pytest.fixture
def connected(connections, make_shop, store):
    """The code of a shop with a token."""
    code = make_shop(store)
    connections.rotate_token(code, TOKEN)
    return code


def test_revoking_wipes_what_let_us_in(connections, connected, store, clock):
    """No token, scope or registration is left; when it happened is."""
    with store.begin() as connection:
        connection.execute(
            shops.update()
            .where(shops.c.code == connected)
            .values(refresh_token=b"r", scopes="a b", carrier_service_id="7", subscribed_at=clock())
        )

    found = connections.revoke(connected)

    assert (ShopState.REVOKED, clock()) == (found.state, found.revoked_at)
    assert (b"", None, (), None, None) == (
        found.encrypted_token,
        found.encrypted_refresh_token,
        found.scopes,
        found.carrier_service_id,
        found.subscribed_at,
    )


def test_revoking_twice_changes_nothing(connections, connected, clock, store):
    """The second notice of one uninstall moves neither the time nor the fence."""
    first = connections.revoke(connected)
    clock.advance(hours=1)
    fence = select(shops.c.fence).where(shops.c.code == connected)
    with store.reading() as connection:
        before = connection.execute(fence).scalar_one()

    assert first == connections.revoke(connected)

    with store.reading() as connection:
        assert before == connection.execute(fence).scalar_one()


def test_a_run_under_way_sends_nothing_more(connections, connected, store, make_parcel):
    """A run that held the shop can neither write an intent nor hold on."""
    parcel = make_parcel(shop=connected)
    shop = store.shop(connected)
    leases = Leases(store)
    hold = leases.claim(shop, "a run", timedelta(minutes=1))
    (before,) = SqlReconcileStore(store).parcels_of(shop, [parcel.ref.order_id])

    connections.revoke(connected)

    attempt = Attempt(
        machine=Machine.DELIVERY,
        seq=2,
        number=1,
        status=Status.PICKING,
        expects=Status.PICKING,
        operation="picking",
        run="a run",
        fence=hold.fence,
        intent_at=now(),
        send_deadline=now(),
    )
    with pytest.raises(ShopHeld):
        SqlReconcileStore(store).write(
            FulfillmentUpdate(before=before, after=before, now=now(), attempt=attempt),
            fence=(shop, hold.fence),
        )
    assert not leases.renew(hold, timedelta(minutes=1))


def test_a_revoked_shop_cannot_be_paused_or_resumed(connections, connected):
    """Without a token there is nothing to pause or to resume."""
    connections.revoke(connected)

    with pytest.raises(ShopRevoked, match="install-url"):
        connections.resume(connected)
    with pytest.raises(ShopRevoked):
        connections.pause(connected)
    assert ShopState.REVOKED == connections.get(connected).state


def test_a_new_token_and_a_resume_bring_it_back(connections, connected):
    """A shop whose token is made by hand is revived in two deliberate steps."""
    connections.revoke(connected)

    assert ShopState.REVOKED == connections.rotate_token(connected, "another-token").state
    back = connections.resume(connected)

    assert (ShopState.ACTIVE, None) == (back.state, back.revoked_at)


def test_an_unknown_shop_cannot_be_revoked(connections):
    """Who does not exist cannot leave."""
    with pytest.raises(UnknownShop):
        connections.revoke("nobody")


@pytest.fixture
def app(sqlite_database):
    """A carrier with one shop, revoked, and a parcel whose next step is not published."""
    app = build(Settings(database_url=sqlite_database.url, secret_key=generate_key()))
    app.shops.add("alpha", token=TOKEN, base_url="http://127.0.0.1:1")
    app.shops.revoke("alpha")
    yield app
    app.store.engine.dispose()


def test_runs_skip_a_revoked_shop(app):
    """A run over all shops does not even try one that is revoked."""
    assert [] == app.reconcile()


def test_a_revoked_shop_that_is_named_is_an_error(app):
    """Whoever names it is told what it is, and what to do."""
    for call in (app.reconcile, app.plan):
        with pytest.raises(ShopRevoked, match="'alpha' is revoked and has no token"):
            call(["alpha"])
    with pytest.raises(ShopRevoked):
        list(app.import_shop("alpha"))


def test_a_shop_revoked_while_others_wait_is_reported(app):
    """A run that meets it later says so and goes on."""
    report = app.reconciler.reconcile_shop("alpha")

    assert EndReason.NOT_ACTIVE == report.end_reason
    assert "is revoked" in report.sentence


def test_keys_can_be_changed_with_a_revoked_shop(app):
    """Sealing everything anew passes over what is no longer there."""
    app.shops.add("beta", token=TOKEN, base_url="http://127.0.0.1:1")

    assert 1 == app.reseal()
    assert b"" == app.shops.get("alpha").encrypted_token


class Door:
    """A platform that opens, or says why not."""

    def __init__(self, trouble=None):
        self.trouble = trouble
        self.closed = False

    def order(self, _order_id):
        """Let a token in, or not."""
        if self.trouble is not None:
            raise self.trouble

    def close(self):
        """Close the connection."""
        self.closed = True


@pytest.mark.parametrize(
    ("trouble", "gone"),
    [
        (None, False),
        (AccessDenied("it lacks a scope", http_status=403), False),
        (AccessDenied("no", http_status=401), True),
        (AccessDenied("its accounts say invalid_grant", http_status=400), True),
    ],
)
def test_whether_an_app_is_gone_is_asked_of_the_platform(app, trouble, gone):
    """A token that opens, or opens too little, is still ours; one that opens nothing is gone."""
    door = Door(trouble)

    assert gone is is_uninstalled(app.shops.get("alpha"), lambda _: door)
    assert door.closed


def test_a_shop_without_a_token_is_gone(app):
    """A shop that is revoked needs no question."""
    assert is_uninstalled(app.shops.get("alpha"), app.reconciler.connect)


def test_a_platform_that_does_not_answer_decides_nothing(app):
    """Without an answer nobody is revoked."""
    with pytest.raises(PlatformUnavailable):
        is_uninstalled(app.shops.get("alpha"), lambda _: Door(PlatformUnavailable("no reply")))
