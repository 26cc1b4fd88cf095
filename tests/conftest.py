"""Fixtures of the whole test tree: three databases, a clock that stands, shops and parcels."""

from __future__ import annotations

import itertools
import logging
import signal
import uuid
from pathlib import Path

import pytest
from browsers import browserless
from databases import (
    SERVERS,
    ManualClock,
    copy_of,
    create,
    drop_templates,
    every_database,
    left_out,
    one_of_each,
    required,
    url_of,
)
from hypothesis import settings
from outside import lacking, toolless
from rabbitmq import brokerless

from carrierflow.cli.log_lines import OTHERS
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.ledger.ledger import Ledger
from carrierflow.storage import DatabaseClock, SqlStore
from carrierflow.storage.encryption import KeyRing, generate_key
from carrierflow.storage.shops import add_shop


settings.register_profile("carrierflow", deadline=None)
settings.load_profile("carrierflow")


PAYLOADS = Path(__file__).parent / "payloads"
"""What platforms send, from their own documents."""

PROGRAMS = {
    "broker": brokerless,
    "browser": browserless,
    "outside": toolless,
    "prometheus": lacking("what Prometheus makes of the alerts", "prometheus", "promtool"),
    "backups": lacking("what backups hold", "sqlite3", "pg_dump", "mariadb-dump"),
    "rotation": lacking("what logrotate makes of our logs", "logrotate"),
    "systemd": lacking("what systemd says of the units", "systemd-analyze"),
    "newman": lacking("what newman does with a collection", "newman"),
}
"""For each mark that needs programs, what says which of them are not there."""

OPTIONAL = {"newman"}
"""What no package of the system brings: a run that requires everything goes without it too."""


