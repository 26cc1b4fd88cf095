"""Shops as they become due: one at a time by an engine, or by the built-in loop."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from math import inf, nan

import pytest
from carrier import carrying
from counting import counted
from plain_runs import begin

from carrierflow.errors import DatabaseUnavailable, InvalidInput, UnknownShop
from carrierflow.reconcile.run_report import EndReason

from .test_faults import FAST


@pytest.fixture
def carrier(database):
    """A carrier with a shop, on each database."""
    with carrying(database.url, **FAST) as made:
        made.connect("alpha")
        yield made


@pytest.fixture
def database(own_database):
    return own_database


@pytest.fixture
def lite(tmp_path):
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        yield made


def test_a_run_with_nothing_to_do_asks_the_database_little(carrier):
    """Eight statements, and one for the platform's own count of requests, in six transactions.

    The shop's row, the claim, the run's begin; what there is to do; the budget; the run's end, what
    is kept of it, the release.
    """
    carrier.parcel("alpha")
    for _ in range(2):
        carrier.clock.advance(3600)
        carrier.app.reconcile_shop("alpha")
    carrier.clock.advance(3600)
    with counted(carrier.app.store.engine) as asked:
        report = carrier.app.reconcile_shop("alpha")

    assert EndReason.DONE == report.end_reason, report.sentence
    assert 0 == report.checked
    assert asked.transactions <= 6, asked.statements
    assert len(asked.statements) <= 9, asked.statements


def test_what_due_gives_out_is_reconciled_and_comes_again_in_its_time(carrier):
    """The four functions of an engine: due, reconcile_shop, outstanding, wake."""
    app, ref = carrier.app, carrier.parcel("alpha", walk=("picking",))
    assert ["alpha"] == app.due(10)
    assert (1, []) == (app.outstanding(), app.due(10))

    report = app.reconcile_shop("alpha")
    assert (EndReason.DONE, 1, 0) == (report.end_reason, report.published, app.outstanding())
    assert [] == app.due(10)
    app.wake("alpha")
    assert ["alpha"] == app.due(10)
    app.reconcile_shop("alpha")
    carrier.record(ref, "delivering")
    carrier.clock.advance(10)
    assert ["alpha"] == app.due(10)


def test_what_cannot_be_asked_for_is_refused(lite):
    """A limit and a hold make sense, and a shop is known."""
    for limit in (0, -1, 10_001):
        with pytest.raises(InvalidInput):
            lite.app.due(limit)
    with pytest.raises(InvalidInput):
        lite.app.due(1, hold=timedelta(0))
    with pytest.raises(UnknownShop):
        lite.app.wake("nobody")
    with pytest.raises(UnknownShop):
        lite.app.reconcile_shop("nobody")


def test_one_shop_held_paused_or_revoked_raises_nothing(lite):
    """The report says it, and a held one is offered when the lease ends."""
    app = lite.app
    lite.connect("alpha")
    app.due(1)
    begin(app.store, "another", "alpha", now=lite.now(), span=timedelta(seconds=60))
    assert EndReason.SHOP_HELD == app.reconcile_shop("alpha").end_reason
    lite.clock.advance(61)
    assert ["alpha"] == app.due(1)
    app.shops.pause("alpha")
    assert EndReason.NOT_ACTIVE == app.reconcile_shop("alpha").end_reason


def test_who_is_to_stop_before_it_begins_gives_its_shop_back(lite):
    """The engine's next worker gets it at once."""
    lite.connect("alpha")
    lite.app.due(1, hold=timedelta(hours=1))
    report = lite.app.reconcile_shop("alpha", stop=lambda: True)
    assert (EndReason.INTERRUPTED, "") == (report.end_reason, report.run)
    assert ["alpha"] == lite.app.due(1)


