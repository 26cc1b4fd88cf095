"""Statements never bind more parameters than the database takes."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from databases import every_database
from sqlalchemy import func, select
from sqlalchemy.event import listen

from carrierflow.audit import erasure
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage.binding import MOST, SPARE, sliced
from carrierflow.storage.queries import find_parcel, known_ids
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import files, history


FEW = 2 * SPARE
"""Parameters that a very old SQLite would take."""

MANY = 3 * FEW


@pytest.fixture
def narrow(sqlite_database, make_engine, make_store):
    """A store on a SQLite that takes few parameters."""
    engine = make_engine(sqlite_database)
    category = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    listen(engine, "connect", lambda driver, _: driver.setlimit(category, FEW))
    return make_store(engine)


def test_everything_about_many_parcels_can_be_asked_and_written(
    narrow, make_ledger, make_shop, clock
):
    """Whatever is done with more parcels than a statement binds is done with all of them."""
    code, ledger = make_shop(narrow), make_ledger(narrow)
    shop, ids = narrow.shop(code), [f"{number}" for number in range(MANY)]
    events = [
        Event(
            shop=code,
            fulfillment_id=number,
            status=status,
            opening=Opening(ref=FulfillmentRef(shop=code, order_id=number, fulfillment_id=number)),
        )
        for status in (Status.PICKING, Status.DELIVERING)
        for number in ids
    ]

    assert {"accepted"} == {a.verdict for a in ledger.record_many(events, chunk=2 * MANY)}
    runs = SqlReconcileStore(narrow)
    parcels = runs.parcels_of(shop, ids)
    assert MANY == len(parcels)
    assert sorted(parcels, key=lambda parcel: parcel.id) == parcels
    assert MANY == len(runs.publication_logs(parcels))
    runs.mark_verified(parcels, at=clock.advance(minutes=1))
    with narrow.reading() as connection:
        assert set(ids) == known_ids(connection, code, ids)
        assert clock() == find_parcel(connection, code, ids[-1]).verified_at
        assert 3 * MANY <= connection.execute(select(func.count()).select_from(history)).scalar()


def test_what_is_too_old_is_erased_however_much(narrow, clock):
    """More old rows than a statement binds are erased at once."""
    rows = [
        {"digest": f"{n}", "name": "x", "row_count": 1, "recorded_at": clock()} for n in range(MANY)
    ]
    with narrow.begin() as connection:
        connection.execute(files.insert(), rows)
        before = clock() + timedelta(days=1)
        assert MANY == erasure.erase_past(connection, "files", before=before, most=2 * MANY)


@pytest.mark.slow
@pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)
def test_a_server_is_asked_for_more_than_it_takes_at_once(store, shop):
    """A list of more values than PostgreSQL counts is asked for in pieces."""
    assert [] == SqlReconcileStore(store).parcels_of(
        store.shop(shop), [f"{n}" for n in range(2 * MOST + 3_000)]
    )


def test_a_list_is_cut_into_pieces_that_make_it_up(engine):
    """The pieces of a list are its values in their order, and there is none of an empty one."""
    with engine.connect() as connection:
        for length in (0, 1, MOST - SPARE, 2 * MOST + 1):
            pieces = list(sliced(connection, range(length)))
            assert list(range(length)) == [value for piece in pieces for value in piece]
            assert all(0 < len(piece) <= MOST for piece in pieces)