def pytest_configure(config):
    """Refuse to begin without what the tests need where the environment says that it is there."""
    if required() and (missing := _left_out(without=OPTIONAL)):
        raise pytest.UsageError(" ".join(missing))
    # A shell starts what it runs in the background deaf to Ctrl-C, and children inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """Leave out the tests of servers that are not named, and of programs that are not there.

    Those that wait for minutes come first: others work beside them, and nobody waits at the end.
    """
    kept, dropped = [], []
    programless = [name for name, programs in PROGRAMS.items() if programs()]
    for item in items:
        missing = any(url_of(kind) is None for kind in _servers_of(item))
        missing |= any(item.get_closest_marker(name) is not None for name in programless)
        (dropped if missing else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("waits") is None)


def pytest_unconfigure(config):
    """Leave no database behind."""
    drop_templates()


def pytest_terminal_summary(terminalreporter):
    """Say at the end what was left out."""
    for sentence in _left_out():
        terminalreporter.write_line(sentence)


def _left_out(without=()):
    said = (programs() for name, programs in PROGRAMS.items() if name not in without)
    return left_out() + [sentence for sentences in said for sentence in sentences]


def _servers_of(item):
    """Return the servers that a test needs: those of its parameters, or else all of them."""
    if item.get_closest_marker("servers") is None:
        return []
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return [kind for kind in SERVERS if kind in list(values)] or list(SERVERS)


LOGGERS = [
    (log, log.level, log.propagate, log.handlers[:])
    for log in (logging.getLogger(name) for name in ("carrierflow", *OTHERS))
]
"""The loggers that a command sets up, as they are before any test or fixture."""


@pytest.fixture(autouse=True)
def logging_as_before():
    """Put the loggers back that a command set up: no test depends on which ran before it.

    Before a test, too, for fixtures that last longer than one run commands as well.
    """
    disabled = logging.root.manager.disable
    _put_back_loggers()
    yield
    logging.disable(disabled)
    _put_back_loggers()


def _put_back_loggers():
    for log, level, propagate, handlers in LOGGERS:
        log.setLevel(level)
        log.propagate = propagate
        log.handlers[:] = handlers


@pytest.fixture(scope="session")
def session_databases(tmp_path_factory):
    """Return a migrated database of each kind, made once for all tests of this process."""
    with one_of_each(tmp_path_factory.mktemp("databases")) as get:
        yield get


@pytest.fixture(params=every_database())
def database(request, session_databases, tmp_path):
    """A migrated database: on SQLite a fresh file, on a server one that others use too.

    History cannot be removed, so tests keep apart by their shops.
    """
    found = session_databases(request.param)
    return copy_of(found, tmp_path) if found.kind == "sqlite" else found


@pytest.fixture(params=every_database())
def own_database(request, tmp_path):
    """A migrated database that nobody else uses, for tests that change its tables."""
    with create(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=every_database())
def empty_database(request, tmp_path):
    """A database without any tables."""
    with create(request.param, tmp_path, migrated=False) as made:
        yield made


@pytest.fixture
def clock():
    """A clock that stands at a fixed moment until a test moves it."""
    return ManualClock()


@pytest.fixture
def make_engine():
    """Build engines that are disposed of at the end."""
    engines = []

    def make(database):
        engines.append(database.build())
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def make_store(clock):
    """Build stores that go by the test's clock, the database's own clock included."""

    def make(engine, definition=DEFAULT, **parts):
        parts = {"sleep": clock.sleep, "database_clock": DatabaseClock(clock), **parts}
        return SqlStore(engine, definition, clock=clock, **parts)

    return make


@pytest.fixture
def make_ledger(clock):
    """Build ledgers on any store."""
    key = generate_key()

    def make(store, definition=DEFAULT):
        return Ledger(store, Lifecycle(definition), clock=clock, encryptor=KeyRing(key))

    return make


@pytest.fixture
def make_shop(clock):
    """Connect shops that no other test knows, and return their codes."""

    def make(store, **values):
        code = values.pop("code", None) or f"shop-{uuid.uuid4().hex[:12]}"
        fixed = {
            "code": code,
            "platform": "haravan",
            "base_url": "http://127.0.0.1",
            "carrier_code": "carrier",
            "token": b"sealed",
            "added_at": clock(),
        }
        with store.begin() as connection:
            add_shop(connection, fixed | values)
        return code

    return make


@pytest.fixture
def engine(database, make_engine):
    """An engine for the database."""
    return make_engine(database)


@pytest.fixture
def store(engine, make_store):
    """A store on the default lifecycle."""
    return make_store(engine)


@pytest.fixture
def ledger(store, make_ledger):
    """A ledger on that store."""
    return make_ledger(store)


@pytest.fixture
def shop(store, make_shop):
    """The code of a newly connected shop."""
    return make_shop(store)


@pytest.fixture
def make_parcel(ledger, shop):
    """Open parcels, by default in a new shop, with an order each and no cash to collect."""
    numbers = itertools.count(1)

    def make(*, cod_amount=None, fulfillment_id=None, order_id=None, **opening):
        number = next(numbers)
        ref = FulfillmentRef(
            shop=opening.pop("shop", shop),
            order_id=order_id or f"{1000 + number}",
            fulfillment_id=fulfillment_id or f"{5000 + number}",
        )
        return ledger.open(Opening(ref=ref, cod_amount=cod_amount, **opening))

    return make


@pytest.fixture
def sqlite_database(session_databases, tmp_path):
    """A fresh SQLite database, for tests that need only one database."""
    return copy_of(session_databases("sqlite"), tmp_path)


@pytest.fixture
def sqlite_engine(sqlite_database, make_engine):
    """An engine for that database."""
    return make_engine(sqlite_database)


@pytest.fixture
def sqlite_store(sqlite_engine, make_store):
    """A store on a fresh SQLite database."""
    return make_store(sqlite_engine)


@pytest.fixture
def sqlite_ledger(sqlite_store, make_ledger):
    """A ledger on that store."""
    return make_ledger(sqlite_store)


@pytest.fixture
def sqlite_shop(sqlite_store, make_shop):
    """The code of a newly connected shop of that store."""
    return make_shop(sqlite_store)


@pytest.fixture
def payload():
    """Return a recorded body by its scenario; the Fulfillment and Order API references print them.

    Persons, addresses and tokens in them are invented. Of the cancelled orders the reference
    prints only parts, so their id and `updated_at` were put back.
    """

    def load(scenario):
        return (PAYLOADS / "haravan" / f"{scenario}.json").read_bytes()

    return load
