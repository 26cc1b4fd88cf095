from __future__ import annotations

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy import event as events
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from carrierflow.app.joined import JoinedLedger
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle, define
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import (
    CarrierflowError,
    ConcurrentUpdate,
    DatabaseUnavailable,
    InvalidInput,
    UnknownFulfillment,
)
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import JoinedStore
from carrierflow.storage.tables import fulfillments, history, shops


@pytest.fixture(params=["connection", "session"])
def host(request, engine, shop):
    """A connection or session of the host's own, which counts what was done to it."""
    with engine.connect() if request.param == "connection" else Session(engine) as lent:
        done = []
        for name in ("commit", "rollback"):
            events.listen(engine, name, lambda _, word=name: done.append(word))
        lent.info["done"] = done
        yield lent


@pytest.fixture
def joined(host, ledger, clock):
    """A ledger that joins the host's transaction."""
    return JoinedLedger(ledger, JoinedStore(host, DEFAULT, clock=clock))


@pytest.fixture
def use(joined, shop, clock):
    """Open a parcel and record, amend and record many, all in the host's transaction."""
    mine = {"shop": shop, "fulfillment_id": "1"}

    def work():
        ref = FulfillmentRef(order_id="1", **mine)
        joined.open(Opening(ref=ref, cod_amount=5, tracking_number=f"VN-{shop}"))
        joined.record(Event(status=Status.PICKING, **mine))
        list(joined.record_many([Event(status=Status.DELIVERING, **mine)], chunk=1))
        clock.advance(minutes=1)
        joined.amend(Event(status=Status.PICKING, actor="a", reason="r", **mine))

    return work


@pytest.fixture
def count(engine, store):
    """Count the entries of the shop that others can see."""

    def read(shop):
        number = store.shop(shop).id
        mine = select(fulfillments.c.id).where(fulfillments.c.shop == number)
        with engine.connect() as connection:
            query = select(func.count()).where(history.c.fulfillment.in_(mine))
            return connection.execute(query).scalar()

    return read


def test_a_host_that_rolls_back_leaves_nothing(host, use, count, shop):
    """What was recorded in a host's transaction is gone if the host takes it back."""
    use()

    assert [] == host.info["done"]
    host.rollback()
    assert 0 == count(shop)


def test_a_host_reads_what_it_has_just_written(host, use, joined, shop):
    """Inside the transaction a parcel stands where the host brought it; without it, nowhere."""
    use()
    ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")

    assert "picking" == joined.fulfillment(ref).delivery.status
    entered = {entry.to_status for entry in joined.timeline(ref).entries}
    assert {"readytopick", "codpending", "picking", "delivering"} == entered
    assert [ref] == [parcel.ref for parcel in joined.find(tracking_number=f"VN-{shop}")]
    host.rollback()
    with pytest.raises(UnknownFulfillment):
        joined.fulfillment(ref)
    with pytest.raises(UnknownFulfillment):
        joined.timeline(ref)
    assert [] == joined.find(tracking_number=f"VN-{shop}")


def test_a_parcel_of_another_order_is_not_the_one_that_is_asked_for(use, joined, shop):
    """A name that is wrong in any part names nothing."""
    use()

    with pytest.raises(UnknownFulfillment):
        joined.fulfillment(FulfillmentRef(shop=shop, order_id="2", fulfillment_id="1"))


def test_a_host_that_commits_keeps_all(host, use, count, shop):
    """What was recorded in a host's transaction is there once the host commits, not before."""
    use()

    assert [] == host.info["done"]
    host.commit()
    assert ["commit"] == host.info["done"]
    assert 5 == count(shop)


def test_the_hosts_transaction_stays_open(host, use):
    """Nothing of the host's is closed: it goes on in the same transaction."""
    use()

    assert host.in_transaction()
    assert 1 == host.execute(select(1)).scalar()
    host.rollback()


def test_an_error_leaves_the_host_its_choice(host, joined, use, count, shop):
    """After an error of ours the host may still commit what was recorded before it."""
    use()
    with pytest.raises(CarrierflowError):
        joined.record(Event(shop=shop, fulfillment_id="none", status=Status.PICKING))

    host.commit()
    assert 5 == count(shop)


def test_a_savepoint_of_the_hosts_is_obeyed(host, joined, use, count, shop):
    """What was recorded inside a host's savepoint goes with that savepoint."""
    use()
    savepoint = host.begin_nested()
    joined.record(Event(shop=shop, fulfillment_id="1", status=Status.CANCEL))
    savepoint.rollback()

    host.commit()
    assert 5 == count(shop)


