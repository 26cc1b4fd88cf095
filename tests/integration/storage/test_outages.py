"""What the store says where the database itself fails it."""

from __future__ import annotations

from collections import deque
from itertools import count

import pytest
from databases import every_database
from sqlalchemy import create_engine
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError

from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.errors import CommitUnknown, ConcurrentUpdate, DatabaseUnavailable
from carrierflow.storage.engine import isolate

from .server_sessions import end_session, session_of


ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)


def test_connections_that_are_all_in_use_are_an_outage(sqlite_engine, make_store):
    """A process whose connections are all in use is told to try later."""
    store = make_store(
        create_engine(sqlite_engine.url, pool_size=1, max_overflow=0, pool_timeout=0)
    )

    with store.reading(), pytest.raises(DatabaseUnavailable, match="connections are in use"):
        store.shop("any")
    store.engine.dispose()


FULL = {
    "postgres": ["DO $$ BEGIN RAISE 'no space' USING ERRCODE = '53100'; END $$"],
    "mariadb": [
        f"SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}, MESSAGE_TEXT = 'no space'"
        for number in (1021, 1114)  # the disk, and what a table may take of it
    ],
}
"""Statements to which a server answers as it does where its disk is full."""


@ON_SERVERS
def test_a_server_whose_disk_is_full_is_an_outage(database, engine, make_store):
    """What a full disk keeps a server from is worth another try once there is room."""
    for statement in FULL[database.kind]:
        with (
            pytest.raises(DatabaseUnavailable, match="no space"),
            make_store(engine).begin() as connection,
        ):
            connection.exec_driver_sql(statement)


def look_on_a_lost_line(database, engine, store):
    """Begin a snapshot on a connection that the server has just cut."""
    with store.reading() as connection:
        number = session_of(connection, database)
        connection.rollback()
        end_session(engine, database, number)
        isolate(connection, "REPEATABLE READ")
        connection.exec_driver_sql("SELECT 1")


@ON_SERVERS
def test_a_line_that_is_lost_as_a_snapshot_begins_is_an_outage(database, engine, make_store):
    """Whatever the driver says at that moment, and past whom, it is told as what it is."""
    store = make_store(engine)

    with pytest.raises(DatabaseUnavailable):
        look_on_a_lost_line(database, engine, store)


def test_a_full_disk_loses_nothing(sqlite_engine, make_store, make_ledger, make_shop):
    """Where SQLite finds no room a parcel is refused by a sentence, and goes in once there is."""
    store, pages = make_store(sqlite_engine), {"most": 2**30}
    ledger, shop = make_ledger(store), make_shop(store)

    def limit(driver, *_):
        driver.execute(f"PRAGMA max_page_count = {pages['most']}").close()

    def opened(number):
        ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=f"{number}")
        return ledger.open(Opening(ref=ref, cod_amount=None, tracking_number=f"VN{number:0>100}"))

    listen(sqlite_engine, "checkout", limit)
    pages["most"] = 1  # which is as many as there are
    numbers = count()
    with pytest.raises(DatabaseUnavailable, match="database or disk is full"):
        deque(map(opened, numbers), maxlen=0)
    refused = next(numbers) - 1
    with store.reading() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM carrierflow_fulfillments")
        assert refused == rows.scalar()

    pages["most"] = 2**30
    assert f"{refused}" == opened(refused).ref.fulfillment_id


class DriverError(Exception):
    """What a driver raises, with the code that the database gave."""

    def __init__(self, code):
        super().__init__(code, "running with the --read-only option")
        self.sqlstate = code


def failing(engine, code):
    """Let each COMMIT fail with a code of the database."""

    def refuse(_):
        raise OperationalError("COMMIT", None, DriverError(code))

    listen(engine, "commit", refuse)


@ON_SERVERS
def test_a_commit_that_was_undone_for_another_writer_is_no_doubt(engine, make_store):
    """A COMMIT that lost against another writer certainly did not happen: it is done again."""
    store = make_store(engine)
    with store.begin():
        pass
    failing(engine, "40001")
    with pytest.raises(ConcurrentUpdate), store.begin() as connection:
        connection.exec_driver_sql("SELECT 1")


@ON_SERVERS
@pytest.mark.parametrize("code", ["25006", 1290, 1792, 1836])
def test_a_commit_that_a_standby_refused_is_no_doubt(engine, make_store, code):
    """A COMMIT to a server that takes no writes any more certainly did not happen."""
    store = make_store(engine)
    with store.begin():
        pass
    failing(engine, code)
    with pytest.raises(DatabaseUnavailable) as told, store.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert not isinstance(told.value, CommitUnknown)


@pytest.mark.parametrize("database", every_database(but=["postgres", "mariadb"]), indirect=True)
def test_a_file_that_cannot_be_written_is_no_doubt(engine, make_store):
    """A COMMIT of SQLite that reports a failure certainly did not happen."""
    store = make_store(engine)
    with store.begin():
        pass
    failing(engine, "disk I/O error")
    with pytest.raises(DatabaseUnavailable) as told, store.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
    assert not isinstance(told.value, CommitUnknown)
