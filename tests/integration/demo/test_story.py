from __future__ import annotations

from dataclasses import replace

import pytest

from carrierflow.demo import play
from carrierflow.demo.disagreement import measure
from carrierflow.demo.scenario import write
from carrierflow.demo.stage import LEDGER, SHOP, ref_of, stage
from carrierflow.demo.three_weeks import live
from carrierflow.demo.tour import REMEDIES
from carrierflow.domain.incident import ResolveAction
from carrierflow.errors import InvalidInput


SEEDS = (1, 2, 3)

seeds = pytest.mark.parametrize("seed", SEEDS)


@seeds
def test_the_story_comes_true(tour, seed):
    """Each seed's tour ends as promised."""
    assert [] == tour(seed).problems()


@seeds
def test_every_scan_has_one_verdict(tour, seed):
    """Accepted, duplicate, late, refused and rejected scans sum up to the rows."""
    told = tour(seed).recorded

    assert told.rows == (told.accepted + told.duplicate + told.late + told.refused + told.rejected)
    assert 2 == told.rejected
    assert 0 < told.duplicate


@seeds
def test_every_scan_is_pushed_once_or_waits(tour, seed):
    """What was pushed and what waits for tomorrow sum up to the rows."""
    figures = tour(seed)

    assert figures.recorded.rows == figures.pushed.sent + figures.unpushed


@seeds
def test_the_shop_drifts(tour, seed):
    """Before the reconcile the shop shows parcels and cash wrongly."""
    before = tour(seed).before

    assert 0 < before.wrong
    assert 0 < before.cash
    assert 0 == before.wrong_frozen


@seeds
def test_the_reconcile_makes_the_planned_puts(tour, seed):
    """With a platform in order, the PUTs made are those planned, confirmed and counted there."""
    figures = tour(seed)

    assert figures.plan.puts == figures.run.puts
    assert figures.plan.puts == figures.run.published
    assert figures.plan.puts == figures.run.judge_puts
    assert figures.plan.lines == sum(figures.plan.classes.values())
    assert figures.plan.classes["freeze"] == figures.run.frozen
    assert figures.plan.classes["adopt"] == figures.run.adopted


@seeds
def test_the_platform_saw_nothing_illegal(tour, seed):
    """No illegal step on a parcel that nobody else touched, no repetition, none after a cancel."""
    run = tour(seed).run

    assert 0 == run.judge_illegal
    assert 0 == run.judge_repeated
    assert 0 == run.judge_after_cancel


@seeds
def test_only_what_waits_for_a_person_is_left(tour, seed):
    """After the reconcile the shop is wrong about frozen parcels only, each with an incident."""
    figures = tour(seed)

    assert figures.after.wrong == figures.after.wrong_frozen
    assert figures.run.frozen == len({each.fulfillment_id for each in figures.frozen})
    assert 0 == figures.run.puts_of_second_run


@seeds
def test_reads_are_shared(tour, seed):
    """The reconcile reads far less often than a script that asks for each parcel."""
    run = tour(seed).run

    assert run.naive_gets == run.checked + run.puts
    assert run.gets * 5 < run.naive_gets


def test_the_history_shown_has_a_second_try_and_its_cash(tour):
    """The parcel shown was not met, was tried again, delivered and paid for."""
    star = tour(1).star
    delivery = [move.to_status for move in star.moves if move.machine == "delivery"]

    second_try = ["notmeetcustomer", "delivering", "delivered"]

    assert ["readytopick", "picking", "delivering", *second_try] == delivery
    assert "codpaid" in {move.to_status for move in star.moves}
    assert 0 < star.cash


def test_a_broken_promise_is_told(tour):
    """Figures that do not hold are told in a sentence, and the document is not ok."""
    figures = tour(1)
    broken = replace(figures, after=replace(figures.after, wrong=figures.after.wrong + 3))

    assert ["3 parcels are still shown wrongly, and nobody was asked."] == broken.problems()
    assert broken.document()["ok"] is False


def test_the_remedies_work(tmp_path):
    """After the printed decisions and one more run, only abandoned parcels are shown wrongly."""
    scenario = write(parcels=60, seed=4)
    with stage(tmp_path, begin=scenario.days[0].morning) as on:
        live(on, scenario, lambda *_: None)
        on.app.reconcile([SHOP], wait=True)
        for incident in on.app.incidents.all():
            action, reason = REMEDIES[incident.kind]
            on.app.incidents.resolve(incident.id, action, actor="lan", reason=reason)
        on.app.reconcile([SHOP], wait=True)
        abandoned = [
            i for i in on.app.incidents.all(state=None) if i.action == ResolveAction.ABANDON
        ]

        assert [] == on.app.incidents.all()
        assert len(abandoned) == measure(on, scenario.parcels).wrong
        assert 0 < len(abandoned)


def test_a_kept_ledger_is_not_overwritten(tmp_path):
    """A directory that holds a ledger is refused before anything is written."""
    (tmp_path / LEDGER).write_text("mine")

    with pytest.raises(InvalidInput, match="exists"):
        play(write(parcels=20, seed=1), keep=tmp_path)

    assert "mine" == (tmp_path / LEDGER).read_text()


def test_parcels_have_names_of_their_own():
    """No two parcels share an order or a fulfillment."""
    refs = [ref_of(number) for number in range(1, 100)]

    assert 99 == len({ref.order_id for ref in refs})
    assert 99 == len({ref.fulfillment_id for ref in refs})
