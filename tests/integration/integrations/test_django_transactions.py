"""What is recorded in Django's own transactions goes the way of what Django writes itself."""

from __future__ import annotations

import unittest
import uuid
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections, transaction
from django.db.transaction import TransactionManagementError
from django.test import TestCase, override_settings
from django_host import living_in
from sqlalchemy import func, select

from carrierflow import (
    Event,
    FulfillmentRef,
    Opening,
    Status,
    Verdict,
    generate_key,
)
from carrierflow.audit.reports.reports import Reports
from carrierflow.domain.clock import now
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.errors import CarrierflowError, ConcurrentUpdate, InvalidInput
from carrierflow.integrations.django import app, joined
from carrierflow.integrations.django.transactions import DjangoTransaction, _drivers
from carrierflow.storage import JoinedStore
from carrierflow.storage.tables import fulfillments, history


@contextmanager
def in_project(database, **settings):
    """Let the project live in a database, with the ledger's settings in Django's."""
    given = {"secret_key": generate_key()}
    with living_in(database) as connection, override_settings(CARRIERFLOW=given, **settings):
        yield connection


@pytest.fixture
def django(database):
    """Django's connection to the database."""
    with in_project(database) as connection:
        yield connection


@pytest.fixture
def rows(django):
    """A table of the host's own: `add()` writes a row, `count()` says how many are committed."""
    return Rows(f"host_{uuid.uuid4().hex[:12]}")


class Rows:
    def __init__(self, name):
        self.name = name
        with connections["default"].cursor() as cursor:
            cursor.execute(f"CREATE TABLE {name} (number integer)")

    def add(self):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"INSERT INTO {self.name} VALUES (1)")

    def count(self):
        with connections["default"].cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.name}")
            return cursor.fetchone()[0]


@pytest.fixture
def entries(store, shop):
    """Count the entries of the shop that others can see."""

    def count():
        mine = select(fulfillments.c.id).where(fulfillments.c.shop == store.shop(shop).id)
        with store.reading() as connection:
            query = select(func.count()).where(history.c.fulfillment.in_(mine))
            return connection.execute(query).scalar()

    return count


@pytest.fixture
def timeline(store):
    """Ask for the timeline of a parcel, by a connection of our own."""
    return Reports(store.snapshot, DEFAULT, verify_within=timedelta(hours=1), clock=now).timeline


@pytest.fixture
def use(shop):
    """Open a parcel and let it be picked up, by the ledger inside Django's transaction."""

    def record(number="1"):
        ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=number)
        joined().open(Opening(ref=ref, cod_amount=5))
        return joined().record(event(shop, Status.PICKING, number))

    return record


def event(shop, status, number="1"):
    """Return something that happened to a parcel of the shop."""
    at = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
    return Event(shop=shop, fulfillment_id=number, status=status, occurred_at=at)


class HostError(Exception):
    """Something of the host's own goes wrong."""


def taken_back(*works):
    """Do some work in a block that ends in an error of the host's."""
    with suppress(HostError), transaction.atomic():
        for work in works:
            work()
        raise HostError


def test_what_django_commits_is_there(rows, use, entries):
    """Where the block ends well, both are there: the host's row and the ledger's entries."""
    with transaction.atomic():
        rows.add()
        answer = use()
        assert 0 == entries()

    assert Verdict.ACCEPTED is answer.verdict
    assert (1, 3) == (rows.count(), entries())


def test_what_django_rolls_back_is_gone(rows, use, entries):
    """Where the block ends in an error, neither is there."""
    taken_back(rows.add, use)

    assert (0, 0) == (rows.count(), entries())


def test_the_first_connection_takes_nothing_back(rows, use):
    """The look that SQLAlchemy has at a server, in the midst of a transaction, undoes no write.

    Nor does it leave the transaction: what was written before it goes with what comes after.
    """
    _drivers.cache_clear()
    with transaction.atomic():
        rows.add()
        use()
        assert 1 == rows.count()
    assert 1 == rows.count()

    _drivers.cache_clear()
    taken_back(rows.add, lambda: use("2"))
    assert 1 == rows.count()


def test_a_savepoint_takes_back_only_itself(rows, use, entries, shop):
    """An inner block that fails takes its own event away, and leaves what stood before it."""
    with transaction.atomic():
        use()
        taken_back(rows.add, lambda: joined().record(event(shop, Status.DELIVERING)))
        assert [] != list(joined().probe(event(shop, Status.DELIVERING)).entries)

    assert (0, 3) == (rows.count(), entries())


