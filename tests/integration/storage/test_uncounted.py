"""Drivers that do not say how many rows many statements met: no verdict rests on it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import contextmanager

import pytest
from databases import every_database
from sqlalchemy import create_engine, select, update
from sqlalchemy.event import listen, remove
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, Status
from carrierflow.errors import ConcurrentUpdate, DatabaseUnavailable
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore
from carrierflow.storage.bulk import FEW
from carrierflow.storage.tables import fulfillments, history


COUNTS = [2, FEW + 1]


class Uncounting(sqlite3.Connection):
    """A connection of a driver that does not count the rows of many statements."""

    def cursor(self, _factory=None):
        """Return a cursor of that driver."""
        return super().cursor(Cursor)


class Cursor(sqlite3.Cursor):
    many = False

    def executemany(self, *args):
        self.many = True
        return super().executemany(*args)

    @property
    def rowcount(self):
        return -1 if self.many else super().rowcount


@pytest.fixture
def picked(shop):
    """Return the events of some parcels that are picked."""

    def make(parcels):
        return [
            Event(shop=shop, fulfillment_id=p.ref.fulfillment_id, status=Status.PICKING)
            for p in parcels
        ]

    return make


def recorded(host, clock, events):
    """Record many events on what a host lends, and return the verdicts."""
    ledger = Ledger(JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock)
    return [str(answer.verdict) for answer in ledger.record_many(events)]


def entries_of(connection, parcels):
    """Return which statuses some parcels came to since they were opened."""
    ours = history.c.fulfillment.in_([p.id for p in parcels]), history.c.seq > 1
    return connection.execute(select(history.c.to_status).where(*ours)).scalars().all()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_many_events_are_recorded_where_nobody_counts(database, make_parcel, clock, picked, count):
    """A host whose driver counts no rows of many statements records many events all the same."""
    parcels = [make_parcel() for _ in range(count)]
    with uncounting(database) as host:
        assert ["accepted"] * count == recorded(host, clock, picked(parcels))
        assert ["picking"] * count == entries_of(host, parcels)


@contextmanager
def uncounting(database):
    """Begin a transaction on a driver that does not count, and says so."""
    engine = create_engine(database.url, connect_args={"factory": Uncounting})
    engine.dialect.supports_sane_multi_rowcount = False
    with engine.begin() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_another_writer_is_still_seen_where_nobody_counts(
    database, make_parcel, clock, picked, count
):
    """Where one parcel of many was changed behind our back, the host is told, uncounted or not."""
    parcels = [make_parcel() for _ in range(count)]
    with uncounting(database) as host:
        store = JoinedStore(host, DEFAULT, clock=clock)

        def overtaken(tx):
            moved = update(fulfillments).where(fulfillments.c.id == parcels[-1].id)
            host.execute(moved.values(version=99))
            ledger = Ledger(_Read(tx, parcels), Lifecycle(DEFAULT), clock=clock)
            return list(ledger.record_many(picked(parcels)))

        with pytest.raises(ConcurrentUpdate):
            store.run(overtaken)
        assert [] == entries_of(host, parcels)


class _Read:
    """A store whose transaction has read its parcels already."""

    def __init__(self, tx, parcels):
        self._tx, self._parcels = tx, {p.ref.fulfillment_id: p for p in parcels}

    def run(self, work):
        return work(self)

    def parcels(self, _shop, _ids):
        return self._parcels

    def __getattr__(self, name):
        return getattr(self._tx, name)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("database", every_database(but=["sqlite", "mariadb"]), indirect=True)
def test_an_asynchronous_host_records_many_or_nothing(
    database, engine, make_parcel, clock, picked, count
):
    """On asyncpg many events are recorded, and a host that goes on after an error keeps no half."""
    pytest.importorskip("asyncpg")
    lost, kept = [[make_parcel() for _ in range(count)] for _ in "12"]

    async def host():
        theirs = create_async_engine(database.url.replace("postgresql:", "postgresql+asyncpg:"))
        async with AsyncSession(theirs) as session:
            listen(theirs.sync_engine, "before_cursor_execute", refuse_history)
            with pytest.raises(DatabaseUnavailable):
                await session.run_sync(recorded, clock, picked(lost))
            remove(theirs.sync_engine, "before_cursor_execute", refuse_history)
            verdicts = await session.run_sync(recorded, clock, picked(kept))
            await session.commit()
        await theirs.dispose()
        return verdicts

    assert ["accepted"] * count == asyncio.run(host())
    with engine.connect() as connection:
        assert ["picking"] * count == entries_of(connection, kept)
        mine = select(fulfillments.c.version).where(fulfillments.c.id.in_([p.id for p in lost]))
        assert {p.version for p in lost} == set(connection.execute(mine).scalars())


def refuse_history(_connection, _cursor, statement, _parameters, _context, _many):
    """Fail where history is written, as a full disk would."""
    if f"INTO {history.name}" in statement:
        raise OperationalError(statement, None, Exception("the disk is full"))
