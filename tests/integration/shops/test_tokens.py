"""Tokens that end: renewed in time, by one process, with nothing lost on the way."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import pytest

from carrierflow.carrier_service.registration import Tokens
from carrierflow.errors import (
    AccessDenied,
    ConfigurationError,
    PlatformUnavailable,
    ShopRevoked,
    WrongSecretKey,
)
from carrierflow.reconcile import EndReason
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.shops import Shops, TokenKeeper
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.installs import swap_tokens
from carrierflow.storage.shops import change_shop

from .conftest import HOUR


class FakeAccounts:
    """Gives out numbered tokens, and remembers which refresh token it was shown."""

    def __init__(self):
        self.shown = []
        self.trouble = None
        self.lasts = timedelta(hours=1)
        self.meanwhile = lambda: None

    def refresh(self, refresh_token):
        self.shown.append(refresh_token)
        self.meanwhile()
        if self.trouble is not None:
            raise self.trouble
        number = len(self.shown)
        return Tokens(
            access_token=f"access-{number}", refresh_token=f"refresh-{number}", lasts=self.lasts
        )


@pytest.fixture
def accounts():
    """The accounts of a platform."""
    return FakeAccounts()


@pytest.fixture
def keys():
    """The carrier's secret key."""
    return KeyRing(generate_key())


@pytest.fixture
def make_keeper(store, keys, accounts, clock):
    """Build keepers of one carrier, each as another process would."""

    def make(*, sleep=clock.sleep, request=timedelta(seconds=13)):
        keeper = TokenKeeper(store, keys, accounts=lambda: accounts, clock=clock, request=request)
        return SimpleNamespace(of=lambda shop: keeper.of(shop, sleep))

    return make


@pytest.fixture
def connect(store, keys, shop, clock):
    """Give the shop a token that lasts an hour, and return the shop."""

    def give(**values):
        fixed = {
            "token": keys.encrypt(b"access-0", context=f"token of shop {shop}"),
            "refresh_token": keys.encrypt(b"refresh-0", context=f"refresh token of shop {shop}"),
            "token_expires_at": clock() + timedelta(hours=1),
        }
        return store.transact(lambda c: change_shop(c, shop, **{**fixed, **values}))

    return give


def test_a_token_is_renewed_before_it_ends(make_keeper, connect, accounts, clock, store, keys):
    """One process keeps a good token over many lives of it, each renewed once."""
    token = make_keeper().of(connect())
    seen = []
    for _ in range(180):
        clock.advance(minutes=1)
        seen.append(token())

    assert ["access-0", "access-1", "access-2", "access-3"] == list(dict.fromkeys(seen))
    assert ["refresh-0", "refresh-1", "refresh-2"] == accounts.shown
    assert 54 == seen.index("access-1")


def test_both_new_tokens_are_kept_sealed(make_keeper, connect, clock, store, keys):
    """The row holds the new pair, sealed for this shop alone, and when it ends."""
    shop = connect()
    clock.advance(hours=1)
    make_keeper().of(shop)()

    found = store.shop(shop.code)
    assert clock() + timedelta(hours=1) == found.token_expires_at
    assert b"access-1" not in found.encrypted_token
    context = f"refresh token of shop {shop.code}"
    assert b"refresh-1" == keys.decrypt(found.encrypted_refresh_token, context=context)
    for other in (f"token of shop {shop.code}", "refresh token of shop other"):
        with pytest.raises(WrongSecretKey):
            keys.decrypt(found.encrypted_refresh_token, context=other)


def test_a_token_without_an_end_is_left_alone(make_keeper, connect, accounts, clock):
    """Where nobody said that it ends, or how to renew it, nothing is asked."""
    for values in ({"token_expires_at": None}, {"refresh_token": None}):
        token = make_keeper().of(connect(**values))
        clock.advance(days=1)
        assert "access-0" == token()
    assert [] == accounts.shown


def test_a_short_life_is_not_renewed_at_every_request(make_keeper, connect, accounts, clock):
    """A token that lasts less than the margin is renewed after half its life."""
    accounts.lasts = timedelta(seconds=60)
    token = make_keeper().of(connect(token_expires_at=clock() + timedelta(seconds=60)))
    for _ in range(60):
        token()
        clock.advance(seconds=1)

    assert 2 == len(accounts.shown)


def test_one_of_many_processes_renews(make_keeper, connect, accounts, clock, store):
    """Ten at once: the refresh token is shown once, and all go on with what it brought."""
    shop = connect()
    clock.advance(hours=1)
    arrived = threading.Semaphore(0)

    def wait(_):
        arrived.release()
        accounts_free.wait(0.01)

    accounts_free = threading.Event()

    def meanwhile():
        for _ in range(9):
            assert arrived.acquire(timeout=30), "the others did not wait"
        accounts_free.set()

    accounts.meanwhile = meanwhile
    tokens = [make_keeper(sleep=wait).of(shop) for _ in range(10)]
    with ThreadPoolExecutor(10) as pool:
        found = [future.result(60) for future in [pool.submit(token) for token in tokens]]

    assert ["access-1"] * 10 == found
    assert ["refresh-0"] == accounts.shown


