"""What is asked at every scrape and every run: one question, by index, whatever lies behind us."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from benchmarks.many_shops import fill_network
from plain_runs import begin, end
from sqlalchemy import insert

from carrierflow.domain.incident import Finding
from carrierflow.storage.backlog import backlogs, runs_ended
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.run_history import asked_before, last_answers, last_runs, past_runs
from carrierflow.storage.shops import coverages
from carrierflow.storage.tables import runs

from .plans import scanned, statements


MANY = 500
"""Incidents, or runs of a shop."""

ENTICING = 50_000
"""Parcels from which on MariaDB would rather begin with all of the history."""


@pytest.fixture
def runs_store(store):
    """The store as runs have it."""
    return SqlReconcileStore(store)


def ask_last_runs(store):
    """Ask for the last run of each shop."""
    with store.reading() as connection:
        return last_runs(connection)


def ask_last_answers(store):
    """Ask when each shop was answered last."""
    with store.reading() as connection:
        return last_answers(connection)


def ask_in_vain(store, codes=("a", "b"), *, since, before):
    """Ask whether a run in some span had no answer."""
    with store.reading() as connection:
        return asked_before(connection, codes, since=since, before=before)


def long_over(store, engine, shop):
    """Write many incidents that were resolved: where most are open, MariaDB opens no index."""
    findings = [
        Finding(kind="unreadable", sentence="So.", ref=None, evidence={"n": number})
        for number in range(MANY)
    ]
    runs_store, at = SqlReconcileStore(store), datetime(2026, 3, 1, tzinfo=UTC)
    runs_store.open_incidents(store.shop(shop), findings, now=at)
    runs_store.close_shop_incidents(store.shop(shop), "unreadable", now=at)
    analyze(engine, "carrierflow_incidents")


def many_runs(store, engine, *codes):
    """Write many runs of some shops: MariaDB reads the whole of a table that is empty."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    ended = {"kind": "reconcile", "started_at": at, "ended_at": at, "end_reason": "done"}
    rows = [
        {"id": f"{shop.id}-{number}", "shop": shop.id, **ended}
        for shop in map(store.shop, codes)
        for number in range(MANY)
    ]
    with store.begin() as connection:
        connection.execute(insert(runs), rows)
    analyze(engine, "carrierflow_runs")


def analyze(engine, table):
    """Let MariaDB count what is in a table."""
    if engine.dialect.name not in {"sqlite", "postgresql"}:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"ANALYZE TABLE {table}").all()


def ask_coverages(store):
    """Ask how well the open parcels of every shop are known."""
    with store.reading() as connection:
        return coverages(connection, since=datetime(2026, 3, 1, tzinfo=UTC))


def ask_backlogs(store):
    """Ask what waits at every shop."""
    with store.reading() as connection:
        return backlogs(connection, store.database_clock, interval_us=lambda *_: 250_000)


def ask_ended(store):
    """Ask which runs ended since a moment after all of them."""
    with store.reading() as connection:
        return runs_ended(connection, datetime(2026, 3, 2, tzinfo=UTC))


def ask_newest(store):
    """Ask for the newest runs of all shops."""
    with store.reading() as connection:
        return past_runs(connection, shop=None, since=datetime(2026, 3, 2, tzinfo=UTC), limit=10)


def ask_newest_failed(store):
    """Ask for the newest runs that could not do their work."""
    with store.reading() as connection:
        since = datetime(2026, 3, 2, tzinfo=UTC)
        return past_runs(connection, shop=None, since=since, failed=True, limit=10)


FULFILLMENTS, HISTORY = "carrierflow_fulfillments", "carrierflow_history"

ASKED = {
    "coverages": (ask_coverages, FULFILLMENTS),
    "backlogs": (ask_backlogs, FULFILLMENTS),
    "backlogs, by history": (ask_backlogs, HISTORY),
    "runs_ended": (ask_ended, "carrierflow_runs"),
    "past_runs": (ask_newest, "carrierflow_runs"),
    "past_runs, failed": (ask_newest_failed, "carrierflow_runs"),
    "last_runs": (ask_last_runs, "carrierflow_runs"),
    "last_answers": (ask_last_answers, "carrierflow_runs"),
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
    if table == "carrierflow_runs":
        many_runs(store, engine, make_shop(store), make_shop(store))
    if table in {FULFILLMENTS, HISTORY}:
        fill_network(engine, 10, 7 * MANY if table == FULFILLMENTS else ENTICING)
        analyze(engine, FULFILLMENTS)
        analyze(engine, HISTORY)

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
        begin(store, run + shop, shop, now=at)

    found = ask_last_runs(store)

    mine = {code: run.id for code, run in found.items() if code in {first, second, third}}
    assert {first: "a" + first, second: "c" + second} == mine


def test_a_last_run_may_be_told_without_what_is_long(store, runs_store, make_shop, clock):
    """In brief it is the same run, and how it ended, without its counters and its sentence."""
    shop = make_shop(store)
    begin(store, "a" + shop, shop, now=clock())
    end(store, "a" + shop, shop, reason="failed", counters={"get": 1}, now=clock())

    with store.reading() as connection:
        whole = last_runs(connection, codes=[shop])[shop]
        brief = last_runs(connection, codes=[shop], brief=True)[shop]

    assert ({"get": 1}, True) == (whole.counters, whole.failed)
    assert replace(whole, counters={}, sentence=None) == brief


def test_the_last_answer_of_each_shop_and_what_was_asked_in_vain_since(
    store, runs_store, make_shop, clock
):
    """The last run that ended with an answer counts; a span begins with its first moment."""
    first, second, third = (make_shop(store) for _ in range(3))
    began = clock()
    for hours, (shop, reason) in enumerate(
        [
            (first, "done"),
            (first, "throttled"),
            (first, "unavailable"),
            (first, "failed"),
            (second, "access_denied"),
            (third, "unavailable"),
        ]
    ):
        run, at = f"{hours}{shop}", began + timedelta(hours=hours)
        hold = begin(store, run, shop, now=at)
        ended = at + timedelta(minutes=1)
        end(store, run, shop, reason=reason, now=ended, hold=hold)

    def after(hours, *shops, until=9):
        span = {
            "since": began + timedelta(hours=hours),
            "before": began + timedelta(hours=until),
        }
        return ask_in_vain(store, shops, **span)

    answered = ask_last_answers(store)
    minute = timedelta(minutes=1)
    assert [began + timedelta(hours=1) + minute, began + timedelta(hours=4) + minute, None] == [
        answered.get(shop) for shop in (first, second, third)
    ]
    assert [True, False, False, True] == [
        after(2, first),
        after(2.1, first, second),
        after(2, first, until=2),
        after(2.1, first, third),
    ]


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
