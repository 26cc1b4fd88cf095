"""What names people is erased when its time is over; history never is, and verifies."""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from carrierflow import Erased, Event, FulfillmentRef, Opening, Settings, Status, build
from carrierflow.carrier_service.ports import WebhookDelivery
from carrierflow.errors import ConfigurationError, UnknownFulfillment
from carrierflow.scheduling import load_jobs
from carrierflow.storage import DatabaseClock
from carrierflow.storage.callbacks import SqlCallbackStore
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import (
    files,
    fulfillments,
    history,
    notes,
    observations,
    shops,
    webhooks,
)

from .every_kind import seen


YEAR = timedelta(days=365)
JOBS = Path(__file__).parents[3] / "jobs"


class Office:
    """A carrier's app with one shop of its own, at a clock that stands."""

    def __init__(self, engine, clock, **settings):
        self.engine, self.clock = engine, clock
        self.app = build(
            Settings(secret_key=generate_key(), **settings),
            engine=engine,
            now=clock,
            sleep=clock.sleep,
            database_clock=DatabaseClock(clock),
        )
        self.shop = f"shop-{uuid.uuid4().hex[:12]}"
        self.app.shops.add(self.shop, token="t", base_url="http://127.0.0.1:1", org_id=self.shop)

    def parcel(self, number, *, note="Mrs Mai, 0901 234 567"):
        """Open a parcel, and say something of it that names a person."""
        mine = {"shop": self.shop, "fulfillment_id": f"{number}"}
        self.app.ledger.open(Opening(ref=FulfillmentRef(order_id=f"9{number}", **mine)))
        self.app.ledger.record(Event(status=Status.PICKING, note=note, **mine))

    def close(self, number):
        """Let a parcel be delivered and seen, and be done with, now."""
        mine = {"shop": self.shop, "fulfillment_id": f"{number}"}
        for status in (Status.DELIVERING, Status.DELIVERED):
            self.app.ledger.record(Event(status=status, **mine))
        f = fulfillments.c
        this = (f.fulfillment_id == f"{number}") & self._mine()
        shown = {f"{name}_confirmed": f[f"{name}_seq"] for name in ("delivery", "cod")}
        self._change(
            fulfillments, this, open=False, settled_at=self.clock(), unpublished=0, **shown
        )
        with self.engine.begin() as connection:
            parcel = connection.execute(select(f.id).where(this)).scalar_one()
            connection.execute(insert(observations).values(seen(parcel, self.clock())))

    def uninstall(self):
        """Let the shop be uninstalled, now."""
        self.app.shops.revoke(self.shop)

    def webhook(self, order):
        """Take in a webhook about an order."""
        delivery = WebhookDelivery(
            digest=uuid.uuid4().hex,
            topic="orders/updated",
            org_id=self.shop,
            order_id=order,
            received_at=self.clock(),
            ciphertext=b"sealed",
        )
        SqlCallbackStore(self.app.store, platform="haravan").store_webhook(delivery, acted=True)
        return delivery.digest

    def body(self, digest):
        """Return what is left of a webhook's body."""
        with self.engine.connect() as connection:
            query = select(webhooks.c.sealed).where(webhooks.c.digest == digest)
            return connection.execute(query).scalar_one()

    def notes_of(self, number):
        """Return what was said of a parcel."""
        return self.app.notes(self.shop, f"{number}")

    def entries(self):
        """Count the entries of the shop's history."""
        with self.engine.connect() as connection:
            mine = select(fulfillments.c.id).where(self._mine())
            query = select(func.count()).where(history.c.fulfillment.in_(mine))
            return connection.execute(query).scalar_one()

    def _mine(self):
        return (
            fulfillments.c.shop
            == select(shops.c.id).where(shops.c.code == self.shop).scalar_subquery()
        )

    def _change(self, table, where, **values):
        with self.engine.begin() as connection:
            connection.execute(update(table).where(where).values(**values))


@pytest.fixture
def office(own_database, make_engine, clock):
    """An office on a database of its own: all of it is erased from, and verified."""
    return Office(make_engine(own_database), clock, retention_days=365)


def test_notes_go_when_their_parcel_was_closed_long_ago(office, clock):
    """A year after its end a parcel's notes go; before, and while it is open, they stay."""
    for number in (1, 2, 3):
        office.parcel(number)
    office.close(1)
    clock.advance(YEAR)
    office.close(2)
    entries = office.entries()

    assert 1 == office.app.retention.past().notes
    assert 1 == office.app.retention.erase_past().notes

    assert [[], ["Mrs Mai, 0901 234 567"], ["Mrs Mai, 0901 234 567"]] == [
        office.notes_of(number) for number in (1, 2, 3)
    ]
    assert entries == office.entries()
    assert office.app.verify().ok
    assert 0 == office.app.retention.erase_past().notes


