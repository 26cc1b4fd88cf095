"""An asynchronous host records in its own session, from within `run_sync`."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest
from asgi import serving
from fastapi import FastAPI
from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from carrierflow import Event, FulfillmentRef, Opening, Status, build, generate_key, load_settings
from carrierflow.errors import ConcurrentUpdate, InvalidInput, UnknownFulfillment
from carrierflow.storage.tables import history


DRIVERS = {
    "sqlite": ["sqlite+aiosqlite"],
    "postgres": ["postgresql+psycopg", "postgresql+asyncpg"],
}
EACH = [
    pytest.param(kind, driver, marks=[pytest.mark.servers] if kind != "sqlite" else [])
    for kind, drivers in DRIVERS.items()
    for driver in drivers
]
AT_ONCE = 50

payslips = Table("host_payslips", MetaData(), Column("id", Integer, primary_key=True))


@pytest.fixture
def app(own_database):
    """The host's application of ours, with a shop, on a database that the host has tables in."""
    url, key = own_database.url, generate_key()
    made = build(load_settings(database_url=url, secret_key=key, database_lock_timeout=60))
    made.shops.add("myshop", token="t", base_url="http://127.0.0.1:9")
    payslips.metadata.create_all(made.store.engine)
    yield made
    made.store.engine.dispose()


@asynccontextmanager
async def sessions(app, driver):
    """Make the host's own sessions, by an asynchronous driver."""
    url = make_url(app.settings.database_url).set(drivername=driver)
    engine = create_async_engine(url)
    yield async_sessionmaker(engine)
    await engine.dispose()


def opening(number="1"):
    ref = FulfillmentRef(shop="myshop", order_id="1", fulfillment_id=number)
    return Opening(ref=ref, cod_amount=5)


def event(status=Status.PICKING, number="1"):
    return Event(shop="myshop", fulfillment_id=number, status=status)


async def recorded(app, session, number="1"):
    """Record inside the host's session, beside a row of the host's own."""
    await session.run_sync(lambda s: app.joined(s).open(opening(number)))
    await session.execute(insert(payslips))
    return await session.run_sync(lambda s: app.joined(s).record(event(number=number)))


def standing(app):
    """Count the host's rows and our entries, as others see them."""
    with app.store.reading() as connection:
        return tuple(
            connection.scalar(select(func.count()).select_from(table))
            for table in (payslips, history)
        )


async def commit(app, driver):
    async with sessions(app, driver) as make, make() as session:
        answer = await recorded(app, session)
        await session.commit()
        return answer


async def roll_back(app, driver):
    async with sessions(app, driver) as make, make() as session:
        answer = await recorded(app, session)
        await session.rollback()
        return answer


async def go_back_to_a_savepoint(app, driver):
    async with sessions(app, driver) as make, make() as session:
        answer = await recorded(app, session)
        async with session.begin_nested() as savepoint:
            await recorded(app, session, "2")
            await savepoint.rollback()
        await session.commit()
        return answer


async def go_on_after_an_error(app, driver):
    async with sessions(app, driver) as make, make() as session:
        with pytest.raises(UnknownFulfillment):
            await session.run_sync(lambda s: app.joined(s).record(event(number="none")))
        answer = await recorded(app, session)
        await session.commit()
        return answer


@pytest.mark.parametrize(("own_database", "driver"), EACH, indirect=["own_database"])
@pytest.mark.parametrize(
    ("work", "left"),
    [
        (commit, (1, 3)),
        (roll_back, (0, 0)),
        (go_back_to_a_savepoint, (1, 3)),
        (go_on_after_an_error, (1, 3)),
    ],
)
def test_what_is_recorded_goes_the_way_of_the_host_s_transaction(app, driver, work, left):
    """Committed, rolled back, or back to a savepoint: the entries go with the host's own rows."""
    answer = asyncio.run(work(app, driver))

    assert "accepted" == answer.verdict
    assert left == standing(app)
    assert () == app.verifier.verify().problems


@pytest.mark.parametrize(("own_database", "driver"), EACH, indirect=["own_database"])
def test_many_events_at_once(app, driver):
    """Forty parcels in one session are as sound as any others, whatever its driver counts."""

    async def work():
        async with sessions(app, driver) as make, make() as session:
            numbers = [f"{number}" for number in range(40)]

            def record(lent):
                ledger = app.joined(lent)
                for number in numbers:
                    ledger.open(opening(number))
                return list(ledger.record_many([event(number=number) for number in numbers]))

            answers = await session.run_sync(record)
            await session.commit()
            return answers

    assert ["accepted"] * 40 == [answer.verdict for answer in asyncio.run(work())]
    found = app.verifier.verify()
    assert ((), 40, 120) == (found.problems, found.fulfillments, found.rows)


@pytest.mark.slow
@pytest.mark.parametrize(("own_database", "driver"), EACH, indirect=["own_database"])
def test_fifty_requests_at_once(app, driver):
    """FastAPI answers fifty requests at once, each with a transaction of its own, and all verify.

    Every fifth one fails, and leaves neither its entries nor its row.
    """
    made = {}

    @asynccontextmanager
    async def lifespan(_api):
        async with sessions(app, driver) as make:
            made["session"] = make
            yield

    api = FastAPI(lifespan=lifespan)

    @api.post("/scans/{number}")
    async def scan(number: int):
        async with made["session"].begin() as session:
            answer = await recorded(app, session, f"{number}")
            if number % 5 == 0:
                raise ZeroDivisionError
        return {"verdict": answer.verdict}

    async def all_of_them(url):
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            return await asyncio.gather(
                *(client.post(f"/scans/{number}") for number in range(AT_ONCE))
            )

    with serving(api) as url:
        replies = asyncio.run(all_of_them(url))

    kept = AT_ONCE - AT_ONCE // 5
    assert kept == sum(reply.status_code == 200 for reply in replies)
    assert (kept, 3 * kept) == standing(app)
    assert () == app.verifier.verify().problems


@pytest.mark.parametrize(("own_database", "driver"), EACH[1:], indirect=["own_database"])
def test_another_writer_is_told_from_other_failures(app, driver):
    """Where somebody else changed the parcel meanwhile, the host may do all of it again."""
    app.ledger.open(opening())

    async def work():
        async with sessions(app, driver) as make, make() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            await session.execute(select(func.count()).select_from(history))
            app.ledger.record(event())
            with pytest.raises(ConcurrentUpdate):
                await session.run_sync(lambda s: app.joined(s).record(event(Status.DELIVERING)))

    asyncio.run(work())


@pytest.mark.parametrize(("own_database", "driver"), EACH[-1:], indirect=["own_database"])
def test_whoever_forgets_run_sync_is_told(app, driver):
    """The session that an asynchronous one holds inside is no way around, and says how to go."""

    async def work():
        async with sessions(app, driver) as make, make() as session:
            with pytest.raises(InvalidInput, match=r"await session.run_sync\("):
                app.joined(session)
            await session.execute(select(1))
            with pytest.raises(InvalidInput, match=r"await session.run_sync\("):
                app.joined(session.sync_session).open(opening())

    asyncio.run(work())
    assert (0, 0) == standing(app)
