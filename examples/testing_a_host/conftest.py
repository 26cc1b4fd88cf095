"""One world for all tests, and a transaction for each that is rolled back: nothing is left over."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine

from carrierflow import JoinedLedger
from carrierflow.testing import HostWorld


pytest_plugins = ["carrierflow.testing.plugin"]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostWorld]:
    """Make the tables once; that takes longer than all of these tests."""
    folder = tmp_path_factory.mktemp("ledger")
    with HostWorld(f"sqlite:///{folder / 'ledger.db'}") as made:
        made.shop("myshop")
        yield made


@pytest.fixture
def connection(world: HostWorld) -> Iterator[Connection]:
    """Lend the host's own connection, in a transaction that ends with the test."""
    engine = create_engine(world.database_url)
    with engine.connect() as lent:
        transaction = lent.begin()
        yield lent
        transaction.rollback()
    engine.dispose()


@pytest.fixture
def ledger(world: HostWorld, connection: Connection) -> JoinedLedger:
    """Return the ledger inside that transaction."""
    return world.app.joined(connection)