def test_another_process_renewed_already(make_keeper, connect, accounts, clock):
    """Who comes later reads what is there, and asks nobody."""
    shop = connect()
    clock.advance(hours=1)
    first, second = make_keeper().of(shop), make_keeper().of(shop)

    assert ("access-1", "access-1") == (first(), second())
    assert 1 == len(accounts.shown)


def test_a_process_that_died_while_renewing_is_not_waited_for(make_keeper, connect, clock, store):
    """Its claim runs out, and another one renews."""
    shop = connect(refreshing_until=clock() + timedelta(hours=1, seconds=20))
    clock.advance(hours=1)
    began = clock()

    assert "access-1" == make_keeper().of(shop)()
    assert timedelta(seconds=20) <= clock() - began < timedelta(seconds=21)


class MustWait(Exception):  # noqa: N818 - says what happened
    """Somebody waits for another process."""


def test_the_right_to_renew_outlives_the_request(make_keeper, connect, accounts, clock):
    """However long a request may take by the settings, nobody else asks while it can last."""
    shop, request = connect(), timedelta(minutes=10)
    clock.advance(hours=1)

    def wait(_):
        raise MustWait

    def meanwhile():
        clock.advance(minutes=10)
        with pytest.raises(MustWait):
            make_keeper(request=request, sleep=wait).of(shop)()

    accounts.meanwhile = meanwhile

    assert "access-1" == make_keeper(request=request).of(shop)()
    assert ["refresh-0"] == accounts.shown


def test_who_is_told_that_the_token_was_used_up_looks_again(
    make_keeper, connect, accounts, clock, store, keys
):
    """A process stood still with its answer, past its claim: what it then brings is used."""
    shop = connect()
    clock.advance(hours=1)
    fresh = {"token": keys.encrypt(b"brought", context=f"token of shop {shop.code}")}

    def meanwhile():
        store.transact(lambda c: swap_tokens(c, shop, fresh))

    accounts.meanwhile, accounts.trouble = meanwhile, AccessDenied("invalid_grant")

    assert "brought" == make_keeper().of(shop)()


def test_who_lost_the_right_to_renew_leaves_it_to_the_other(
    make_keeper, connect, accounts, clock, store
):
    """Refused after its claim had run out, a process waits for the one that claimed it since."""
    shop, first = connect(), []
    clock.advance(hours=1)

    def meanwhile():
        accounts.meanwhile = lambda: None
        clock.advance(minutes=1)
        until = clock() + timedelta(seconds=20)
        store.transact(lambda c: change_shop(c, shop.code, refreshing_until=until))
        accounts.trouble = AccessDenied("invalid_grant")

    def wait(seconds):
        first.append(accounts.shown[:])
        accounts.trouble = None
        clock.sleep(seconds)

    accounts.meanwhile = meanwhile

    assert "access-2" == make_keeper(sleep=wait).of(shop)()
    assert ["refresh-0"] == first[0]


def test_nobody_waits_for_others_for_ever(make_keeper, connect, clock, store):
    """Where one process after another claims the renewal, whoever waits is told so in the end."""
    shop = connect()
    clock.advance(hours=1)

    def wait(seconds):
        until = clock() + timedelta(minutes=1)
        store.transact(lambda c: change_shop(c, shop.code, refreshing_until=until))
        clock.sleep(seconds)

    store.transact(
        lambda c: change_shop(c, shop.code, refreshing_until=clock() + timedelta(minutes=1))
    )
    with pytest.raises(PlatformUnavailable, match="other processes"):
        make_keeper(sleep=wait).of(shop)()


@pytest.mark.parametrize(
    "trouble",
    [
        PlatformUnavailable("its accounts gave no reply"),
        AccessDenied("its accounts say no"),
        ConfigurationError("no app is set"),
    ],
)
def test_a_token_that_is_still_good_is_used_on(make_keeper, connect, accounts, clock, trouble):
    """A failed renewal does no harm before the end; it is tried again, with the same token."""
    token = make_keeper().of(connect())
    accounts.trouble = trouble
    clock.advance(minutes=56)
    assert "access-0" == token()
    assert "access-0" == token()
    assert 1 == len(accounts.shown)

    accounts.trouble = None
    clock.advance(seconds=30)
    assert "access-2" == token()
    assert ["refresh-0", "refresh-0"] == accounts.shown


def test_who_could_not_renew_keeps_nobody_from_it(make_keeper, connect, accounts, clock):
    """After a failure another process may try at once."""
    shop = connect()
    clock.advance(minutes=56)
    accounts.trouble = PlatformUnavailable("its accounts gave no reply")
    assert "access-0" == make_keeper().of(shop)()

    accounts.trouble = None
    moment = clock()
    assert "access-2" == make_keeper().of(shop)()
    assert moment == clock()