def test_the_loop_ends_when_nobody_is_due(lite):
    """Each shop's work is done, in more than one quantum where one is too short."""
    lite.connect("alpha", "beta")
    refs = [lite.parcel(shop, walk=("picking",)) for shop in ("alpha", "beta") for _ in range(3)]

    reports = list(lite.app.work(until_idle=True, parallel=2, requests=3))

    assert {"alpha", "beta"} == {report.shop for report in reports}
    assert EndReason.QUANTUM in {report.end_reason for report in reports}
    assert len(refs) == sum(report.published for report in reports)
    assert [] == list(lite.app.work(until_idle=True))


SHARES = [{"seconds": 0}, {"seconds": -1.0}, {"seconds": nan}, {"seconds": inf}, {"requests": 0}]


@pytest.mark.parametrize("wrong", [*SHARES, {"parallel": 0}], ids=str)
def test_a_share_of_nothing_is_refused(lite, wrong):
    """Whoever was given it would begin run after run, and none would do anything."""
    lite.connect("alpha")
    with pytest.raises(InvalidInput):
        lite.app.work(until_idle=True, **wrong)
    once = lite.app.reconcile if "parallel" in wrong else partial(lite.app.reconcile_shop, "alpha")
    with pytest.raises(InvalidInput):
        once(**wrong)

    assert {} == lite.app.last_runs()


def test_within_no_time_nothing_was_looked_at(lite):
    """No time is a time of its own, and not the one that the settings name."""
    lite.connect("alpha")
    lite.parcel("alpha", walk=("picking",))
    list(lite.app.work(until_idle=True))
    lite.clock.advance(1)

    (at_all,), (within_no_time,) = lite.app.coverage(), lite.app.coverage(timedelta(0))
    assert (1, 1) == (at_all.open, at_all.verified)
    assert (1, 0) == (within_no_time.open, within_no_time.verified)


def test_a_stop_in_the_middle_gives_back_what_was_claimed(lite):
    """Whoever comes next finds all that were not begun with, at once."""
    codes = [f"s{number}" for number in range(6)]
    lite.connect(*codes)
    stopped = []

    runs = lite.app.work(parallel=3, stop=lambda: bool(stopped))
    first = next(runs)
    stopped.append(True)
    rest = list(runs)
    lite.clock.advance(1)

    done = {r.shop for r in (first, *rest) if r.end_reason is EndReason.DONE}
    assert set(lite.app.due(10)) == set(codes) - done
    assert set(codes) != done


def test_a_database_that_goes_away_is_waited_for(lite, monkeypatch):
    """The loop asks again; with `until_idle` whoever started it is told."""
    lite.connect("alpha")
    due, failures = lite.app._queue.due, [DatabaseUnavailable("gone")] * 3

    def flaky(*given, **how):
        if failures:
            raise failures.pop()
        return due(*given, **how)

    monkeypatch.setattr(lite.app._queue, "due", flaky)
    monkeypatch.setattr("carrierflow.reconcile.due_shops.AFTER_FAILURE", 0)
    runs = lite.app.work()
    assert "alpha" == next(runs).shop
    runs.close()
    failures.append(DatabaseUnavailable("gone"))
    with pytest.raises(DatabaseUnavailable):
        list(lite.app.work(until_idle=True))


def test_what_its_runs_died_of_is_over_with_the_first_that_says_how_it_ended(lite, monkeypatch):
    """Well or badly: the incident closes, and does not stay for want of somebody to close it."""
    lite.connect("alpha")
    app = lite.app
    for number in range(3):
        begin(app.store, f"r{number}", "alpha", now=lite.now(), span=timedelta(seconds=60))
        lite.clock.advance(61)
    assert EndReason.RESTING == app.reconcile_shop("alpha").end_reason
    assert ["run_dies"] == [it.kind for it in app.incidents.all()]
    lite.clock.advance(61)
    begin(app.store, "r4", "alpha", now=lite.now(), span=timedelta(seconds=60))

    lite.clock.advance(61)
    monkeypatch.setattr(app.reconciler, "connect", lambda *_: 1 / 0)
    (report,) = app.reconcile(["alpha"])
    assert EndReason.FAILED == report.end_reason
    assert [] == app.incidents.all()
