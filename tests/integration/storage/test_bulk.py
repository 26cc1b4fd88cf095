"""Many rows at once: by whatever way they go, what stands there is the same."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from databases import every_database
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine

from carrierflow.domain.model import Event, Status
from carrierflow.errors import ConcurrentUpdate, DatabaseUnavailable
from carrierflow.storage.bulk import FEW, execute_many, insert_many
from carrierflow.storage.tables import evidence, files, fulfillments, history, shops


MOVE = update(files).where(files.c.row_count == bindparam("old")).values(row_count=bindparam("new"))
MORNING = datetime(2026, 3, 1, 1, tzinfo=UTC)
AWKWARD = ["\t", "\\N", "\\.", "a\\tb", "line\nbreak", "\r\n", '"', "'", "null", "é😀", "%s", ",{}"]
ON_POSTGRES = pytest.mark.parametrize(
    "database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_OWN_POSTGRES = pytest.mark.parametrize(
    "own_database", every_database(but=["sqlite", "mariadb"]), indirect=True
)
ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)


def rows_of(mark, names):
    """Return a row of `files` for each name."""
    return [
        {"digest": f"{mark}{n}", "name": name, "row_count": n, "recorded_at": MORNING}
        for n, name in enumerate(names)
    ]


def names_of(connection, mark):
    """Return the names that were written, in their order."""
    query = select(files.c.name).where(files.c.digest.startswith(mark))
    return connection.execute(query.order_by(files.c.row_count)).scalars().all()


@pytest.mark.parametrize("count", [0, 1, FEW, FEW + 1, 3 * FEW])
def test_texts_come_back_as_they_were(store, count):
    """Tabs, breaks, backslashes and quotes come back from few rows and from many."""
    mark = uuid.uuid4().hex[:16]
    names = [f"-{AWKWARD[n % len(AWKWARD)]}-" for n in range(count)]

    with store.begin() as connection:
        insert_many(connection, files, iter(rows_of(mark, names)))

    with store.reading() as connection:
        assert names == names_of(connection, mark)


def test_a_bulk_writes_what_one_by_one_writes(store, ledger, make_shop, make_parcel):
    """Accepted, late and refused events leave the same rows, told in bulk or one by one."""
    codes = [make_shop(store), make_shop(store)]
    alone, together = [_events([make_parcel(shop=code) for _ in range(FEW + 1)]) for code in codes]

    one_by_one = [str(ledger.record(event).verdict) for event in alone]
    in_bulk = [str(answer.verdict) for answer in ledger.record_many(together)]

    assert one_by_one == in_bulk == ["accepted", "accepted", "late", "refused"] * (FEW + 1)
    with store.reading() as connection:
        for table in (history, evidence):
            first, second = [_written(connection, table, code) for code in codes]
            assert len(first) > FEW
            assert first == second


def _events(parcels):
    """Return two steps of each parcel, one event that is too late, and one that cannot be."""
    told = [(Status.PICKING, 0), (Status.DELIVERING, 2), (Status.PICKING, 1), (Status.RETURN, 3)]
    return [
        Event(
            shop=parcel.ref.shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=status,
            occurred_at=MORNING + timedelta(hours=hours, seconds=number),
            reason=f"-{AWKWARD[number % len(AWKWARD)]}-",
        )
        for number, parcel in enumerate(parcels)
        for status, hours in told
    ]


def _written(connection, table, code):
    """Return what a table holds of a shop, but for what differs between any two parcels."""
    own = {"id", "shop", "fulfillment", "hash", "prev_hash"}
    columns = [column for column in table.c if column.name not in own]
    mine = select(shops.c.id).where(shops.c.code == code).scalar_subquery()
    query = (
        select(*columns)
        .join(fulfillments, fulfillments.c.id == table.c.fulfillment)
        .where(fulfillments.c.shop == mine)
        .order_by(fulfillments.c.id, table.c.occurred_at, *columns[:2])
    )
    return connection.execute(query).all()


@ON_POSTGRES
def test_a_host_that_is_asynchronous_may_send_many(database, store):
    """Many rows go into a connection that a host lends from within its event loop."""
    mark = uuid.uuid4().hex[:16]
    rows = rows_of(mark, "x" * 2 * FEW)
    engine = create_async_engine(database.url.replace("postgresql:", "postgresql+psycopg:"))

    async def host():
        async with engine.begin() as connection:
            await connection.run_sync(insert_many, files, rows)
        await engine.dispose()

    asyncio.run(host())

    with store.reading() as connection:
        assert len(rows) == len(names_of(connection, mark))


@ON_OWN_POSTGRES
def test_a_host_that_puts_schemas_into_statements_is_obeyed(own_database, make_engine):
    """Where a host has SQLAlchemy name another schema, many rows go there, as few do."""
    engine = make_engine(own_database)
    lent = engine.execution_options(schema_translate_map={None: "tenant"})
    with engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA tenant"))
        connection.execute(text("CREATE TABLE tenant.carrierflow_files (LIKE carrierflow_files)"))
    with lent.begin() as connection:
        insert_many(connection, files, rows_of("m", "x" * 2 * FEW))
        changed = execute_many(connection, MOVE, ({"new": n, "old": n} for n in range(2 * FEW)))

    assert 2 * FEW == changed
    with lent.connect() as tenant, engine.connect() as ours:
        assert [2 * FEW, 0] == [len(names_of(each, "m")) for each in (tenant, ours)]


@ON_OWN_POSTGRES
def test_many_rows_are_taken_under_row_level_security(own_database, make_engine):
    """A table whose rows a policy guards takes many rows, though it would take no `COPY`."""
    engine = make_engine(own_database)
    with engine.begin() as connection:
        for statement in (
            "ALTER TABLE carrierflow_files ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY anything ON carrierflow_files USING (true) WITH CHECK (true)",
            "GRANT SELECT, INSERT ON carrierflow_files TO pg_monitor",
            "SET LOCAL ROLE pg_monitor",
        ):
            connection.execute(text(statement))
        insert_many(connection, files, rows_of("m", "x" * 2 * FEW))

        assert 2 * FEW == len(names_of(connection, "m"))


@ON_SERVERS
def test_a_row_of_many_that_is_there_already_is_a_conflict(store):
    """Where another writer came first with one of many rows, the same may be done again."""
    mark = uuid.uuid4().hex[:16]
    rows = rows_of(mark, "x" * 2 * FEW)
    with store.begin() as connection:
        insert_many(connection, files, rows[-1:])

    with pytest.raises(ConcurrentUpdate), store.begin() as connection:
        insert_many(connection, files, rows)

    with store.reading() as connection:
        assert ["x"] == names_of(connection, mark)


@ON_POSTGRES
def test_a_connection_that_is_lost_amid_many_rows_is_an_outage(store):
    """A server that goes away amid many rows has none of them, and the next ones are taken."""
    mark = uuid.uuid4().hex[:16]
    rows = rows_of(mark, "x" * 2 * FEW)

    def interrupted(connection):
        ours = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        yield from rows[:-1]
        with store.begin() as other:
            other.execute(text("SELECT pg_terminate_backend(:ours, 5000)"), {"ours": ours})
        yield rows[-1]

    with pytest.raises(DatabaseUnavailable), store.begin() as connection:
        insert_many(connection, files, interrupted(connection))

    with store.begin() as connection:
        assert [] == names_of(connection, mark)
        insert_many(connection, files, rows)
    with store.reading() as connection:
        assert len(rows) == len(names_of(connection, mark))