def test_an_error_of_ours_leaves_the_transaction_whole(rows, use, entries, shop):
    """Who catches our error inside the block may go on in it, and commit what else there is."""
    with transaction.atomic():
        rows.add()
        with pytest.raises(CarrierflowError):
            joined().record(event(shop, Status.PICKING, "none"))
        use()

    assert (1, 3) == (rows.count(), entries())


def test_many_parcels_at_once(own_database, make_engine, make_store, make_shop):
    """Forty parcels recorded inside Django's transaction are as sound as any others."""
    shop = make_shop(make_store(make_engine(own_database)))
    numbers = [f"{number}" for number in range(40)]
    with in_project(own_database):
        with transaction.atomic():
            for number in numbers:
                ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=number)
                joined().open(Opening(ref=ref, cod_amount=5))
            events = [event(shop, Status.PICKING, number) for number in numbers]
            answers = list(joined().record_many(events))
        found = app().verifier.verify()

    assert [Verdict.ACCEPTED] * 40 == [answer.verdict for answer in answers]
    assert ((), 40, 120) == (found.problems, found.fulfillments, found.rows)


def test_without_a_transaction_nothing_is_recorded(use, entries, django):
    """Outside of `atomic()` the ledger is refused, and opens no transaction of its own."""
    with pytest.raises(InvalidInput, match=r"transaction.atomic\(using='default'\)"):
        use()

    assert 0 == entries()
    assert not django.in_atomic_block


def test_a_ledger_from_a_block_that_ended_is_refused(django, use, entries, shop):
    """A ledger that was kept when its block ended does not begin a transaction by itself."""
    with transaction.atomic():
        use()
        kept = joined()
    with pytest.raises(InvalidInput, match="No transaction is open"):
        kept.record(event(shop, Status.DELIVERING))

    assert 3 == entries()


def test_a_failed_transaction_is_refused(django, use, entries):
    """In a block that can only be rolled back nothing is written, and the sentence says so."""
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(InvalidInput, match="can only be rolled back"):
            use()

    assert 0 == entries()


def test_a_transaction_that_the_database_took_back_is_not_gone_on_with(django, rows, shop):
    """Where the whole transaction is gone, as after a deadlock on MariaDB, Django hears of it.

    Else what the host writes next would be committed without what came before.
    """
    store = JoinedStore(DjangoTransaction("default"), DEFAULT, clock=now)

    def work(ledger):
        ledger.parcels(shop, ["1"])
        ledger._connection.exec_driver_sql("ROLLBACK")
        raise ConcurrentUpdate("A row")

    with transaction.atomic():
        with pytest.raises(ConcurrentUpdate):
            store.run(work)
        assert django.needs_rollback
        with pytest.raises(TransactionManagementError):
            rows.add()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Ho_Chi_Minh"])
@pytest.mark.parametrize("aware", [True, False])
def test_moments_are_the_same_whatever_django_does_with_its_own(
    zone, aware, database, use, shop, timeline
):
    """A project that works on local time, without zones, moves no moment of the ledger."""
    with in_project(database, USE_TZ=aware, TIME_ZONE=zone), transaction.atomic():
        use()
        again = joined().record(event(shop, Status.PICKING))
        moved = joined().record(event(shop, Status.DELIVERING))

    at = event(shop, Status.PICKING).occurred_at
    assert (Verdict.DUPLICATE, Verdict.ACCEPTED) == (again.verdict, moved.verdict)
    assert [at, at] == [entry.occurred_at for entry in timeline(shop, "1").entries[-2:]]


class Recording(TestCase):
    __test__ = False
    """Django's own test class, run below: it rolls back after each test."""

    code = "x"

    def test_records(self):
        """Record inside the transaction that the class has open already."""
        ref = FulfillmentRef(shop=self.code, order_id="1", fulfillment_id="1")
        joined().open(Opening(ref=ref))
        answer = joined().record(event(self.code, Status.PICKING))
        assert Verdict.ACCEPTED is answer.verdict


def test_a_test_case_leaves_nothing(django, shop, entries):
    """Each test of Django's `TestCase` may record, and the next one finds nothing of it."""
    Recording.code = shop
    for _ in range(2):
        result = unittest.TestResult()
        unittest.TestSuite([Recording("test_records")]).run(result)
        assert ([], []) == (result.errors, result.failures)

    assert 0 == entries()
