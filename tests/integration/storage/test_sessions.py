"""Servers that are set otherwise: their dates and time zones, and standbys that take no write."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from operator import methodcaller

import pytest
from databases import every_database
from sqlalchemy import create_engine, literal, select, text
from sqlalchemy.event import listen

from carrierflow.audit.reports.time_in_status import _month, _seconds, stays
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import CommitUnknown, DatabaseUnavailable, UnknownFulfillment
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import DatabaseClock, JoinedStore, build_engine
from carrierflow.storage.callbacks import SqlCallbackStore
from carrierflow.storage.queries import entries_of, find_parcel
from carrierflow.storage.tables import shops
from carrierflow.storage.types import UtcDateTime


STEPS = Status.PICKING, Status.DELIVERING, Status.DELIVERED
STYLES = [
    f"{form}, {order}" for form in ("ISO", "SQL", "German", "Postgres") for order in ("DMY", "MDY")
]
ZONES = ["UTC", "Asia/Ho_Chi_Minh", "America/New_York", "Pacific/Apia", "America/St_Johns"]
SETTINGS = list(itertools.zip_longest(STYLES, ZONES, fillvalue="Asia/Ho_Chi_Minh"))
MOMENTS = [
    datetime(2015, 2, 1, 3, 4, 5, tzinfo=UTC),
    datetime(2025, 11, 2, 5, 59, 59, 999999, tzinfo=UTC),
    datetime(2025, 12, 31, 17, 0, tzinfo=UTC),
    datetime(2026, 3, 1, 23, 30, 0, 123456, tzinfo=UTC),
]
MONTHS = ["2015-02", "2025-11", "2026-01", "2026-03"]
EDGES = [datetime(year, 1, 1, tzinfo=UTC) for year in (1, 1899, 1926, 2026)]
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SHOWN = text("SELECT current_setting('DateStyle'), current_setting('TimeZone')")

ON_OWN_POSTGRES = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_SERVERS = pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)


def set_in(database, place, *, writable=False, **settings):
    """Set something for new sessions: of the database, or of the role there."""
    by = "?options=-cdefault_transaction_read_only%3Doff" if writable else ""
    engine = build_engine(database.url + by)
    name, role = engine.url.database, engine.url.username
    what = {"database": f"DATABASE {name}", "role": f"ROLE {role} IN DATABASE {name}"}[place]
    with engine.begin() as connection:
        for setting, value in settings.items():
            connection.execute(text(f"ALTER {what} SET {setting} = '{value}'"))
    engine.dispose()


def journey(ledger, shop, clock):
    """Record a parcel at moments that days, months and years end near."""
    clock.set(MOMENTS[0])
    ledger.open(Opening(ref=FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")))
    for status, moment in zip(STEPS, MOMENTS[1:], strict=True):
        clock.set(moment)
        ledger.record(Event(shop=shop, fulfillment_id="1", status=status, occurred_at=moment))


def found(store, shop):
    """Return the moments of the parcel's entries, and how long it stayed where, by month."""
    every = {"by_shop": False, "by_month": True, "since": None, "until": None}
    with store.reading() as connection:
        entries = entries_of(connection, find_parcel(connection, shop, "1"))
        number = connection.execute(select(shops.c.id).where(shops.c.code == shop)).scalar()
        stayed = stays(connection, shop=number, **every)
        return sorted({e.occurred_at for e in entries}), sorted(
            (s.month, s.status, s.longest_seconds) for s in stayed
        )


@ON_OWN_POSTGRES
def test_moments_are_the_same_however_the_server_writes_them(
    own_database, make_store, make_ledger, make_shop, clock
):
    """Under each date style and time zone, of database or role, moments and stays are the same."""
    expected = None
    for place, (style, zone) in zip(itertools.cycle(["database", "role"]), SETTINGS, strict=False):
        set_in(own_database, place, datestyle=style, timezone=zone)
        engine = build_engine(own_database.url)
        store = make_store(engine)
        shop = make_shop(store)
        journey(make_ledger(store), shop, clock)

        moments, stayed = found(store, shop)
        expected = expected or stayed
        assert MOMENTS == moments
        assert expected == stayed
        assert SqlCallbackStore(store, platform="haravan").read(
            methodcaller("parcels", shop, ["1"])
        )
        with store.reading() as connection:
            assert ("ISO", "UTC") == tuple(word[:3] for word in connection.execute(SHOWN).one())
        engine.dispose()


