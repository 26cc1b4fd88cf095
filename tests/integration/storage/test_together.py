from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from databases import every_database
from sqlalchemy import func, select
from sqlalchemy.event import listen

from carrierflow.domain import clock as clocks
from carrierflow.domain.lifecycle import define
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status, Verdict
from carrierflow.storage.tables import definitions, evidence, fulfillments, history


THREADS = 4
WORDS = ("picking", "delivering", "notmeetcustomer", "delivering", "delivered", "codreceipt")


@pytest.fixture
def at_once():
    """Do the same work in several threads that begin together, and return what each gave."""

    def run(work):
        gate = threading.Barrier(THREADS)

        def one(number):
            gate.wait()
            return work(number)

        with ThreadPoolExecutor(THREADS) as queue:
            return list(queue.map(one, range(THREADS)))

    return run


@pytest.fixture
def writers(database, make_engine, make_store, make_ledger):
    """Ledgers with engines of their own, as processes have them."""
    return [
        make_ledger(make_store(make_engine(database), sleep=clocks.sleep)) for _ in range(THREADS)
    ]


def happenings(shop, ids, clock):
    """Return the events of some parcels: those of each in order, the parcels interleaved."""
    return [
        Event(
            shop=shop,
            fulfillment_id=one,
            status=Status(word),
            occurred_at=clock() - timedelta(minutes=30 - number),
            key=f"{one}-{number}",
        )
        for number, word in enumerate(WORDS)
        for one in ids
    ]


def totals(engine, ids):
    """Count entries and evidence, and return where parcels stand."""
    mine = select(fulfillments.c.id).where(fulfillments.c.id.in_(ids))
    with engine.connect() as connection:
        query = select(func.count()).where(history.c.fulfillment.in_(mine))
        told = select(func.count()).where(evidence.c.fulfillment.in_(mine))
        heads = select(fulfillments.c.delivery_status, fulfillments.c.cod_status).where(
            fulfillments.c.id.in_(ids)
        )
        places = {tuple(row) for row in connection.execute(heads)}
        return connection.execute(query).scalar(), connection.execute(told).scalar(), places


@pytest.mark.parametrize("way", ["one by one", "in bulk", "in bulk, the other way round"])
def test_the_same_events_from_several_writers_are_one(
    engine, writers, at_once, make_parcel, shop, clock, way
):
    """Several writers that record the same keyed events double nothing and fail nowhere."""
    parcels = [make_parcel(cod_amount=5) for _ in range(4)]
    rows = happenings(shop, [p.ref.fulfillment_id for p in parcels], clock)

    def work(number):
        turned = way.endswith("round") and number % 2
        mine = rows[::-1] if turned else rows
        if way == "one by one":
            return [writers[number].record(event) for event in mine]
        return list(writers[number].record_many(mine, chunk=7))

    answers = [answer for each in at_once(work) for answer in each]

    entries, kept, places = totals(engine, [p.id for p in parcels])
    assert THREADS * len(rows) == len(answers)
    assert (THREADS - 1) * len(rows) == sum(a.verdict is Verdict.DUPLICATE for a in answers)
    assert {("delivered", "codreceipt")} == places
    if not way.endswith("round"):
        assert (4 * (2 + len(WORDS) + 1), 0) == (entries, kept)


def test_the_same_parcels_opened_by_several_writers_are_one(engine, writers, at_once, shop, clock):
    """Several writers that open the same parcels with their first events open each once."""
    ids = [f"n{number}" for number in range(10)]
    rows = [
        Event(
            shop=shop,
            fulfillment_id=one,
            status=Status.PICKING,
            occurred_at=clock(),
            opening=Opening(ref=FulfillmentRef(shop=shop, order_id="1", fulfillment_id=one)),
        )
        for one in ids
    ]

    def work(number):
        mine = rows if number % 2 else rows[::-1]
        return [str(answer.verdict) for answer in writers[number].record_many(mine)]

    answers = [word for each in at_once(work) for word in each]

    assert {"accepted": 10, "duplicate": 30} == {w: answers.count(w) for w in set(answers)}
    with engine.connect() as connection:
        query = select(func.count()).where(fulfillments.c.fulfillment_id.in_(ids))
        written_once = query.where(fulfillments.c.version == 1)
        assert 10 <= connection.execute(written_once).scalar()


@pytest.mark.parametrize("way", ["open", "record", "record many"])
def test_a_parcel_that_another_writer_took_back_is_begun_again(
    own_database, make_engine, make_store, make_ledger, make_shop, way
):
    """A row that is gone in the moment when it was begun is begun again, and not unknown."""
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    begun = []

    def take_back(connection, _cursor, statement, *_):
        if statement.startswith(f"INSERT INTO {fulfillments.name}"):
            begun.append(statement)
            if len(begun) == 1:
                connection.execute(fulfillments.delete())

    listen(engine, "after_cursor_execute", take_back)
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")
    opening = Opening(ref=ref)
    event = Event(shop=shop, fulfillment_id="1", status=Status.PICKING, opening=opening)

    if way == "open":
        assert ref == ledger.open(opening).ref
    else:
        answers = [ledger.record(event)] if way == "record" else list(ledger.record_many([event]))
        assert ["accepted"] == [str(answer.verdict) for answer in answers]
    assert 2 == len(begun)


def test_several_first_users_of_a_lifecycle_write_it_once(
    own_database, make_engine, make_store, at_once
):
    """Programs that begin at once with a lifecycle that the database has not, all succeed."""
    definition = define(["refused"])
    stores = [
        make_store(make_engine(own_database), definition, sleep=clocks.sleep)
        for _ in range(THREADS)
    ]

    def work(number):
        with stores[number].reading() as connection:
            return connection.execute(select(definitions.c.number)).scalars().all()

    assert [[1]] * THREADS == at_once(work)


@pytest.mark.parametrize("own_database", every_database(but=["sqlite"]), indirect=True)
def test_a_lifecycle_that_another_writes_meanwhile_is_taken_over(
    own_database, make_engine, make_store, clock
):
    """A program that finds its lifecycle written by another at the last moment uses that."""
    first, second = (make_store(make_engine(own_database)) for _ in range(2))
    calls = []

    def overtaken():
        calls.append(1)
        if len(calls) == 1:
            with second.begin():
                pass
        return clock()

    first._clock = overtaken

    with first.begin() as connection:
        assert [1] == connection.execute(select(definitions.c.number)).scalars().all()
    assert [1] == calls


@pytest.mark.parametrize("database", every_database(but=["sqlite", "postgres"]), indirect=True)
def test_waiting_for_a_lock_in_vain_is_tried_again(
    database, make_engine, make_store, make_ledger, make_parcel, shop, engine
):
    """On MariaDB a lock that another writer holds too long is a reason to try again."""
    parcel = make_parcel()
    hasty = make_engine(database)
    listen(hasty, "connect", lambda driver, _: driver.query("SET innodb_lock_wait_timeout = 0"))
    row = select(fulfillments.c.id).where(fulfillments.c.id == parcel.id).with_for_update()
    with engine.connect() as holder:
        holder.execute(row)
        ledger = make_ledger(make_store(hasty, sleep=lambda _: holder.rollback()))

        answer = ledger.record(
            Event(shop=shop, fulfillment_id=parcel.ref.fulfillment_id, status=Status.PICKING)
        )
    assert "accepted" == answer.verdict
