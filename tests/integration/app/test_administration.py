"""What is done to an installation is written down: what, about what, by which accounts."""

from __future__ import annotations

import getpass
import json
import uuid

import pytest
from sqlalchemy import select

from carrierflow import build, generate_key, load_settings
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage import upgrade
from carrierflow.storage.tables import administration, metadata
from carrierflow.storage.tamper_check import check


SECRET = "not-for-anybody"


@pytest.fixture
def app(database, clock):
    """An application on one of the databases."""
    settings = load_settings(
        database_url=database.url, secret_key=generate_key(), actor="night-shift"
    )
    made = build(settings, now=clock, sleep=clock.sleep)
    yield made
    made.store.engine.dispose()


@pytest.fixture
def code():
    """A shop's code that no other test uses."""
    return f"shop-{uuid.uuid4().hex[:8]}"


def acts_of(app, **about):
    """Return what was written down about a shop, oldest first."""
    a = administration.c
    query = select(a.kind, a.subject, a.details).order_by(a.id)
    for name, value in about.items():
        query = query.where(a[name] == value)
    with app.store.reading() as connection:
        rows = connection.execute(query).all()
    return [(row.kind, row.subject, json.loads(row.details)) for row in rows]


def test_each_act_on_a_shop_is_written_down(app, code):
    """A shop's life is told in order, and a revoked one is revoked once."""
    app.shops.add(code, token=SECRET, base_url="https://api.example")
    app.shops.pause(code)
    app.shops.resume(code)
    app.shops.change(code, base_url="https://other.example", choices={"remote_ahead": "adopt"})
    app.shops.rotate_token(code, SECRET)
    for _ in range(2):
        app.shops.revoke(code)

    acts = acts_of(app, shop=code)
    assert [
        "shop_added",
        "shop_paused",
        "shop_resumed",
        "shop_set",
        "token_rotated",
        "shop_revoked",
    ] == [kind for kind, _, _ in acts]
    assert "https://api.example" == acts[0][2]["base_url"]
    assert {"base_url": "https://other.example", "remote_ahead": "adopt"} == acts[3][2]


def test_reading_and_erasing_notes_is_written_down(app, code):
    """That a note was read or erased stays known, and nothing of what it said."""
    app.shops.add(code, token=SECRET, base_url="https://api.example")
    for name in ("f1", "f2"):
        app.ledger.open(Opening(ref=FulfillmentRef(shop=code, order_id="1", fulfillment_id=name)))
    noted = Event(shop=code, fulfillment_id="f1", status=Status.PICKING, note=SECRET)
    app.ledger.record(noted)
    assert ([SECRET], []) == (app.notes(code, "f1"), app.notes(code, "f2"))
    app.retention.erase_notes(code, "f1")
    app.retention.erase_parcel(code, "f2")

    assert [
        ("note_read", "f1", {}),
        ("erased", "f1", {"notes": "1"}),
        ("erased", "f2", {}),
    ] == acts_of(app, shop=code)[1:]


def test_the_accounts_of_who_did_it_are_kept(app, code):
    """A row names whom the settings name, and the accounts of the process and the database."""
    app.shops.add(code, token=SECRET, base_url="https://api.example")

    a = administration.c
    with app.store.reading() as connection:
        row = connection.execute(select(a.actor, a.os_user, a.db_user).where(a.shop == code)).one()
        assert row.actor == "night-shift"
        assert getpass.getuser() == row.os_user
        assert (connection.dialect.name == "sqlite") == (row.db_user == "")
        everything = str(connection.execute(select(administration)).all())
    assert SECRET not in everything


def test_a_process_without_a_name_does_the_same(app, code, monkeypatch):
    """Where the system knows no name of the account, the act is written down without one."""

    def nameless():
        raise OSError("no username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nameless)
    app.shops.add(code, token=SECRET, base_url="https://api.example")

    assert ["shop_added"] == [kind for kind, _, _ in acts_of(app, shop=code, os_user="")]


def test_an_upgrade_a_check_and_a_lifecycle_are_written_down(empty_database, make_engine, clock):
    """A database tells how it was made, which lifecycle came into force, and that it was tried."""
    engine = make_engine(empty_database)
    upgrade(engine)
    upgrade(engine)
    app = build(load_settings(database_url=empty_database.url), now=clock, sleep=clock.sleep)
    assert [] == app.shops.all()
    protections = check(engine)
    kinds = [(kind, subject) for kind, subject, _ in acts_of(app)]

    assert [
        ("upgraded", ""),
        ("definition_in_force", app.lifecycle.definition.id),
        ("checked", ""),
    ] == kinds
    assert {"open": str(sum(not each.protected for each in protections))} == acts_of(app)[2][2]
    with app.store.reading() as connection:
        assert not connection.execute(select(metadata.tables["carrierflow_history"])).all()
    app.store.engine.dispose()