@ON_OWN_POSTGRES
def test_a_host_keeps_its_own_date_style(own_database, make_engine, make_store, make_shop, clock):
    """What is recorded on a host's connection does not depend on its settings, nor change them."""
    store = make_store(make_engine(own_database))
    theirs = create_engine(own_database.url.replace("postgresql:", "postgresql+psycopg:"))
    for style, zone in SETTINGS:
        shop = make_shop(store)
        with theirs.begin() as host:
            host.execute(text(f"SET DateStyle TO '{style}'; SET TimeZone TO '{zone}'"))
            joined = Ledger(
                JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock
            )
            journey(joined, shop, clock)
            with pytest.raises(UnknownFulfillment):
                joined.record(Event(shop=shop, fulfillment_id="none", status=Status.PICKING))
            assert (style, zone) == tuple(host.execute(SHOWN).one())

        assert MOMENTS == found(store, shop)[0]
    theirs.dispose()


def test_seconds_between_any_two_moments_are_counted(engine):
    """Whole seconds are counted over any span of dates; of 8,000 years they fill five bytes."""
    for begin in EDGES:
        moments = (literal(each, UtcDateTime()) for each in (begin, LAST))
        with engine.connect() as connection:
            seconds = connection.execute(select(_seconds(engine.dialect.name, *moments))).scalar()
        assert (LAST - begin) // timedelta(seconds=1) == seconds


def test_a_month_is_vietnams(engine):
    """The month of a moment is the one in Vietnam, at whatever time zone the server is."""
    for moment, month in zip(MOMENTS, MONTHS, strict=True):
        with engine.connect() as connection:
            query = select(_month(engine.dialect.name, literal(moment, UtcDateTime())))
            assert month == connection.execute(query).scalar()


@pytest.mark.parametrize("database", every_database(but=["sqlite", "postgres"]), indirect=True)
@pytest.mark.parametrize("zone", ["+00:00", "+07:00", "-03:30", "SYSTEM"])
def test_mariadbs_clock_is_the_same_in_every_time_zone(engine, zone):
    """The database's own clock, which leases go by, does not depend on a session's time zone."""
    clock = DatabaseClock()
    with engine.connect() as connection:
        connection.execute(
            text(f"SET SESSION time_zone = '{zone}', SESSION timestamp = 1762063200")
        )
        assert datetime(2025, 11, 2, 6, tzinfo=UTC) == clock.now(connection)
        connection.invalidate()


@contextmanager
def standby(database, engine):
    """Let the server take no writes of sessions that begin now: it is not the one it was."""
    if database.kind == "postgres":
        set_in(database, "database", default_transaction_read_only="on")
        engine.dispose()
        yield
        set_in(database, "database", default_transaction_read_only="off", writable=True)
        return
    only = [True]

    def born(driver, _record):
        if only[0]:
            driver.cursor().execute("SET SESSION TRANSACTION READ ONLY")

    listen(engine, "connect", born)
    engine.dispose()
    yield
    only[0] = False


@ON_SERVERS
def test_a_server_that_is_read_only_for_a_while_is_an_outage(
    own_database, make_engine, make_store, make_ledger, make_shop
):
    """Writes are told to come later while a server is read-only, and go on once it is not.

    A session keeps what it was born with; so none of the standby's may stay in the pool.
    """
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    first, second = [
        Opening(ref=FulfillmentRef(shop=shop, order_id=number, fulfillment_id=number))
        for number in "12"
    ]
    ledger.open(first)
    with standby(own_database, engine), store.reading() as connection:
        assert "1" == find_parcel(connection, shop, "1").ref.order_id
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable, match=r"(?i)read.only") as told:
                ledger.open(second)
            assert not isinstance(told.value, CommitUnknown)

    assert "2" == ledger.open(second).ref.order_id
