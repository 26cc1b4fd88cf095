"""A transaction pooler in front of PostgreSQL: each transaction may run on another connection."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from databases import every_database
from plain_runs import Leases
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from carrierflow.audit.verify.sql import entry_rows, head_rows
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore, build_engine, upgrade
from carrierflow.storage.callbacks import SqlCallbackStore
from carrierflow.storage.lease_sessions import this_session
from carrierflow.storage.migrate import head_revision
from carrierflow.storage.queries import entries_of, find_parcel

from .pooler import Pooler


PARCELS = 25
STEPS = Status.PICKING, Status.DELIVERING, Status.DELIVERED
SHOWN = pytest.mark.parametrize("pooler", [False], indirect=True, ids=["shown"])
ON_POSTGRES = pytest.mark.parametrize(
    "empty_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)


@pytest.fixture(params=[False, True], ids=["shown", "hidden"])
def pooler(request, empty_database):
    """A pooler in front of a server that is set otherwise; a hidden one is named in the URL."""
    engine = build_engine(empty_database.url)
    with engine.begin() as connection:
        for setting in ("DateStyle = 'German, DMY'", "TimeZone = 'Asia/Ho_Chi_Minh'"):
            connection.execute(text(f"ALTER DATABASE {engine.url.database} SET {setting}"))
    engine.dispose()
    with Pooler(empty_database.url, hidden=request.param) as pooler:
        yield pooler


@pytest.fixture
def url(pooler, request):
    """The URL that a hoster would print."""
    return pooler.url + "?pgbouncer=true" * pooler._hidden


@pytest.fixture
def pooled(url):
    """An engine whose connections all go through the pooler."""
    engine = build_engine(url)
    yield engine
    engine.dispose()


def state_of(pooler):
    """Return what is left in each of the pooler's sessions: statements, settings and locks.

    A server shows the locks of all its databases; those of other tests are not ours.
    """
    query = text(
        "SELECT (SELECT count(*) FROM pg_prepared_statements), current_setting('DateStyle'), "
        "current_setting('TimeZone'), current_setting('lock_timeout'), "
        "(SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database "
        "WHERE locktype = 'advisory' AND datname = current_database())"
    )
    engine = create_engine(
        pooler.url.replace("postgresql:", "postgresql+psycopg:"),
        connect_args={"prepare_threshold": None},
    )
    found = []
    with engine.connect() as connection:
        for _ in pooler._all:
            found.append(tuple(connection.execute(query).one()))
            connection.rollback()
    engine.dispose()
    return found


@SHOWN
@ON_POSTGRES
def test_the_pooler_of_these_tests_has_teeth(pooler):
    """A driver that prepares its statements fails behind this pooler."""
    engine = create_engine(
        pooler.url.replace("postgresql:", "postgresql+psycopg:"),
        connect_args={"prepare_threshold": 0},
    )
    with pytest.raises(DBAPIError, match="prepared statement"):
        _ask_often(engine)
    engine.dispose()


def _ask_often(engine):
    with engine.connect() as connection:
        for _ in range(9):
            connection.execute(text("SELECT 1"))
            connection.commit()


@ON_POSTGRES
def test_everything_works_behind_a_pooler(pooler, pooled, make_store, make_shop, clock):
    """Tables are made, scans recorded, and history read, each time on whatever connection."""
    assert head_revision() == upgrade(pooled)
    store = make_store(pooled)
    shop, ledger = make_shop(store), Ledger(store, Lifecycle(DEFAULT), clock=clock)
    ids = [f"{number}" for number in range(PARCELS)]
    for number in ids:
        ref = FulfillmentRef(shop=shop, order_id=number, fulfillment_id=number)
        ledger.open(Opening(ref=ref, cod_amount=5))
    clock.advance(hours=1)
    first = [Event(shop=shop, fulfillment_id=n, status=STEPS[0]) for n in ids]
    others = [Event(shop=shop, fulfillment_id=n, status=s) for s in STEPS[1:] for n in ids]

    with ThreadPoolExecutor(4) as crew:
        assert {"accepted"} == {answer.verdict for answer in crew.map(ledger.record, first)}
    assert {"accepted"} == {answer.verdict for answer in ledger.record_many(others)}
    leases = Leases(store)
    hold = leases.claim(store.shop(shop), "me", timedelta(minutes=1))
    assert leases.renew(hold, timedelta(minutes=1))
    with store.snapshot() as connection:
        assert PARCELS == len(list(head_rows(connection)))
        assert PARCELS * 6 == len(list(entry_rows(connection)))
        told = entries_of(connection, find_parcel(connection, shop, ids[-1]))
        assert {clock() - timedelta(hours=1), clock()} == {entry.occurred_at for entry in told}
    assert SqlCallbackStore(store, platform="haravan").read(lambda tx: tx.parcels(shop, ids))
    assert len(pooler._all) == len(set(pooler.handed_out))


@SHOWN
@ON_POSTGRES
def test_nothing_of_ours_stays_in_a_poolers_sessions(pooler, pooled, make_store, make_shop, clock):
    """Other clients of a pooler find its sessions as they were: no statement, setting or lock."""
    before = state_of(pooler)

    upgrade(pooled)
    store = make_store(pooled)
    shop = make_shop(store)
    with pooled.connect() as host:
        joined = Ledger(JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock)
        for number in "123456789":
            ref = FulfillmentRef(shop=shop, order_id=number, fulfillment_id=number)
            joined.open(Opening(ref=ref))
            host.commit()

    assert [(0, "German, DMY", "Asia/Ho_Chi_Minh", "0", 0)] * len(pooler._all) == before
    assert before == state_of(pooler)


@SHOWN
@ON_POSTGRES
def test_upgrades_behind_a_pooler_wait_for_each_other(pooler, url):
    """Several upgrades at once through a pooler all succeed, and leave no lock behind."""
    engines = [build_engine(url) for _ in range(3)]
    with ThreadPoolExecutor(3) as crew:
        assert {head_revision()} == set(crew.map(upgrade, engines))
    for engine in engines:
        engine.dispose()
    assert {0} == {locks for *_, locks in state_of(pooler)}


@ON_POSTGRES
def test_a_session_that_is_lent_out_proves_nothing(pooled):
    """Whoever holds a shop through a pooler is not known by a session of the server's."""
    with pooled.connect() as connection:
        assert "" == this_session(connection)
