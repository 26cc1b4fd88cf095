"""From the carrier's link to a connected shop, over real sockets and through real accounts."""

from __future__ import annotations

import json
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from urllib.parse import parse_qs, urlsplit

import pytest
from carrier import START
from databases import every_database
from sqlalchemy import event, select

from carrierflow.carrier_service.registration import Install
from carrierflow.domain.model import Event as RoadEvent
from carrierflow.domain.model import Status
from carrierflow.domain.shop import ShopState
from carrierflow.errors import InvalidInput
from carrierflow.shops.install import missing_scopes
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.installs import add_install, take_install
from carrierflow.storage.tables import installs, shops

from .conftest import HOUR, ROOT, SECRET, journeys


def test_an_owner_connects_a_shop(journey):
    """Two rounds of consent end in an active shop with tokens that last an hour."""
    org_id = journey.add_shop("alpha")

    shop = journey.install("alpha")

    assert (ShopState.ACTIVE, org_id) == (shop.state, shop.org_id)
    assert START + timedelta(hours=1) == shop.token_expires_at
    may = {f"com.{verb}_{what}" for verb in ("read", "write") for what in ("orders", "shippings")}
    assert may | {"wh_api"} <= set(shop.scopes)
    assert journey.world.shop_of(journey.token("alpha")).code == "alpha"
    assert shop.encrypted_refresh_token is not None


def test_a_new_shop_knows_the_carrier_at_once(journey):
    """The carrier is registered as part of the install."""
    journey.add_shop("alpha")

    shop = journey.install("alpha")

    service = journey.world.shop("alpha").services.get(int(shop.carrier_service_id))
    assert "http://127.0.0.1:9/alpha/orders" == service.fields["create_order_url"]


def test_what_cannot_be_finished_does_not_undo_an_install(make_journey):
    """Without a name there is nothing to register; the shop is connected all the same."""
    journey = make_journey(carrier_name="")
    org_id = journey.add_shop("alpha")

    answer = journey.follow(journey.invite("alpha"), shop=org_id)

    assert 200 == answer.status
    assert b"Registering the carrier did not work yet" in answer.body
    assert ShopState.ACTIVE is journey.app.shops.get("alpha").state


def test_the_first_round_asks_only_who_it_is(journey):
    """Nothing is asked for before it is known whose shop it is."""
    query = parse_qs(urlsplit(journey.invite("alpha")).query)

    assert ["openid profile email org userinfo"] == query["scope"]
    assert ["code"] == query["response_type"]
    assert [f"{ROOT}/installed"] == query["redirect_uri"]
    assert len(query["state"][0]) >= 43


def test_only_the_digest_of_a_state_is_kept(journey):
    """Who reads the database cannot finish an install that somebody began."""
    state = parse_qs(urlsplit(journey.invite("alpha")).query)["state"][0]

    with journey.app.store.reading() as connection:
        (row,) = connection.execute(select(installs))

    assert state not in str(row)
    assert "alpha" == row.shop


def test_a_link_is_good_for_one_use(journey):
    """What came back from the accounts once is refused the second time."""
    org_id = journey.add_shop("alpha")
    back = journey.consent(f"{journey.invite('alpha')}&orgid={org_id}")
    assert 302 == journey.visit(back).status

    again = journey.visit(back)

    assert (400, True) == (again.status, b"used before or has run out" in again.body)


@pytest.mark.parametrize(
    ("seconds", "status"), [(24 * HOUR - 1, 302), (24 * HOUR, 400), (30 * 24 * HOUR, 400)]
)
def test_a_link_runs_out(journey, seconds, status):
    """The carrier's link is good for a day."""
    org_id = journey.add_shop("alpha")
    link = journey.invite("alpha")
    journey.clock.advance(seconds)

    assert status == journey.visit(journey.consent(f"{link}&orgid={org_id}")).status


def test_installs_that_ran_out_are_swept(journey):
    """Links that nobody followed leave no rows for ever."""
    for _ in range(3):
        journey.invite("alpha")
    journey.clock.advance(25 * HOUR)
    journey.invite("alpha")

    with journey.app.store.reading() as connection:
        assert 1 == len(connection.execute(select(installs)).all())


@pytest.mark.parametrize(
    "query", ["", "?state=", "?state=made-up&code=x", "?code=x", "?state=%00&code=%00"]
)
def test_a_made_up_answer_is_refused(journey, query):
    """Without a state that we gave out, nothing is asked of the accounts."""
    answer = journey.visit(f"http://127.0.0.1:9/installed{query}")

    assert 400 == answer.status
    assert [] == journey.app.shops.all()


