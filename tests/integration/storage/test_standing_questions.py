"""What is asked at every scrape and every run: one question, by index, whatever lies behind us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from carrierflow.domain.incident import Finding
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.run_history import last_runs

from .plans import scanned, statements


MANY = 500
"""Incidents."""


@pytest.fixture
def runs_store(store):
    """The store as runs have it."""
    return SqlReconcileStore(store)


def ask_last_runs(store):
    """Ask for the last run of each shop."""
    with store.reading() as connection:
        return last_runs(connection)


def long_over(store, engine, shop):
    """Write many incidents that were resolved: where most are open, MariaDB opens no index."""
    findings = [
        Finding(kind="unreadable", sentence="So.", ref=None, evidence={"n": number})
        for number in range(MANY)
    ]
    runs_store, at = SqlReconcileStore(store), datetime(2026, 3, 1, tzinfo=UTC)
    runs_store.open_incidents(store.shop(shop), findings, now=at)
    runs_store.close_shop_incidents(store.shop(shop), "unreadable", now=at)
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        with engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE TABLE carrierflow_incidents").all()


ASKED = {
    "last_runs": (ask_last_runs, "carrierflow_runs"),
    "open_by_kind": (
        lambda store: SqlReconcileStore(store).open_by_kind(),
        "carrierflow_incidents",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_standing_question_goes_through_no_table_that_grows(
    name, own_database, make_engine, make_store, make_shop
):
    """It is one statement, and its plan finds rows by index: what is long over costs nothing."""
    ask, table = ASKED[name]
    engine = make_engine(own_database)
    store = make_store(engine)
    if name == "open_by_kind":
        long_over(store, engine, make_shop(store))

    with statements(engine) as found:
        ask(store)

    ((statement, parameters),) = [each for each in found if table in each[0]]
    assert table not in scanned(engine, statement, parameters)
    assert table in scanned(engine, f"SELECT * FROM {table}", ())


def test_the_last_run_of_each_shop_is_the_one_that_began_last(store, runs_store, make_shop, clock):
    """However they were written, and a shop without one is left out."""
    first, second, third = (make_shop(store) for _ in range(3))
    began = clock()
    for run, shop, hours in (("a", first, 2), ("b", first, 1), ("c", second, 0)):
        at = began + timedelta(hours=hours)
        runs_store.begin_run(run + shop, store.shop(shop), kind="reconcile", now=at)

    found = ask_last_runs(store)

    mine = {code: run.id for code, run in found.items() if code in {first, second, third}}
    assert {first: "a" + first, second: "c" + second} == mine


def test_open_incidents_are_told_by_shop_and_kind_with_the_first_of_each(
    store, runs_store, make_shop, clock
):
    """What was settled is not in it, and the first is the oldest that still stands."""
    shop, other = (make_shop(store) for _ in range(2))
    for code, kind, number in (
        (shop, "brake", 1),
        (shop, "unreadable", 1),
        (shop, "unreadable", 2),
        (other, "unreadable", 1),
        (other, "access_denied", 1),
    ):
        finding = Finding(kind=kind, sentence=f"{number}.", ref=None, evidence={"n": number})
        runs_store.open_incidents(store.shop(code), [finding], now=clock())
    runs_store.close_shop_incidents(store.shop(other), "access_denied", now=clock())

    found = [each for each in runs_store.open_by_kind() if each.shop in {shop, other}]

    told = [(each.shop, each.kind, each.count, each.first_sentence) for each in found]
    assert [
        (shop, "brake", 1, "1."),
        (shop, "unreadable", 2, "1."),
        (other, "unreadable", 1, "1."),
    ] == told
    assert [runs_store.incident(each.first_id).kind for each in found] == [
        kind for _, kind, *_ in told
    ]
