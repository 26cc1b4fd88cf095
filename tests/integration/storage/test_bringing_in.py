"""A database of before is brought to the rows that an auditor relies on; history stays."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text

from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.storage import upgrade
from carrierflow.storage.migrate import VERSION_TABLE
from carrierflow.storage.tables import fulfillments, history, terms


BEFORE = "r0011"
ADDED = (terms,)
"""Tables that the version before had not got."""


@pytest.fixture
def old(own_database, make_engine, make_store, make_ledger, make_shop, clock):
    """A database of the version before, with three parcels of a shop."""
    engine = make_engine(own_database)
    store = make_store(engine)
    ledger, shop = make_ledger(store), make_shop(store)
    for name in ("a", "b", "c"):
        ref = FulfillmentRef(shop=shop, order_id="1", fulfillment_id=name)
        ledger.open(Opening(ref=ref, cod_amount=7, tracking_number=f"VN-{name}"))
        ledger.record(Event(shop=shop, fulfillment_id=name, status=Status.PICKING))
        clock.advance(hours=1)
    with engine.begin() as connection:
        for table in reversed(ADDED):
            connection.execute(text(f"DROP TABLE {table.name}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{BEFORE}'"))
    return engine


def rows_of(engine, table):
    """Read a table."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.c[:3]))]


def upgraded(engine):
    """Upgrade; on MariaDB twice, for there a step that was killed is done again."""
    upgrade(engine)
    if engine.dialect.name in {"mysql", "mariadb"}:
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{BEFORE}'"))
        upgrade(engine)


def test_an_upgrade_brings_in_what_was_agreed(old):
    """Each parcel with a history gets its terms, marked as an upgrade's."""
    before = rows_of(old, history)

    upgraded(old)

    query = select(
        fulfillments.c.fulfillment_id,
        *(terms.c[name] for name in ("number", "tracking_number", "cod_amount", "carrier_code")),
        *(terms.c[name] for name in ("source", "actor", "reason")),
    ).join_from(terms, fulfillments, fulfillments.c.id == terms.c.fulfillment)
    with old.connect() as connection:
        found = sorted(tuple(row) for row in connection.execute(query))
    assert [
        (name, 0, f"VN-{name}", 7, "carrier", "upgrade", None, None) for name in ("a", "b", "c")
    ] == found
    assert before == rows_of(old, history)
