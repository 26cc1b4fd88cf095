"""`/metrics` of many shops: sums, counts of shops, and the names of the worst alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from benchmarks.many_shops import fill_network
from databases import ManualClock
from plain_runs import begin, end
from prometheus_client import CollectorRegistry, generate_latest
from sqlalchemy import update

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import fulfillments, shops
from carrierflow.web.figures import NAMED
from carrierflow.web.metrics import Metrics
from carrierflow.web.run_totals import OVERLAP, RunTotals
from integration.storage.plans import statements


SHOPS = 60
HOUR = timedelta(hours=1)


@pytest.fixture
def app(own_database):
    """An app on an empty database of its own."""
    made = build(Settings(database_url=own_database.url, secret_key=generate_key()))
    made.upgrade()
    yield made
    made.store.engine.dispose()


@pytest.fixture
def many_shops(app):
    """The app, once it has sixty shops, each with parcels that are late, and more so the later."""
    fill_network(app.store.engine, SHOPS, 20 * SHOPS)
    f, ever = fulfillments.c, datetime(2020, 1, 1, tzinfo=UTC)
    with app.store.begin() as connection:
        late = {"open": True, "verified_at": None, "opened_at": ever, "unpublished": 1}
        connection.execute(update(fulfillments).where(f.id <= f.shop * SHOPS).values(late))
        connection.execute(update(shops).values(state="active", unanswered=shops.c.id))
        connection.execute(update(shops).where(shops.c.id == SHOPS).values(state="paused"))
    return app


def shown(app):
    """Return what a scrape shows: the values of each figure by the text of its labels."""
    registry = CollectorRegistry()
    registry.register(Metrics(app))
    text = generate_latest(registry).decode()
    found = {}
    lines = re.findall(r"^carrierflow_(\w+)(?:\{(.*)\})? (\S+)$", text, flags=re.MULTILINE)
    for name, labels, value in lines:
        found.setdefault(name, {})[labels] = float(value)
    return found


def test_each_figure_names_the_worst_shops_alone(many_shops):
    """No figure has more lines of shops than are named; they are the worst, the worst first."""
    found = shown(many_shops)

    of_shops = {name: told for name, told in found.items() if any("shop=" in key for key in told)}
    assert {"shop_late", "shop_unpublished", "shop_silent", "oldest_verified_seconds"} <= {
        *of_shops
    }
    assert NAMED == max(map(len, of_shops.values()))
    silent = [(f'shop="shop-{number:05}"', float(number)) for number in range(SHOPS - 1, 0, -1)]
    assert silent[:NAMED] == list(of_shops["shop_silent"].items())


def test_what_is_not_named_is_counted(many_shops):
    """Sums are of all shops, by their state; how many shops have what is asked of active ones."""
    found, coverage = shown(many_shops), many_shops.coverage()

    assert {'state="active"': SHOPS - 1, 'state="paused"': 1, 'state="revoked"': 0} == found[
        "shops"
    ]
    for name in ("open", "verified", "unpublished", "frozen"):
        assert sum(getattr(each, name) for each in coverage) == sum(found[name].values())
    active = [each for each in coverage if each.state == "active"]
    counted = found["shops_with"]
    assert sum(each.late > 0 for each in active) == counted['what="late"'] > NAMED
    assert sum(each.incidents > 0 for each in coverage) == counted['what="incidents"']
    assert sum(each.incidents for each in coverage) == sum(found["incidents"].values())


def test_last_runs_are_told_where_they_failed_or_are_long_ago(many_shops):
    """A shop whose last run failed is named and counted; of the others, who waits longest."""
    found, last = shown(many_shops), many_shops.last_runs()

    assert {'shop="shop-00040"': 1.0} == found["last_run_failed"]
    assert 1 == found["shops_with"]['what="last_run_failed"']
    ended = sorted(run.ended_at.timestamp() for shop, run in last.items() if shop != "shop-00060")
    assert ended[:NAMED] == list(found["last_run_timestamp_seconds"].values())


def test_a_scrape_asks_as_often_for_many_shops_as_for_none(app):
    """The number of statements, and nearly that of lines, does not grow with the shops."""

    def scrape():
        with statements(app.store.engine) as asked:
            lines = sum(map(len, shown(app).values()))
        return len(asked), lines

    scrape()
    few, _ = scrape()
    fill_network(app.store.engine, SHOPS, 20 * SHOPS)
    many, lines = scrape()

    assert few == many == 10
    assert lines <= 300


def test_throttled_requests_are_told_by_shop_for_an_hour(own_database):
    """A shop that is throttled is named, until an hour after the run; the sum of all goes on."""
    clock = ManualClock(datetime(2026, 3, 1, 8, tzinfo=UTC))
    app = build(Settings(database_url=own_database.url, secret_key=generate_key()), now=clock)
    app.upgrade()
    app.shops.add("myshop", token="t" * 20, base_url="https://apis.example")
    totals = RunTotals(app)
    clock.advance(minutes=1)
    begin(app.store, "one", "myshop", now=clock())
    end(app.store, "one", "myshop", counters={"throttled": 12, "get": 3}, now=clock())

    first, again = totals.read(), totals.read()
    clock.advance(HOUR)
    later = totals.read()
    app.store.engine.dispose()

    assert {"myshop": 12} == first.throttled == again.throttled
    assert {} == later.throttled
    assert [(12, 3)] * 3 == [
        (each.totals["throttled"], each.totals["get"]) for each in (first, again, later)
    ]


def test_a_run_that_is_committed_late_is_counted_all_the_same(own_database):
    """Its end lies before the last scrape, and yet it is found, once."""
    clock = ManualClock(datetime(2026, 3, 1, 8, tzinfo=UTC))
    app = build(Settings(database_url=own_database.url, secret_key=generate_key()), now=clock)
    app.upgrade()
    app.shops.add("myshop", token="t" * 20, base_url="https://apis.example")
    totals = RunTotals(app)
    ended = clock.advance(minutes=10)
    clock.advance(OVERLAP - timedelta(seconds=1))
    before = totals.read()
    begin(app.store, "late", "myshop", now=ended)
    end(app.store, "late", "myshop", counters={"put": 2}, now=ended)

    after = [totals.read().totals["put"] for _ in range(2)]
    app.store.engine.dispose()

    assert (0, [2, 2]) == (before.totals.get("put", 0), after)
