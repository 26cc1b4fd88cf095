"""`status`: totals first, then who needs somebody; as dear for many shops as for few."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, update
from terminals import runner

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.cli import cli
from carrierflow.domain.clock import now
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.domain.shop import ShopState
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import fulfillments


KEY = generate_key()


@pytest.fixture
def app(own_database):
    app = build(Settings(database_url=own_database.url, secret_key=KEY))
    app.upgrade()
    yield app
    app.store.engine.dispose()


@pytest.fixture
def status(own_database):
    """Run `status` on the database; return how it ended, and what it printed."""
    environment = {"CARRIERFLOW_DATABASE_URL": own_database.url, "CARRIERFLOW_SECRET_KEY": KEY}

    def run(*arguments):
        found = runner().invoke(cli, ["status", *arguments], env=environment)
        assert found.exit_code in {0, 3}, found.stderr or found.exception
        assert "" == found.stderr
        return found.exit_code, found.stdout

    return run


def add_shop(app, code, *, open_for=0, parcels=1, incidents=0):
    """Connect a shop with parcels that have been open for some hours and were never looked at."""
    app.shops.add(code, token="t" * 20, base_url="https://apis.example")
    for number in range(parcels):
        ref = FulfillmentRef(shop=code, order_id=f"o{number}", fulfillment_id=f"f{number}")
        app.ledger.open(Opening(ref=ref, cod_amount=0))
    with app.store.begin() as connection:
        shop = app.store.shop(code)
        since = now() - timedelta(hours=open_for)
        mine = fulfillments.c.shop == shop.id
        connection.execute(update(fulfillments).where(mine).values(opened_at=since))
    findings = [
        Finding(kind="unreadable", sentence="So.", ref=None, evidence={"number": number})
        for number in range(incidents)
    ]
    SqlReconcileStore(app.store).open_incidents(shop, findings, now=now())


def codes(answer):
    """Return the shops of a JSON answer, in its order."""
    return [shop["shop"] for shop in json.loads(answer)["shops"]]


@pytest.fixture
def four_shops(app):
    add_shop(app, "fine", parcels=3)
    add_shop(app, "late", open_for=48)
    add_shop(app, "odd", parcels=2, incidents=2)
    add_shop(app, "resting", open_for=48)
    app.shops.pause("resting")


def test_only_who_needs_somebody_is_shown(four_shops, status):
    """Totals come first, then the shops that need somebody and what to do; the rest by --all."""
    code, out = status()
    assert 3 == code
    assert out.startswith("Shops: 4; 2 need somebody. Open fulfillments: 7; ")
    assert "carrierflow reconcile --full --shop late" in out
    assert "carrierflow incidents list --shop odd" in out
    assert not {"fine", "resting"} & set(out.split())
    assert {"fine", "resting"} <= set(status("--all")[1].split())


def test_three_is_only_for_what_needs_a_person(four_shops, status):
    """New parcels, paused shops and shops in order end with 0; incidents and late parcels do not.

    A span that is long enough makes nothing late.
    """
    ended = {code: status("--shop", code)[0] for code in ("fine", "late", "odd", "resting")}
    assert {"fine": 0, "late": 3, "odd": 3, "resting": 0} == ended
    assert 0 == status("--shop", "late", "--within", "72")[0]
    assert 1 == runner().invoke(cli, ["status", "--shop", "nowhere"]).exit_code


def test_shops_are_filtered_and_sorted(four_shops, status):
    """--only picks by what is counted or by state, --sort puts the most first."""
    assert ["late", "resting"] == codes(status("--only", "late", "--json")[1])
    assert ["resting"] == codes(status("--only", ShopState.PAUSED, "--json")[1])
    assert ["odd"] == codes(status("--only", "incidents", "--json")[1])
    assert ["fine", "odd", "late", "resting"] == codes(status("--sort", "open", "--json")[1])
    document = json.loads(status("--json")[1])
    assert (4, 2, 7, 2) == tuple(
        document["totals"][name] for name in ("shops", "needs_somebody", "open", "incidents")
    )


def test_no_more_shops_are_shown_than_fit_a_screen(four_shops, status, monkeypatch):
    """Of those that need somebody the worst are shown, and how many are left; --json has all."""
    monkeypatch.setattr("carrierflow.cli.status.SCREENFUL", 1)

    code, out = status()

    assert 3 == code
    assert "carrierflow incidents list --shop odd" in out
    assert "--shop late" not in out
    assert "1 more need somebody; --all shows them, --shop CODE one." in out
    assert {"late", "odd"} <= set(status("--all")[1].split())
    assert "more need somebody" not in status("--only", "late")[1]
    assert ["fine", "late", "odd", "resting"] == codes(status("--json")[1])


def test_the_command_asks_as_often_for_many_shops_as_for_few(app, status):
    """The number of its statements does not grow with the shops, in text or in JSON."""
    asked = []

    def told(_connection, _cursor, statement, *_):
        asked.append(statement)

    def questions(*arguments):
        asked.clear()
        status(*arguments)
        return len(asked)

    add_shop(app, "shop-0", incidents=1)
    event.listen(Engine, "before_cursor_execute", told)
    try:
        few = questions(), questions("--json")
        for number in range(1, 12):
            add_shop(app, f"shop-{number}", incidents=number % 3)
        many = questions(), questions("--json")
    finally:
        event.remove(Engine, "before_cursor_execute", told)

    assert few == many


def test_many_shops_cost_as_many_questions_as_few(app, status):
    """The number of statements does not grow with the shops."""
    asked = []

    def told(_connection, _cursor, statement, *_):
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(app.store.engine, "before_cursor_execute", told)

    def questions():
        asked.clear()
        found = app.coverage()
        return len(asked), len(found)

    add_shop(app, "shop-0")
    few, _ = questions()
    for number in range(1, 12):
        add_shop(app, f"shop-{number}", incidents=number % 3)
    many, shops = questions()

    assert 12 == shops
    assert few == many == 2