def test_after_the_end_trouble_is_raised(make_keeper, connect, accounts, clock):
    """A token that has ended is never sent; what the accounts say is raised."""
    token = make_keeper().of(connect())
    clock.advance(hours=1)
    for trouble in (PlatformUnavailable("no reply"), AccessDenied("invalid_grant")):
        accounts.trouble = trouble
        with pytest.raises(type(trouble)):
            token()


def test_what_comes_after_an_uninstall_is_thrown_away(
    make_keeper, connect, accounts, clock, store, keys
):
    """A shop that is revoked while its token is renewed stays without one."""
    shop = connect()
    clock.advance(hours=1)
    connections = Shops(store, keys, clock=clock)
    accounts.meanwhile = lambda: connections.revoke(shop.code)

    with pytest.raises(AccessDenied, match="uninstalled"):
        make_keeper().of(shop)()

    found = store.shop(shop.code)
    assert (b"", None, None) == (
        found.encrypted_token,
        found.encrypted_refresh_token,
        found.token_expires_at,
    )
    with pytest.raises(ShopRevoked):
        make_keeper().of(found)


def test_a_token_given_by_hand_meanwhile_wins(make_keeper, connect, accounts, clock, store, keys):
    """What a person stored while the old token was renewed is what is used."""
    shop = connect()
    clock.advance(hours=1)
    connections = Shops(store, keys, clock=clock)
    accounts.meanwhile = lambda: connections.rotate_token(shop.code, "by-hand")

    assert "by-hand" == make_keeper().of(shop)()


@pytest.fixture
def installed(journey):
    """A carrier whose shop came by an install, with one parcel."""
    journey.add_shop("alpha")
    journey.install("alpha")
    journey.parcel("alpha")
    return journey


def test_runs_never_send_a_token_that_has_ended(installed):
    """Day after day runs read the platform; every request bears a token that it accepts."""
    for _ in range(5):
        installed.clock.advance(24 * HOUR)
        (report,) = installed.app.reconcile(["alpha"], full=True)
        assert (EndReason.DONE, 1) == (report.end_reason, report.checked)

    assert [] == installed.world.recorder.unusable


def test_two_processes_and_slow_accounts(installed):
    """Real accounts that take their time: one refresh token, shown once, is enough for both."""
    pause = threading.Event()
    apps = [installed.another_app(sleep=lambda _: pause.wait(0.02)) for _ in range(2)]
    slow = Rule(fault=Fault(kind=FaultKind.SLOW, seconds=0.5), method="POST", path="/connect/token")
    installed.server.faults.plan(script=[slow])
    installed.clock.advance(2 * HOUR)

    def read(app):
        return app.reconciler.connect(app.shops.get("alpha")).order("1")

    with ThreadPoolExecutor(2) as pool:
        assert [None, None] == list(pool.map(read, apps))

    assert [] == installed.world.recorder.unusable
    assert apps[0].shops.get("alpha").encrypted_token == apps[1].shops.get("alpha").encrypted_token


def test_a_shop_that_was_away_too_long_must_be_installed_again(installed):
    """After thirty days the refresh token has ended too: the run says so and opens an incident."""
    installed.clock.advance(31 * 24 * HOUR)

    (report,) = installed.app.reconcile(["alpha"])

    assert (EndReason.ACCESS_DENIED, True) == (
        report.end_reason,
        "invalid_grant" in report.sentence,
    )
    assert ["access_denied"] == [incident.kind for incident in installed.app.incidents.all()]
    installed.install("alpha")
    (report,) = installed.app.reconcile(["alpha"])
    assert EndReason.DONE is report.end_reason
    assert [] == installed.app.incidents.all()


@pytest.mark.parametrize(
    ("kind", "next_end"),
    [
        (FaultKind.LOST_REQUEST, EndReason.DONE),
        (FaultKind.ERROR_500_BEFORE, EndReason.DONE),
        (FaultKind.LOST_REPLY, EndReason.ACCESS_DENIED),
        (FaultKind.HTML, EndReason.ACCESS_DENIED),
        (FaultKind.EMPTY_BODY, EndReason.ACCESS_DENIED),
    ],
)
def test_accounts_in_trouble_end_a_run_cleanly(installed, kind, next_end):
    """Without an answer the run is over; whether the next one needs a person, it finds out.

    Where the request had arrived, the refresh token is used up and its successor lost with the
    answer: nobody but the shop's owner can mend that.
    """
    trouble = Rule(fault=Fault(kind=kind), method="POST", path="/connect/token")
    installed.server.faults.plan(script=[trouble])
    installed.clock.advance(2 * HOUR)

    first, second = (installed.app.reconcile(["alpha"])[0] for _ in range(2))

    assert (EndReason.UNAVAILABLE, next_end) == (first.end_reason, second.end_reason)
