"""Connections that rested in a pool, and what is said on them when they are given out and back."""

from __future__ import annotations

import math
import select

import pytest
from databases import every_database

from carrierflow.storage import build_engine, pings

from .server_sessions import end_session, session_of


ON_SERVERS = pytest.mark.parametrize("database", every_database(but=["sqlite"]), indirect=True)
ON_MARIADB = pytest.mark.parametrize(
    "database", every_database(but=["sqlite", "postgres"]), indirect=True
)


@pytest.fixture
def pooled(database):
    """An engine with one connection, which is in the pool."""
    engine = build_engine(database.url, pool_size=1)
    with engine.connect():
        pass
    yield engine
    engine.dispose()


def lose(pooled, engine, database):
    """Let the server cut the pool's connection, and wait until that is seen here."""
    with pooled.connect() as connection:
        line = connection.connection.driver_connection
        lost = session_of(connection, database)
    end_session(engine, database, lost)
    told, _, _ = select.select([line], [], [], 60)
    assert told
    return lost


@pytest.mark.parametrize("rested", [0, math.inf])
@ON_SERVERS
def test_what_was_lost_while_it_rested_is_not_given_out(
    pooled, engine, database, monkeypatch, rested
):
    """After a night, or a restart of the server just now, the first statement succeeds."""
    monkeypatch.setattr(pings, "RESTED", rested)

    lost = lose(pooled, engine, database)
    with pooled.connect() as connection:
        assert lost != session_of(connection, database)


@ON_SERVERS
def test_only_who_has_rested_is_asked(pooled, monkeypatch):
    """No question is put before each transaction, but one after a rest."""
    asked, ask = [], pooled.dialect.do_ping
    monkeypatch.setattr(pooled.dialect, "do_ping", lambda driver: asked.append(1) or ask(driver))

    for rested, questions in (math.inf, 0), (0, 2):
        monkeypatch.setattr(pings, "RESTED", rested)
        for _ in range(2):
            with pooled.begin():
                pass
        assert questions == len(asked)


@ON_SERVERS
@pytest.mark.parametrize("silent", [False, True])
def test_a_driver_that_shows_no_line_is_always_asked(pooled, monkeypatch, silent):
    """Where our end of a line cannot be looked at, it is in doubt."""
    asked = []
    line = type(pooled.pool.connect().driver_connection)
    monkeypatch.setattr(pings, "RESTED", math.inf)
    monkeypatch.setattr(pooled.dialect, "do_ping", asked.append)
    monkeypatch.setattr(line, "fileno", (lambda _: -1) if silent else property())
    with pooled.connect():
        pass

    assert 1 == len(asked)


@ON_MARIADB
def test_a_pool_rolls_back_what_was_left_and_nothing_else(pooled):
    """After a COMMIT nothing is said; whatever is open is rolled back, even if it only read."""
    rollbacks = "SHOW SESSION STATUS LIKE 'Com_rollback'"

    def told(statement):
        with pooled.connect() as connection:
            (row,) = connection.exec_driver_sql(statement).all()
            connection.commit()
            return row[-1]

    before = int(told(rollbacks))
    assert before == int(told(rollbacks))
    for opening in ("SELECT 1 FROM carrierflow_shops", "BEGIN"):
        raw = pooled.raw_connection()
        raw.cursor().execute(opening)
        raw.close()
    raw = pooled.raw_connection()
    raw.driver_connection.begin()
    raw.close()
    assert 0 == told("SELECT @@in_transaction")
    assert before + 3 == int(told(rollbacks))
