"""Who holds a shop is told, and a holder that is provably gone holds nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest
from databases import every_database
from plain_runs import Leases
from sqlalchemy import select, text, update

from carrierflow.errors import ShopHeld
from carrierflow.storage import processes
from carrierflow.storage.lease_holders import this_holder
from carrierflow.storage.lease_sessions import has_ended, this_session
from carrierflow.storage.tables import shops


MINUTE = timedelta(minutes=1)
ELSEWHERE = "elsewhere/boot/pid:[1]/1/1"
"""A process of another host, of which nothing is known here."""

ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)


@pytest.fixture
def leases(store):
    return Leases(store)


def held_by(store, process):
    """Let some process be the one that holds every shop."""
    store.transact(lambda c: c.execute(update(shops).values(lease_process=process)))


@pytest.fixture
def child():
    """Another process on this host, and how it is written down."""
    waits = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", waits], stdin=subprocess.PIPE) as process:
        me = processes.this_process()
        place, _, _ = processes._parts(me)
        yield process, f"{place}/{process.pid}/{processes._start_of(process.pid)}"
        process.kill()


def test_whoever_waits_is_told_for_whom(store, leases, shop):
    """The sentence names the run, its process, since when it holds the shop and until when."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)

    with pytest.raises(
        ShopHeld, match=r"\(process \d+ on .*, run first-run-\w+\).* since .* until "
    ):
        leases.claim(mine, "second-run", MINUTE)
    with pytest.raises(ShopHeld) as caught:
        leases.claim(mine, "second-run", MINUTE)
    assert caught.value.until - caught.value.since == MINUTE


def test_a_holder_that_is_gone_is_not_waited_for(store, leases, shop, child):
    """A living process keeps its shop; killed, even before it is buried, it does not."""
    process, written = child
    mine = store.shop(shop)
    hold = leases.claim(mine, "first-run", MINUTE)
    held_by(store, written)
    with pytest.raises(ShopHeld):
        leases.claim(mine, "second-run", MINUTE)

    process.kill()
    process.wait()

    assert hold.fence + 1 == leases.claim(mine, "second-run", MINUTE).fence
    assert not leases.renew(hold, MINUTE)


@pytest.mark.parametrize(
    "other", [None, "", ELSEWHERE, f"{ELSEWHERE} x/1/1", "{place}/1/", "odd", "{place}/x/1"]
)
def test_nobody_is_gone_without_proof(store, leases, shop, other):
    """Another host, another boot, another space of numbers, or no start: the lease runs out."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)
    place, _, _ = processes._parts(processes.this_process())
    held_by(store, other and other.replace("{place}", place))

    with pytest.raises(ShopHeld):
        leases.claim(mine, "second-run", MINUTE)


def test_a_number_that_another_process_bears_by_now_is_no_proof_of_life(store, leases, shop):
    """A process is known by its start, too: its number may have been given to another one."""
    mine = store.shop(shop)
    leases.claim(mine, "first-run", MINUTE)
    place, number, _ = processes._parts(processes.this_process())
    held_by(store, f"{place}/{number}/1")

    assert leases.claim(mine, "second-run", MINUTE)


@pytest.fixture
def elsewhere(database, make_engine):
    """A connection of another host's process."""
    engine = make_engine(database)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def hang_up(connection):
    """End a connection as a process does that is gone."""
    connection.invalidate()
    connection.close()


def until_ended(engine, session):
    """Wait until the server knows that a session has ended."""
    end = time.monotonic() + 30
    while True:
        with engine.connect() as connection:
            if has_ended(connection, session):
                return
        assert time.monotonic() < end, "the server never said so"


@ON_SERVERS
def test_a_holder_whose_session_ended_is_not_waited_for(store, leases, shop, elsewhere):
    """A run on another host keeps its shop while its session lives, and not a minute longer."""
    mine, session = store.shop(shop), this_session(elsewhere)
    hold = leases.claim(mine, "first-run", MINUTE)
    held_by(store, f"{ELSEWHERE} {session}")
    with pytest.raises(ShopHeld, match="process 1 on elsewhere"):
        leases.claim(mine, "second-run", MINUTE)

    hang_up(elsewhere)
    until_ended(store.engine, session)

    assert hold.fence + 1 == leases.claim(mine, "second-run", MINUTE).fence
    assert not leases.renew(hold, MINUTE)


@ON_SERVERS
def test_a_run_holds_by_the_session_that_it_speaks_by(store, leases, shop, engine):
    """A lease names the session of who claimed it; renewed by another one, it names that."""
    mine = store.shop(shop)
    hold = leases.claim(mine, "first-run", MINUTE)
    first = holder_of(store, shop)
    engine.dispose()
    leases.renew(hold, MINUTE)

    process, _, session = first.partition(" ")
    assert processes.this_process() == process
    assert session
    assert first != holder_of(store, shop)
    until_ended(engine, session)
    with pytest.raises(ShopHeld):
        leases.claim(mine, "second-run", MINUTE)


def holder_of(store, shop):
    """Return who holds a shop, as the row has it."""
    with store.reading() as connection:
        query = select(shops.c.lease_process).where(shops.c.code == shop)
        return connection.execute(query).scalar_one()


@ON_SERVERS
def test_no_session_has_ended_without_proof(engine, elsewhere):
    """Another server, another account, no number, or one that lives: nothing is known."""
    with engine.connect() as connection:
        server, number, start = this_session(elsewhere).split("/")
        assert not has_ended(connection, f"{server}/{number}/{start}")
        hang_up(elsewhere)
        until_ended(engine, f"{server}/{number}/{start}")
        for odd in (f"{'0' * 16}/{number}/{start}", f"{server}/x/{start}", server, "", "/", "//"):
            assert not has_ended(connection, odd), odd
        if engine.dialect.name != "postgresql":
            assert not has_ended(connection, f"{server}/{number}/{'0' * 16}")


@pytest.mark.parametrize("database", every_database(but=["sqlite", "mariadb"]), indirect=True)
def test_who_may_not_see_a_session_does_not_bury_it(engine, elsewhere):
    """A number that a later session bears is proof; but when it began, not every role is told."""
    session = this_session(elsewhere)
    server, number, _ = session.split("/")
    with engine.connect() as connection:
        assert has_ended(connection, f"{server}/{number}/1.5")
        connection.execute(text("SET LOCAL ROLE pg_signal_backend"))
        assert not has_ended(connection, f"{server}/{number}/1.5")
        assert not has_ended(connection, session)


def test_a_holder_without_a_server_is_a_process(sqlite_database, make_engine):
    """A SQLite file has no sessions: its holders are processes of this host."""
    with make_engine(sqlite_database).connect() as connection:
        assert processes.this_process() == this_holder(connection)
