from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from carrierflow.storage.hinted import SqlHintStore
from carrierflow.storage.tables import fulfillments, shops


PLATFORM = "elsewhere"


@pytest.fixture
def hints(store, shop, make_parcel):
    """A store of hints, and two parcels at a shop of its platform that is not due for long."""
    make_parcel(order_id="71")
    make_parcel(order_id="72")
    put(store, shop, platform=PLATFORM)
    return SqlHintStore(store, platform=PLATFORM)


def put(store, shop, **values):
    """Write something about a shop."""
    store.transact(lambda c: c.execute(update(shops).where(shops.c.code == shop).values(**values)))


def hinted(store, shop):
    """Return the orders that were hinted at, and when."""
    f = fulfillments.c
    query = select(f.order_id, f.hinted_at).join(shops).where(shops.c.code == shop)
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return {row.order_id: row.hinted_at for row in rows if row.hinted_at is not None}


def test_a_hint_marks_the_parcels_of_its_order_and_their_shop(hints, store, shop, clock):
    """Nothing else is marked, and the later of two hints counts."""
    put(store, shop, next_due=clock() + timedelta(days=1))

    hints.hint(shop, "71", now=clock() - timedelta(hours=1))
    hints.hint(shop, "71", now=clock())

    assert {"71": clock()} == hinted(store, shop)
    with store.reading() as connection:
        due = connection.execute(select(shops.c.next_due).where(shops.c.code == shop)).scalar()
    assert clock() - timedelta(hours=1) == due


@pytest.mark.parametrize(
    "values", [{"platform": "another"}, {"state": "revoked"}], ids=["another platform", "revoked"]
)
def test_a_hint_marks_nothing_where_the_platform_has_no_such_shop(
    hints, store, shop, clock, values
):
    """A shop of another platform, or one that is not connected any more, is left alone."""
    put(store, shop, **values)

    hints.hint(shop, "71", now=clock())
    hints.hint("nobody", "71", now=clock())
    hints.hint(shop, "999", now=clock())

    assert {} == hinted(store, shop)
