"""A server that becomes a standby under the work of a carrier, and is the primary again later."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
from databases import Database, every_database
from sqlalchemy import text
from sqlalchemy.engine import make_url

from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.errors import CommitUnknown, DatabaseUnavailable
from carrierflow.storage import upgrade

from .servers import PRIVATE


@pytest.fixture(params=every_database(but=["sqlite", "postgres"]))
def server(request):
    with PRIVATE[request.param]() as started:
        yield started


@contextmanager
def owner_of(server):
    """Connect as who may do anything; a standby takes even writes from there."""
    engine = server.database.build()
    with engine.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
    engine.dispose()


@pytest.fixture
def clerk(server):
    """The database as somebody who has no rights over the server."""
    engine = server.database.build()
    upgrade(engine)
    engine.dispose()
    with owner_of(server) as owner:
        owner.execute(text("CREATE USER clerk@localhost"))
        owner.execute(text("GRANT ALL ON test.* TO clerk@localhost"))
    url = make_url(server.database.url).set(username="clerk")
    return Database(server.kind, url.render_as_string(hide_password=False))


@pytest.mark.slow
def test_a_primary_that_becomes_a_standby_is_an_outage(
    server, clerk, make_engine, make_store, make_ledger, make_shop
):
    """What a standby does not take is told to come later, without a doubt, and is taken later."""
    store = make_store(make_engine(clerk))
    ledger, shop = make_ledger(store), make_shop(store)
    openings = [
        Opening(ref=FulfillmentRef(shop=shop, order_id=number, fulfillment_id=number))
        for number in "12"
    ]
    with owner_of(server) as owner:
        with pytest.raises(DatabaseUnavailable) as told:
            _overtaken(store, owner)
        assert not isinstance(told.value, CommitUnknown)
        assert 0 == owner.execute(text("SELECT fence FROM test.carrierflow_shops")).scalar()
        with pytest.raises(DatabaseUnavailable, match="read-only"):
            ledger.open(openings[0])
        owner.execute(text("SET GLOBAL read_only = 0"))

    assert ["1", "2"] == [ledger.open(opening).ref.order_id for opening in openings]


def _overtaken(store, owner):
    """Write something whose server becomes a standby before it is committed."""
    with store.begin() as connection:
        connection.execute(text("UPDATE carrierflow_shops SET fence = 7"))
        owner.execute(text("SET GLOBAL read_only = 1"))