def test_an_owner_may_say_no(journey):
    """A refusal ends the install, and its state with it."""
    state = parse_qs(urlsplit(journey.invite("alpha")).query)["state"][0]
    page = f"http://127.0.0.1:9/installed?state={state}&error=access_denied"

    assert (403, True) == ((no := journey.visit(page)).status, b"was not agreed to" in no.body)
    assert 400 == journey.visit(page).status


def test_a_code_that_the_accounts_do_not_know(journey):
    """A state of ours with somebody's own code is refused by the accounts."""
    state = parse_qs(urlsplit(journey.invite("alpha")).query)["state"][0]

    answer = journey.visit(f"http://127.0.0.1:9/installed?state={state}&code=canary-code-9")

    assert (403, True) == (answer.status, b"invalid_grant" in answer.body)
    assert b"canary" not in answer.body


def test_an_answer_to_another_question_is_refused(journey):
    """The code of one round does not fit the state of another: the nonce tells."""
    org_id = journey.add_shop("alpha")
    first = journey.consent(f"{journey.invite('alpha')}&orgid={org_id}")
    other = parse_qs(urlsplit(journey.invite("alpha")).query)["state"][0]
    code = parse_qs(urlsplit(first).query)["code"][0]

    answer = journey.visit(f"http://127.0.0.1:9/installed?state={other}&code={code}")

    assert (403, True) == (answer.status, b"another question" in answer.body)


def test_what_was_not_granted_is_named(make_journey):
    """Too few scopes: the sentence names the missing one, and nothing is stored."""
    journey = make_journey(scopes="com.write_orders,com.write_shippings")
    org_id = journey.add_shop("alpha")
    back = journey.visit(journey.consent(f"{journey.invite('alpha')}&orgid={org_id}"))
    url = back.headers["Location"].replace("com.write_shippings", "com.read_shippings")

    answer = journey.visit(journey.consent(url))

    assert 403 == answer.status
    assert b"did not grant com.write_shippings; nothing was stored" in answer.body
    assert [] == journey.app.shops.all()


@pytest.mark.parametrize(
    ("wanted", "granted", "missing"),
    [
        (["com.read_orders"], ["com.write_orders"], []),
        (["com.write_orders"], ["com.read_orders"], ["com.write_orders"]),
        (["wh_api", "grant_service", "offline_access", "openid"], [], ["wh_api"]),
        (["com.write_orders"], None, []),
    ],
)
def test_writing_includes_reading(wanted, granted, missing):
    """A scope counts as granted if it, or the wider one, was; silence means all of it."""
    assert missing == missing_scopes(wanted, granted)


def test_a_code_is_never_given_to_another_shop(journey):
    """The history under a code is one shop's: the owner of another is turned away."""
    journey.add_shop("alpha")
    other = journey.add_shop("beta")
    before = journey.install("alpha")

    answer = journey.follow(journey.invite("alpha"), shop=other)

    assert (400, True) == (answer.status, b"stands for another shop" in answer.body)
    assert before == journey.app.shops.get("alpha")


def test_a_shop_has_one_code(journey):
    """A shop that is connected is not connected a second time under another name."""
    org_id = journey.add_shop("alpha")
    journey.install("alpha")

    answer = journey.follow(journey.invite("second"), shop=org_id)

    assert (400, True) == (answer.status, b"under another code" in answer.body)
    assert ["alpha"] == [shop.code for shop in journey.app.shops.all()]


def test_strangers_need_a_link(journey):
    """Who comes without a link and is not known is sent to the carrier."""
    journey.add_shop("alpha")
    journey.app.shops.add("byhand", token="t", base_url=journey.server.url)

    for name in ("alpha", "byhand", "", "../x", "%2e%2e", "x" * 65):
        assert 400 == journey.visit(f"http://127.0.0.1:9/install?shop={name}").status
    with journey.app.store.reading() as connection:
        assert [] == connection.execute(select(installs)).all()


def test_a_known_owner_comes_back_alone(journey):
    """A shop whose id we know installs again from its own side, without a link."""
    org_id = journey.add_shop("alpha")
    journey.install("alpha")
    journey.app.shops.revoke("alpha")

    first = journey.visit("http://127.0.0.1:9/install?shop=alpha.myharavan.com")
    answer = journey.follow(first.headers["Location"], shop=org_id)

    assert (302, 200) == (first.status, answer.status)
    assert ShopState.ACTIVE is journey.app.shops.get("alpha").state


def test_an_open_app_takes_shops_that_it_does_not_know(make_journey):
    """With `open_install` an owner may begin under a code that nobody has."""
    journey = make_journey(open_install=True)

    assert 302 == journey.visit("http://127.0.0.1:9/install?shop=anybody").status