def test_a_lifecycle_that_was_rolled_back_is_written_again(database, make_engine, shop, clock):
    """A store that goes on after its host's rollback does not trust what it wrote before."""
    definition = define(["refused"], paid_on_delivery=False)
    engine = make_engine(database)
    with engine.connect() as host:
        store = JoinedStore(host, definition, clock=clock)
        ledger = Ledger(store, Lifecycle(definition), clock=clock)
        for end in (host.rollback, host.commit):
            ledger.open(Opening(ref=FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1")))
            end()


def unreadable_at(engine, table):
    """Let each statement that writes a table fail, as a full disk would."""

    def refuse(_connection, _cursor, statement, _parameters, _context, _many):
        if f"INTO {table}" in statement:
            raise OperationalError(statement, None, Exception("the disk is full"))

    events.listen(engine, "before_cursor_execute", refuse)


def test_an_error_amid_a_recording_leaves_nothing_of_it(host, joined, use, count, shop, engine):
    """A recording that fails halfway, its head written, leaves no half to a host that goes on."""
    use()
    before = head_of(host, shop)
    unreadable_at(engine, history.name)
    with pytest.raises(DatabaseUnavailable):
        joined.record(Event(shop=shop, fulfillment_id="1", status=Status.DELIVERING))

    assert before == head_of(host, shop)
    host.commit()
    assert 5 == count(shop)


def head_of(host, code):
    """Return the heads of a shop's parcels as the host sees them."""
    mine = select(shops.c.id).where(shops.c.code == code).scalar_subquery()
    return host.execute(select(fulfillments).where(fulfillments.c.shop == mine)).all()


def test_a_plain_engine_of_the_hosts_can_still_roll_back(sqlite_database, sqlite_shop, clock):
    """A host whose driver begins no transaction before it must takes everything back all the same.

    A savepoint that is no part of a transaction would be committed when we are done.
    """
    plain = create_engine(sqlite_database.url)
    ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id="1")
    with plain.connect() as host:
        for end in (host.rollback, host.commit):
            ledger = Ledger(
                JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock
            )
            ledger.open(Opening(ref=ref))
            assert 1 == len(head_of(host, sqlite_shop))
            end()
            with plain.connect() as other:
                assert (end == host.commit) == bool(head_of(other, sqlite_shop))
    plain.dispose()


def test_a_connection_without_a_transaction_is_refused(engine, shop, clock):
    """A connection in AUTOCOMMIT is refused before anything is written: nobody could roll back."""
    mine = Opening(ref=FulfillmentRef(shop=shop, order_id="1", fulfillment_id="1"))
    by_engine = engine.execution_options(isolation_level="AUTOCOMMIT").connect()
    by_itself = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    for host in (by_engine, by_itself):
        ledger = Ledger(JoinedStore(host, DEFAULT, clock=clock), Lifecycle(DEFAULT), clock=clock)
        with host, pytest.raises(InvalidInput, match="no transaction to join"):
            ledger.open(mine)
        with engine.connect() as other:
            assert [] == head_of(other, shop)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_meeting_another_writer_is_the_hosts_affair(engine, ledger, make_parcel, shop, clock):
    """Where a parcel changed behind a host's back, the host is told, and nothing is written."""
    parcel = make_parcel()
    stale = JoinedStore.__new__(JoinedStore)
    mine = {"shop": shop, "fulfillment_id": parcel.ref.fulfillment_id}

    with engine.connect() as host:
        stale.__init__(host, DEFAULT, clock=clock)

        def work(tx):
            found = tx.parcels(shop, [parcel.ref.fulfillment_id])
            host.execute(fulfillments.update().values(version=99))
            joined = Ledger(Given(tx, found), Lifecycle(DEFAULT), clock=clock)
            return joined.record(Event(status=Status.PICKING, **mine))

        with pytest.raises(ConcurrentUpdate):
            stale.run(work)
        host.rollback()
    assert "accepted" == ledger.record(Event(status=Status.PICKING, **mine)).verdict


class Given:
    """A store whose transaction has read its parcels already."""

    def __init__(self, tx, found):
        self.tx = tx
        self.found = found

    def run(self, work):
        """Do some work on what was read before."""
        return work(self)

    def parcels(self, _shop, _ids):
        """Return what was read before."""
        return self.found

    def __getattr__(self, name):
        return getattr(self.tx, name)
