"""How many connections a process keeps at a database server is a setting, and few are enough."""

from __future__ import annotations

import pytest
from carrier import carrying
from databases import every_database

from carrierflow import Status, build, load_settings
from carrierflow.errors import ConfigurationError, DatabaseUnavailable


ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)


@ON_SERVERS
@pytest.mark.parametrize("size", [1, 3])
def test_a_process_opens_as_many_connections_as_are_set(database, size):
    """Not one more, however many transactions are open: whoever needs another waits for it."""
    settings = load_settings(
        database_url=database.url, database_pool_size=size, database_pool_timeout=0.1
    )
    with build(settings) as app:
        pool = app.store.engine.pool
        open_ones = [app.store.engine.connect() for _ in range(size)]
        with pytest.raises(DatabaseUnavailable, match="connections are in use"):
            app.shops.all()
        for connection in open_ones:
            connection.close()

        app.shops.all()
        assert (size, 0) == (pool.checkedin(), pool.checkedout())


@pytest.mark.parametrize("size", [0, 101])
def test_a_pool_that_cannot_be_meant_is_refused(size):
    """None at all, or more than a server is likely to give, is a slip."""
    with pytest.raises(ConfigurationError, match="database_pool_size"):
        load_settings(database_pool_size=size)


def test_the_work_of_a_carrier_needs_one_connection_and_an_audit_two(own_database):
    """Recording, runs of several shops at once, sealing: none holds two at a time."""
    settings = {"database_pool_size": 1, "database_pool_timeout": 5, "parallel_shops": 2}
    with carrying(own_database.url, **settings) as carrier:
        carrier.connect("alpha", "beta")
        parcels = [
            carrier.parcel(shop, walk=(Status.PICKING, Status.DELIVERING))
            for shop in ("alpha", "beta")
        ]

        reports = carrier.app.reconcile(wait=True)

        assert ["done", "done"] == [report.end_reason for report in reports]
        assert all(map(carrier.agrees, parcels))
        assert 2 == len(carrier.app.coverage()) == len(carrier.app.backlogs())
        assert carrier.another_app(database_pool_size=2).verify().ok
