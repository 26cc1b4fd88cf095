"""`db upgrade`: killed anywhere, by several at once, and on databases that cannot hold a name."""

from __future__ import annotations

import multiprocessing
import os
from datetime import UTC, datetime

import pytest
from databases import KINDS, every_database
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.event import listen

from carrierflow.domain.model import FulfillmentRef, Machine, Opening, RemoteWord, Status
from carrierflow.errors import ConfigurationError, DatabaseUnavailable
from carrierflow.storage import build_engine, upgrade
from carrierflow.storage.install_triggers import install, trigger_names
from carrierflow.storage.migrate import VERSION_TABLE, current_revision, head_revision
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import fulfillments
from carrierflow.storage.upgrading import LOCK, NAME


CONTEXT = multiprocessing.get_context("fork")
KILLED = 9
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL_STEPS = pytest.param(1, marks=pytest.mark.slow)
SLOW_ON_SERVERS = [
    kind if kind == "sqlite" else pytest.param(kind, marks=[pytest.mark.servers, pytest.mark.slow])
    for kind in KINDS
]
ON_POSTGRES = pytest.mark.parametrize(
    "empty_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_MARIADB = pytest.mark.parametrize(
    "empty_database", every_database(but=["sqlite", "postgres"]), indirect=True
)


def upgraded(url, last):
    """Upgrade in a process of its own, which is killed before one of its statements."""
    engine = build_engine(url)
    done = [0]

    def count(*_):
        done[0] += 1
        if done[0] == last:
            os._exit(KILLED)

    if last:
        listen(engine, "before_cursor_execute", count)
    upgrade(engine)
    os._exit(0)


def started(database, last=0):
    """Start an upgrade in a process of its own."""
    process = CONTEXT.Process(target=upgraded, args=(database.url, last))
    process.start()
    return process


def ended(process):
    """Wait for a process and return how it ended."""
    process.join(120)
    return process.exitcode


def shape_of(database):
    """Return what a database's tables look like, and what protects them."""
    engine = build_engine(database.url)
    with engine.connect() as connection:
        seen = inspect(connection)
        shape = {
            name: (
                [(c["name"], str(c["type"]), c["nullable"]) for c in seen.get_columns(name)],
                sorted(_told(index) for index in seen.get_indexes(name)),
                sorted(str(key) for key in seen.get_foreign_keys(name)),
            )
            for name in seen.get_table_names()
        }
        found = shape, trigger_names(connection), current_revision(connection), _rows(connection)
    with engine.begin() as connection:
        assert ["Every trigger is in place."] == list(install(connection))
    engine.dispose()
    return found


def _told(index):
    """Return an index as text; which rows it has is an object, told by its SQL."""
    some = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return str(index | {"dialect_options": some})


def _rows(connection):
    return connection.execute(text("SELECT name, fence FROM carrierflow_leases")).all()


@pytest.mark.parametrize("step", [67, ALL_STEPS])
def test_an_upgrade_that_is_killed_goes_on(empty_database, session_databases, step):
    """Killed before any statement, whatever was killed before, an upgrade goes on to its end.

    On MariaDB each statement stays that was carried out. Elsewhere an upgrade is one transaction,
    which a kill takes back wherever it comes: there every seventh statement has to do.
    """
    step = step if empty_database.kind == "mariadb" else max(step, 7)
    for last in range(1, 10_000, step):
        if ended(started(empty_database, last)) != KILLED:
            break

    assert 0 == ended(started(empty_database))
    assert last > step
    assert shape_of(session_databases(empty_database.kind)) == shape_of(empty_database)


@pytest.mark.parametrize("empty_database", SLOW_ON_SERVERS, indirect=True)
def test_of_four_upgrades_one_works_and_the_others_wait(empty_database, session_databases):
    """Four processes that upgrade at once all succeed, and the tables are as one makes them."""
    crowd = [started(empty_database) for _ in range(4)]

    assert [0, 0, 0, 0] == [ended(process) for process in crowd]
    assert shape_of(session_databases(empty_database.kind)) == shape_of(empty_database)


WORDS = [
    *((status, Status.NONE) for status in Status if status.machine is Machine.DELIVERY),
    *((Status.PICKING, status) for status in Status if status.machine is Machine.COD),
    *(("picking", word) for word in ("", "owed", "picking")),
    *((word, "none") for word in ("", "teleported", "codpaid", "Picking")),
]


