"""Statements that go past SQLAlchemy: what is written, seen and raised is as if they did not."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from carrierflow.domain.model import Event, Opening, Status
from carrierflow.storage.direct import fetch_all, write_few
from carrierflow.storage.queries import find_parcel
from carrierflow.storage.tables import evidence, history, shops

from .plans import statements


ROAD = (Status.PICKING, Status.DELIVERED, Status.DELIVERING, Status.PICKING, Status.RETURN)
"""Accepted, refused until the next makes it legal, late, and refused for good."""

WRITTEN = [history.c[name] for name in ("machine", "seq", "to_status", "source", "occurred_at")]


def walked(ledger, parcel, road=ROAD):
    """Record a road, scan by scan, and return what became of each."""
    ref = parcel.ref
    events = [
        Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=status) for status in road
    ]
    return [ledger.record(event).verdict for event in events]


def rows_of(engine, parcel):
    """Return the steps and the evidence of a parcel."""
    steps = select(*WRITTEN).where(history.c.fulfillment == parcel.id).order_by(*WRITTEN)
    kept = select(evidence.c.verdict, evidence.c.status).where(evidence.c.fulfillment == parcel.id)
    with engine.connect() as connection:
        return connection.execute(steps).all(), sorted(map(tuple, connection.execute(kept)))


def test_a_scan_leaves_the_same_rows_heard_or_not(ledger, engine, make_parcel):
    """Core and the short way give the same verdicts and write the same rows."""
    alone, heard = make_parcel(), make_parcel()

    verdicts = walked(ledger, alone)
    with statements(engine):
        assert verdicts == walked(ledger, heard)

    assert rows_of(engine, alone) == rows_of(engine, heard)


def test_values_that_stand_in_a_statement_are_handed_over(store, shop):
    """Beside those of the row, in a query and in what writes."""
    s = shops.c
    write = update(shops).where(s.code == bindparam("this"), s.fence >= 0).values(unanswered=7)
    read = select(s.unanswered).where(s.code == bindparam("this"), s.unanswered == 7)

    with store.begin() as connection:
        assert 1 == write_few(connection, write, [{"this": shop}])
        assert [(7,)] == fetch_all(connection, read, {"this": shop})


def test_whoever_listens_sees_each_statement(ledger, engine, make_parcel):
    """A host's tracing misses nothing: the parcel and its past are asked for where it looks."""
    parcel = make_parcel()
    with statements(engine) as seen:
        walked(ledger, parcel)

    asked = " ".join(statement for statement, _ in seen)
    assert "carrierflow_fulfillments" in asked
    assert "carrierflow_evidence" in asked


@pytest.fixture
def long_way(monkeypatch):
    """The statements that went through Core."""
    seen: list[str] = []
    execute = Connection.execute

    def told(self, statement, *args, **named):
        seen.append(str(statement))
        return execute(self, statement, *args, **named)

    monkeypatch.setattr(Connection, "execute", told)
    return seen


def test_one_scan_asks_nothing_of_core(ledger, make_parcel, long_way):
    """Nothing of a scan goes the long way, where nobody listens."""
    parcel = make_parcel()
    long_way.clear()

    walked(ledger, parcel, ROAD[:1])

    assert [] == long_way


def test_an_opening_asks_nothing_of_core_and_returns_what_stands_there(
    store, ledger, make_parcel, shop, long_way
):
    """What an opening returns is what is read afterwards, whoever made the row."""
    opened = make_parcel(cod_amount=7, tracking_number=f"VN-{shop}")
    again = ledger.open(Opening(ref=opened.ref, cod_amount=7))
    assert [] == long_way

    with store.begin() as connection:
        assert opened == again == find_parcel(connection, shop, opened.ref.fulfillment_id)


def test_an_error_is_what_core_would_raise(store, engine, shop):
    """What the driver refuses is SQLAlchemy's error, and the transaction can be taken back."""
    with engine.connect() as connection:
        row = connection.execute(select(shops).where(shops.c.code == shop)).mappings().one()
        with pytest.raises(IntegrityError):
            write_few(connection, insert(shops), [dict(row)])
        connection.rollback()
        assert [(shop,)] == fetch_all(
            connection, select(shops.c.code).where(shops.c.id == row["id"]), {}
        )
