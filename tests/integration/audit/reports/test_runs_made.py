"""What was run and what was done, as rows say that are never changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from plain_runs import begin, end
from sqlalchemy import func, select

from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.storage.administration import administer
from carrierflow.storage.tables import log


ENDS = ("done", "done", "unavailable", "failed", None)
"""How the runs of a shop end, an hour apart; None is one that never says so."""


@pytest.fixture
def worked(store, shop, clock):
    """The code of a shop at which runs were made."""
    for number, reason in enumerate(ENDS):
        run = f"{shop}-{number}"
        begin(store, run, shop, now=clock())
        if reason is not None:
            at, counters = clock.advance(minutes=1), {"checked": number}
            end(store, run, shop, reason=reason, counters=counters, now=at)
        clock.advance(hours=1)
    return shop


def test_runs_are_counted_by_how_they_ended(reports, worked):
    """Each run is one reason or none; what failed is what another run has to do."""
    found = reports.runs(shop=worked, ended=True)
    (its,) = found.shops

    assert (5, 2, 1) == (found.runs, found.failed, found.unended)
    assert {"done": 2, "unavailable": 1, "failed": 1} == its.reasons
    assert found.runs == its.unended + sum(its.reasons.values())
    assert [f"{worked}-{number}" for number in range(4)] == [run.run for run in found.ended]
    assert [{"checked": number} for number in range(4)] == [run.counters for run in found.ended]


def test_runs_are_bounded_by_when_they_began(reports, worked, clock):
    """A run counts where it began, whenever it ended."""
    began = clock() - timedelta(hours=5, minutes=4)
    found = reports.runs(shop=worked, since=began, until=began + timedelta(hours=1))

    assert 1 == found.runs
    assert began == found.shops[0].first == found.shops[0].last


def test_acts_are_told_in_order_and_by_kind(reports, store, shop, clock):
    """Who did what stands there as it was written, one kind of it where one is asked for."""
    for kind in (AdministrationKind.SHOP_PAUSED, AdministrationKind.SHOP_RESUMED):
        with store.begin() as connection:
            administer(connection, kind, now=clock(), shop=shop, actor="lan", details={"x": True})
        clock.advance(hours=1)

    added, *both = reports.administration(shop=shop)
    assert "shop_added" == added.kind
    assert ["shop_paused", "shop_resumed"] == [act.kind for act in both]
    assert [{"x": True}] * 2 == [act.details for act in both]
    assert ["lan"] * 2 == [act.actor for act in both]
    (one,) = reports.administration(shop=shop, kinds=[AdministrationKind.SHOP_PAUSED])
    assert both[0] == one
    assert [] == reports.administration(shop=shop, since=clock())


def test_what_has_a_place_says_which(make_reports, own_book, clock):
    """Once the log has a run and an act, their places are told, and are those of the log."""
    reports = make_reports(own_book.store)
    begin(own_book.store, "r", own_book.shop, now=clock())
    end(own_book.store, "r", own_book.shop, now=clock())

    assert [None] == [run.position for run in reports.runs(ended=True).ended]
    own_book.sealer(key_file=False).seal()

    with own_book.store.reading() as connection:
        places = dict(
            connection.execute(
                select(log.c.kind, func.max(log.c.position))
                .where(log.c.kind.in_(["run", "administration"]))
                .group_by(log.c.kind)
            ).all()
        )
    assert [places["run"]] == [run.position for run in reports.runs(ended=True).ended]
    assert places["administration"] == reports.administration()[-1].position