def test_an_install_without_an_app_fails_politely(make_journey, caplog):
    """The owner is told to tell the carrier; the carrier's log says which setting is missing."""
    journey = make_journey(client_id="", open_install=True)

    answer = journey.visit("http://127.0.0.1:9/install?shop=anybody")

    assert (500, True) == (answer.status, b"please tell them" in answer.body)
    assert "CARRIERFLOW_CLIENT_ID" in str([vars(record) for record in caplog.records])


def test_a_second_install_brings_the_shop_back(journey):
    """After an uninstall the same code goes on with the same history, and with new tokens."""
    journey.add_shop("alpha")
    journey.install("alpha")
    before = journey.token("alpha")
    ref = journey.parcel("alpha")
    journey.world.uninstall("alpha")
    journey.app.shops.revoke("alpha")
    journey.app.ledger.record(
        RoadEvent(
            shop="alpha",
            fulfillment_id=ref.fulfillment_id,
            status=Status.PICKING,
            occurred_at=journey.clock(),
        )
    )

    shop = journey.install("alpha")

    assert (ShopState.ACTIVE, None) == (shop.state, shop.revoked_at)
    assert before != journey.token("alpha")
    (report,) = journey.app.reconcile(["alpha"])
    assert (1, None) == (report.published, report.sentence)
    assert {"Sao Mai Express"} == journey.world.shop("alpha").services.names()


def test_a_shop_comes_goes_and_comes_back_on_every_database(own_database):
    """Install, uninstall and install again, on each database."""
    with journeys(own_database) as make:
        journey = make()
        journey.add_shop("alpha")
        first = journey.install("alpha")
        journey.app.shops.revoke("alpha")
        second = journey.install("alpha")

    assert (first.id, first.org_id) == (second.id, second.org_id)
    assert first.encrypted_token != second.encrypted_token


def test_a_state_is_taken_by_one_of_many(own_database):
    """An answer that comes ten times at once ends one install."""
    with journeys(own_database) as make:
        journey = make()
        org_id = journey.add_shop("alpha")
        back = journey.consent(f"{journey.invite('alpha')}&orgid={org_id}")
        with ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: journey.visit(back).status, range(10)))

    assert [302, *[400] * 9] == sorted(answers)


@pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)
def test_who_saw_a_state_that_another_one_took_has_not_got_it(store, clock):
    """Two that read a state at the same moment: the one that deletes it has it, alone."""
    digest = uuid.uuid4().hex
    install = Install(
        shop="alpha",
        base_url="https://x.example",
        carrier_code="external",
        invited=True,
        expires_at=clock() + timedelta(minutes=1),
    )
    store.transact(lambda c: add_install(c, digest, install, now=clock()))
    about_to_delete = Event()

    def second():
        with store.begin() as connection:
            event.listen(connection, "before_cursor_execute", told)
            return take_install(connection, digest, now=clock())

    def told(_connection, _cursor, statement, *_):
        if statement.startswith("DELETE"):
            about_to_delete.set()

    with ThreadPoolExecutor(1) as pool:
        with store.begin() as connection:
            assert install == take_install(connection, digest, now=clock())
            other = pool.submit(second)
            assert about_to_delete.wait(30)
        assert other.result(30) is None


def test_a_paused_shop_stays_paused(journey):
    """Installing again does not start what the carrier has stopped."""
    journey.add_shop("alpha")
    journey.install("alpha")
    journey.app.shops.pause("alpha")

    assert ShopState.PAUSED is journey.install("alpha").state


def test_pages_keep_nothing(journey):
    """Pages and redirects are neither stored by the browser nor passed on as a referrer."""
    org_id = journey.add_shop("alpha")
    redirect = journey.visit(journey.consent(f"{journey.invite('alpha')}&orgid={org_id}"))
    page = journey.visit("http://127.0.0.1:9/installed?state=<script>")

    for answer in (redirect, page):
        assert "no-store" == answer.headers["Cache-Control"]
        assert "no-referrer" == answer.headers["Referrer-Policy"]
        assert "text/plain; charset=utf-8" == answer.headers["Content-Type"]
    assert b"script" not in page.body