def test_a_note_about_a_closed_parcel_has_its_own_time(office, clock):
    """What was said long after a parcel's end is kept for as long again."""
    office.parcel(1)
    office.close(1)
    clock.advance(YEAR)
    office.app.ledger.record(
        Event(shop=office.shop, fulfillment_id="1", status=Status.CODPAID, note="claim")
    )
    office.close(1)
    clock.advance(YEAR / 2)

    office.app.retention.erase_past()

    assert ["Mrs Mai, 0901 234 567", "claim"] == office.notes_of(1)
    clock.advance(YEAR / 2)
    assert 2 == office.app.retention.erase_past().notes


def test_parcels_of_an_uninstalled_shop_do_not_wait_for_their_end(office, clock):
    """A shop that was uninstalled never closes its parcels; their notes go in time all the same."""
    office.parcel(1)
    office.uninstall()
    clock.advance(YEAR - timedelta(days=1))
    assert 0 == office.app.retention.past().notes
    clock.advance(days=1)

    assert 1 == office.app.retention.erase_past().notes


def test_bodies_of_webhooks_go_when_no_parcel_of_their_order_is_open(office, clock):
    """Of an old webhook its body goes and its digest stays; an open order keeps its own."""
    office.parcel(1)
    office.parcel(2)
    office.close(1)
    closed, under_way, stranger = (office.webhook(order) for order in ("91", "92", "5"))
    clock.advance(YEAR)
    young = office.webhook("91")

    assert 2 == office.app.retention.erase_past().webhooks

    assert [None, b"sealed", None, b"sealed"] == [
        office.body(digest) for digest in (closed, under_way, stranger, young)
    ]


def test_names_of_files_go(office, clock):
    """Names of files that are past their time go; the others stay."""
    for number in range(3):
        office.app.file_recorded(f"{office.shop}-{number}", name="mai.csv", row_count=1)
    clock.advance(YEAR)
    office.app.file_recorded(f"{office.shop}-young", name="mai.csv", row_count=1)

    assert 3 == office.app.retention.erase_past().files

    assert office.app.file_recorded_at(f"{office.shop}-0") is None
    assert clock() == office.app.file_recorded_at(f"{office.shop}-young")


def test_more_than_fits_one_transaction_is_erased(sqlite_engine, clock):
    """What is past its time is erased a few at a time, to the last."""
    office = Office(sqlite_engine, clock)
    with sqlite_engine.begin() as connection:
        rows = [
            {"digest": f"{n:064}", "name": "x", "row_count": 1, "recorded_at": clock()}
            for n in range(1201)
        ]
        connection.execute(files.insert(), rows)

    assert Erased(files=1201) == office.app.retention.erase_past(timedelta(0))


def test_a_person_who_asks_is_forgotten_at_once(office):
    """Erasing one parcel takes its notes and its order's webhooks, and nobody else's."""
    office.parcel(1)
    office.parcel(2)
    mine, other = office.webhook("91"), office.webhook("92")

    assert Erased(notes=1, webhooks=1) == office.app.retention.erase_parcel(office.shop, "1")

    assert [] == office.notes_of(1)
    assert [None, b"sealed"] == [office.body(mine), office.body(other)]
    assert ["Mrs Mai, 0901 234 567"] == office.notes_of(2)
    assert office.app.verify().ok
    with pytest.raises(UnknownFulfillment):
        office.app.retention.erase_parcel(office.shop, "3")


def test_without_a_time_nothing_is_past_it(sqlite_engine, clock):
    """Where no setting says how long, erasing by age asks for it, and the job does nothing."""
    office = Office(sqlite_engine, clock)
    office.parcel(1)
    office.close(1)
    clock.advance(YEAR * 20)

    with pytest.raises(ConfigurationError, match="CARRIERFLOW_RETENTION_DAYS"):
        office.app.retention.erase_past()
    (job,) = (job for job in load_jobs(JOBS) if job.name == "erase_old")
    assert job.run(office.app) is None
    assert office.notes_of(1)


def test_the_job_erases_what_the_setting_says(sqlite_engine, clock):
    """The daily job erases by the setting."""
    office = Office(sqlite_engine, clock, retention_days=30)
    office.parcel(1)
    office.close(1)
    clock.advance(days=30)
    (job,) = (job for job in load_jobs(JOBS) if job.name == "erase_old")

    assert Erased(notes=1) == job.run(office.app)
    with sqlite_engine.connect() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(notes)).scalar_one()