def test_a_word_of_before_is_read_as_it_was_then(
    own_database, make_engine, make_store, make_ledger, make_shop
):
    """An upgrade reads a kept word as the status that it is spelled as, and no other word at all.

    The tables are made as they were before.
    """
    engine = make_engine(own_database)
    store = make_store(engine)
    shop, ledger = make_shop(store), make_ledger(store)
    refs = [
        FulfillmentRef(shop=shop, order_id="1", fulfillment_id=str(number))
        for number in range(len(WORDS))
    ]
    parcels = [ledger.open(Opening(ref=ref)) for ref in refs]
    with engine.begin() as connection:
        for parcel, (carrier, cod) in zip(parcels, WORDS, strict=True):
            seen = {"remote_carrier": str(carrier), "remote_cod": str(cod), "remote_dates": "{}"}
            seen |= {"remote_digest": "0" * 64, "remote_updated_at": NOON}
            named = fulfillments.c.id == parcel.id
            connection.execute(fulfillments.update().where(named).values(seen))
        for name in ("remote_carrier_status", "remote_cod_status"):
            connection.execute(text(f"ALTER TABLE carrierflow_fulfillments DROP COLUMN {name}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = 'r0007'"))

    upgrade(engine)

    again = make_store(make_engine(own_database))
    found = SqlReconcileStore(again).parcels_of(again.shop(shop), ["1"])
    assert [(_read(c, Machine.DELIVERY), _read(p, Machine.COD)) for c, p in WORDS] == [
        (parcel.remote.carrier, parcel.remote.cod) for parcel in found
    ]


def _read(word, machine):
    mine = [status for status in Status if status.machine is machine]
    return RemoteWord(raw=str(word), status=Status(word) if word in mine else None)


@ON_POSTGRES
def test_an_upgrade_does_not_wait_for_ever_on_postgresql(empty_database, make_engine, monkeypatch):
    """An upgrade beside another one that does not end says so instead of waiting on."""
    monkeypatch.setattr("carrierflow.storage.upgrading.PATIENCE", "0.05")
    engine = make_engine(empty_database)
    with engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            upgrade(engine)
    assert head_revision() == upgrade(engine)


@ON_MARIADB
def test_an_upgrade_does_not_wait_for_ever_on_mariadb(empty_database, make_engine, monkeypatch):
    """An upgrade beside another one that does not end says so instead of waiting on."""
    monkeypatch.setattr("carrierflow.storage.upgrading.PATIENCE", 1)
    engine = make_engine(empty_database)
    with engine.connect() as other:
        assert 1 == other.execute(text(f"SELECT GET_LOCK({NAME}, 0)")).scalar()
        with pytest.raises(DatabaseUnavailable, match="another `carrierflow db upgrade`"):
            upgrade(engine)
        other.invalidate()
    assert head_revision() == upgrade(engine)


@ON_POSTGRES
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP"])
def test_a_legacy_encoding_is_refused_on_postgresql(empty_database, make_engine, encoding):
    """A database that cannot hold every name is refused before any table is made."""
    name = f"{make_url(empty_database.url).database}_old"
    by = "LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    owner = make_engine(empty_database).execution_options(isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING '{encoding}' {by}"))
        engine = build_engine(str(make_url(empty_database.url).set(database=name)))
        with pytest.raises(ConfigurationError, match=f"keeps text as {encoding}"):
            upgrade(engine)
        assert [] == inspect(engine).get_table_names()
        engine.dispose()
        connection.execute(text(f"DROP DATABASE {name}"))


@ON_POSTGRES
def test_the_encoding_of_a_role_does_not_matter(empty_database, make_engine):
    """A role whose clients speak another encoding is served in ours."""
    name = make_url(empty_database.url).database
    with make_engine(empty_database).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET client_encoding = 'LATIN1'"))
    engine = make_engine(empty_database)

    assert head_revision() == upgrade(engine)
    with engine.connect() as connection:
        assert "Đỗ" == connection.execute(text("SELECT 'Đỗ'")).scalar()


@ON_MARIADB
@pytest.mark.parametrize("encoding", ["latin1", "utf8mb3", "ascii"])
def test_a_legacy_encoding_is_refused_on_mariadb(empty_database, make_engine, encoding):
    """A database that cannot hold every name is refused, until it is changed as we say."""
    engine = make_engine(empty_database)
    with engine.begin() as connection:
        connection.execute(text(f"ALTER DATABASE CHARACTER SET {encoding}"))
    engine.dispose()
    with pytest.raises(ConfigurationError, match=f"keeps text as {encoding}"):
        upgrade(engine)
    assert [] == inspect(engine).get_table_names()

    with engine.begin() as connection:
        connection.execute(text("ALTER DATABASE CHARACTER SET utf8mb4"))
    engine.dispose()
    assert head_revision() == upgrade(engine)


@ON_MARIADB
@pytest.mark.parametrize("name", ["client", "connection", "results"])
def test_a_connection_that_carries_less_is_refused_on_mariadb(empty_database, make_engine, name):
    """A server that does not heed what encoding its client asks for is refused."""
    engine = make_engine(empty_database)
    narrow = f"SET SESSION character_set_{name} = latin1"
    listen(engine, "connect", lambda driver, _: driver.cursor().execute(narrow))

    with pytest.raises(ConfigurationError, match="carries text as latin1"):
        upgrade(engine)