def test_no_secret_in_logs_pages_or_tables(journey, caplog):
    """Codes, states, tokens and the client secret are in no log line, page, repr or row."""
    caplog.set_level(logging.DEBUG, "carrierflow")
    org_id = journey.add_shop("alpha")
    link = journey.invite("alpha")
    first = journey.consent(f"{link}&orgid={org_id}")
    second = journey.visit(first).headers["Location"]
    last = journey.consent(second)
    page = journey.visit(last)
    journey.visit(last)
    journey.parcel("alpha")
    journey.clock.advance(HOUR)
    journey.app.reconcile(["alpha"])
    with journey.app.store.reading() as connection:
        rows = [str(row) for t in (shops, installs) for row in connection.execute(select(t))]
    shop = journey.app.shops.get("alpha")
    printed = [json.dumps(vars(r), default=str) for r in caplog.records]
    printed += [r.getMessage() for r in caplog.records]
    printed += [page.body.decode(), repr(shop), repr(journey.app.settings), *rows]

    answers = [parse_qs(urlsplit(url).query) for url in (link, first, second, last)]
    secrets = {SECRET, journey.token("alpha")}
    secrets |= {
        value for each in answers for key in ("code", "state") for value in each.get(key, [])
    }
    assert len(secrets) >= 6
    assert [] == [secret for secret in secrets for text in printed if secret in text]
    assert any("token.renewed" in text for text in printed)


def test_a_change_of_keys_reseals_what_an_install_brought(journey):
    """Both tokens open with the new key alone; a shop without any is passed over."""
    journey.add_shop("alpha")
    journey.add_shop("beta")
    journey.install("alpha")
    journey.install("beta")
    journey.app.shops.revoke("beta")
    token, old = journey.token("alpha"), journey.settings.secret_key
    fresh = generate_key()

    resealed = journey.another_app(secret_key=fresh, secret_key_previous=old).reseal()

    app = journey.another_app(secret_key=fresh)
    journey.parcel("alpha")
    assert 2 == resealed
    journey.clock.advance(2 * HOUR)
    (report,) = app.reconcile(["alpha"])
    assert (1, None) == (report.checked, report.sentence)
    assert token != KeyRing(fresh).decrypt(
        app.shops.get("alpha").encrypted_token, context="token of shop alpha"
    )


def shelf(journey, **more):
    """Connect a shop of another platform under the code of one that the owner has here."""
    org_id = journey.add_shop("alpha")
    options = {"platform": "sapo", "token": "shelf-token", "base_url": "http://127.0.0.1"}
    return org_id, lambda: journey.app.shops.add("alpha", **options | more)


def test_an_install_under_a_code_of_another_platform_is_refused(journey):
    """No link is given, neither to somebody invited nor to who comes by himself."""
    _, add = shelf(journey)
    add()

    for begin in (journey.app.installer.invite, journey.app.installer.begin):
        with pytest.raises(InvalidInput, match="'alpha' stands for a shop on another platform"):
            begin("alpha")


@pytest.mark.parametrize("rounds", [0, 1])
def test_a_link_does_not_take_over_a_shop_of_another_platform(journey, rounds):
    """One that was given before, or followed halfway, ends with a page that says so."""
    org_id, add = shelf(journey)
    url = f"{journey.invite('alpha')}&orgid={org_id}"
    for _ in range(rounds):
        url = journey.visit(journey.consent(url)).headers["Location"]
    before = add()

    answer = journey.visit(journey.consent(url))

    assert (400, True) == (answer.status, b"stands for a shop on another platform" in answer.body)
    assert before == journey.app.shops.get("alpha")


def test_a_shop_of_another_platform_with_the_same_id_is_no_hindrance(journey):
    """An id is the platform's own: a shop elsewhere may bear it under another code."""
    org_id = journey.add_shop("beta")
    journey.app.shops.add(
        "alpha", platform="sapo", token="t", base_url="http://127.0.0.1", org_id=org_id
    )

    assert org_id == journey.install("beta").org_id


class Hesitant:
    """The carriers of a shop, to whoever registers only when everybody else is about to."""

    def __init__(self, there, barrier):
        self._there = there
        self._barrier = barrier

    def __getattr__(self, name):
        return getattr(self._there, name)

    def create(self, wanted):
        """Register, after all the others have looked and found nothing."""
        self._barrier.wait(30)
        return self._there.create(wanted)


def test_many_processes_register_one_carrier(make_journey):
    """Eight that all found nothing and register at once leave one registration, and know it."""
    journey = make_journey(carrier_name="")
    journey.add_shop("alpha")
    journey.install("alpha")
    barrier = Barrier(8)
    apps = [journey.another_app(carrier_name="Sao Mai Express") for _ in range(8)]
    for app in apps:
        connect = app.carriers._connect
        app.carriers._connect = lambda shop, connect=connect: Hesitant(connect(shop), barrier)

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda app: app.carriers.register("alpha"), apps))

    (service,) = [row for row in journey.world.shop("alpha").services.rows() if row["is_connected"]]
    assert {str(service["id"])} == {each.registration.id for each in done}
    assert str(service["id"]) == journey.app.shops.get("alpha").carrier_service_id
