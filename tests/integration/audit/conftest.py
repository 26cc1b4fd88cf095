"""What tests of proof have in common: a ledger with a shop, a key, and a notary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from databases import SERVERS, create, every_database

from carrierflow.audit.export.exporter import Exporter
from carrierflow.audit.log.keys import SealKey
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import SqlStore


ACTS = 4
"""Entries before the first parcel: the tables, the lifecycle, the shop, and the key that signs."""

ORDER = 100_000
"""What parcels' numbers are counted from in those of their orders."""

ROAD = (Status.PICKING, Status.DELIVERING, Status.DELIVERED)


@dataclass
class Book:
    """One ledger, and who seals it."""

    store: SqlStore
    ledger: Ledger
    shop: str
    clock: object
    key_file: Path
    make_shop: Callable[[], str]

    def sealer(self, *, anchors=(), key_file=None, **options):
        """Return a notary of this ledger."""
        span = timedelta(seconds=60)
        file = self.key_file if key_file is None else key_file or None
        options |= {"anchors": anchors, "lease": span, "clock": self.clock}
        return LogSealer(self.store, key_file=file, **options)

    def exporter(self):
        """Return who exports this ledger."""
        return Exporter(self.store, self.sealer(), clock=self.clock)

    @property
    def url(self):
        """Where the ledger lies, as a setting names it."""
        return self.store.engine.url.render_as_string(hide_password=False)

    def record(self, count, *, first=1, road=ROAD, shop=None, ledger=None):
        """Record a road of so many parcels, each with cash to collect."""
        shop = shop or self.shop
        events = [
            Event(
                shop=shop,
                fulfillment_id=f"{number}",
                status=status,
                actor="driver \u0110\u1ee9c" if number % 3 else None,
                opening=Opening(
                    ref=FulfillmentRef(
                        shop=shop, order_id=f"{ORDER + number}", fulfillment_id=f"{number}"
                    ),
                    cod_amount=250_000,
                ),
            )
            for number in range(first, first + count)
            for status in road
        ]
        answers = list((ledger or self.ledger).record_many(events))
        assert not [answer for answer in answers if isinstance(answer, Exception)]


@pytest.fixture
def seal_key(tmp_path):
    """A seal key, by its file."""
    file = tmp_path / "seal.key"
    SealKey.generate("log.example").save(file)
    return file


@pytest.fixture
def make_book(make_engine, make_store, make_ledger, make_shop, seal_key, clock):
    """Begin ledgers on migrated databases."""

    def make(database):
        store = make_store(make_engine(database))
        another = partial(make_shop, store)
        return Book(store, make_ledger(store), another(), clock, seal_key, another)

    return make


@pytest.fixture
def book(make_book, sqlite_database):
    """A ledger on SQLite."""
    return make_book(sqlite_database)


@pytest.fixture
def own_book(make_book, own_database):
    """A ledger on each database, which nobody else seals."""
    return make_book(own_database)


@pytest.fixture(params=every_database(but=("sqlite", "mariadb")))
def server_book(request, make_book, tmp_path):
    """A ledger where two transactions can open parcels at once; elsewhere one waits."""
    with create(request.param, tmp_path) as database:
        yield make_book(database)


@pytest.fixture(
    params=[
        "sqlite",
        *(pytest.param(kind, marks=[pytest.mark.servers, pytest.mark.slow]) for kind in SERVERS),
    ]
)
def attacked_book(request, make_book, tmp_path):
    """A ledger on each database, to be broken; the servers take their time."""
    with create(request.param, tmp_path) as database:
        yield make_book(database)
