from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from carrierflow.demo import play
from carrierflow.demo.disagreement import measure
from carrierflow.demo.stage import LEDGER, stage
from carrierflow.demo.three_weeks import live
from carrierflow.demo.tour import remedy
from carrierflow.domain.incident import ResolveAction
from carrierflow.errors import InvalidInput
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.sandboxes import SANDBOXES
from carrierflow.sandbox.tour_side import SHOP

from .conftest import platforms, write_days


HARAVAN = SANDBOXES["haravan"].tour
SEEDS = (1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3)))

seeds = pytest.mark.parametrize("seed", SEEDS)


@platforms
@seeds
def test_the_story_comes_true(tour, platform, seed):
    """Each seed's tour ends as promised."""
    assert [] == tour(platform, seed).problems()


@platforms
@seeds
def test_every_scan_has_one_verdict(tour, platform, seed):
    """Accepted, duplicate, late, refused and rejected scans sum up to the rows."""
    told = tour(platform, seed).recorded

    assert told.rows == (told.accepted + told.duplicate + told.late + told.refused + told.rejected)
    assert 2 == told.rejected
    assert 0 < told.duplicate


@seeds
def test_every_scan_is_pushed_once_or_waits(tour, seed):
    """What was pushed and what waits for tomorrow sum up to the rows, where all can be told."""
    figures = tour("haravan", seed)

    assert figures.recorded.rows == figures.pushed.sent + figures.unpushed


@platforms
@seeds
def test_the_shop_drifts(tour, platform, seed):
    """Before the reconcile the shop shows parcels wrongly, and cash where it shows any."""
    before = tour(platform, seed).before

    assert 0 < before.wrong
    assert (platform != "onflow") == (0 < before.cash)
    assert 0 == before.wrong_frozen


@platforms
@seeds
def test_the_reconcile_makes_the_planned_puts(tour, platform, seed):
    """With a platform in order, the PUTs made are those planned, confirmed and counted there."""
    figures = tour(platform, seed)

    assert figures.plan.puts == figures.run.puts
    assert figures.plan.puts == figures.run.published
    assert figures.plan.puts == figures.run.judge_puts
    assert figures.plan.lines == sum(figures.plan.classes.values())
    assert figures.plan.classes.get("freeze", 0) == figures.run.frozen
    assert figures.plan.classes["adopt"] <= figures.run.adopted


@platforms
@seeds
def test_the_platform_saw_nothing_illegal(tour, platform, seed):
    """No illegal step on a parcel that nobody else touched, no repetition, none after a cancel."""
    run = tour(platform, seed).run

    assert 0 == run.judge_illegal
    assert 0 == run.judge_repeated
    assert 0 == run.judge_after_cancel


@platforms
@seeds
def test_only_what_waits_for_a_person_is_left(tour, platform, seed):
    """After the reconcile the shop is wrong about parcels with an incident, or that are held."""
    figures = tour(platform, seed)

    assert figures.after.wrong == figures.after.wrong_frozen + len(figures.plan.held)
    assert figures.after.wrong_frozen <= len({each.fulfillment_id for each in figures.frozen})
    assert 0 == figures.run.puts_of_second_run


@seeds
def test_reads_are_shared(tour, seed):
    """The reconcile reads far less often than a script that asks for each parcel."""
    run = tour("haravan", seed).run

    assert run.naive_gets == run.checked + run.puts
    assert run.gets * 5 < run.naive_gets


def test_the_history_shown_has_a_second_try_and_its_cash(tour):
    """The parcel shown was not met, was tried again, delivered and paid for."""
    star = tour("haravan", 1).star
    delivery = [move.to_status for move in star.moves if move.machine == "delivery"]

    second_try = ["notmeetcustomer", "delivering", "delivered"]

    assert ["readytopick", "picking", "delivering", *second_try] == delivery
    assert "codpaid" in {move.to_status for move in star.moves}
    assert 0 < star.cash


def test_a_broken_promise_is_told(tour):
    """Figures that do not hold are told in a sentence, and the document is not ok."""
    figures = tour("haravan", 1)
    broken = replace(figures, after=replace(figures.after, wrong=figures.after.wrong + 3))

    assert ["3 parcels are still shown wrongly, and nobody was asked."] == broken.problems()
    assert broken.document()["ok"] is False


@platforms
def test_the_remedies_work(tmp_path, platform):
    """After the printed decisions and a run, the shop is wrong about what was let go or is held."""
    scenario, kind = write_days(platform, parcels=60, seed=4), SANDBOXES[platform].tour
    with stage(kind, tmp_path, begin=scenario.days[0].morning) as on:
        live(on, scenario, lambda *_: None)
        on.app.reconcile([SHOP], wait=True)
        for incident in on.app.incidents.all():
            action, reason = remedy(on.side, incident.kind)
            on.app.incidents.resolve(incident.id, action, actor="lan", reason=reason)
        on.app.reconcile([SHOP], wait=True)
        plan, _, _ = on.app.plan([SHOP], full=True)
        held = [line for line in plan.lines if line["held"]]
        abandoned = [
            i for i in on.app.incidents.all(state=None) if i.action == ResolveAction.ABANDON
        ]

        assert [] == on.app.incidents.all()
        assert len(abandoned) + len(held) == measure(on, scenario.parcels).wrong
        assert [] != on.app.incidents.all(state=None)


def test_a_kept_ledger_is_not_overwritten(tmp_path):
    """A directory that holds a ledger is refused before anything is written."""
    (tmp_path / LEDGER).write_text("mine")

    with pytest.raises(InvalidInput, match="exists"):
        play(write_days("haravan", parcels=20), HARAVAN, keep=tmp_path)

    assert "mine" == (tmp_path / LEDGER).read_text()


@platforms
def test_parcels_have_names_of_their_own(platform):
    """No two parcels share an order or a fulfillment."""
    side = SANDBOXES[platform].tour.opened(ManualClock(), "token", {})
    for number in range(1, 100):
        side.book(number, 0)
    names = [side.names(number) for number in range(1, 100)]
    side.server.close()

    assert 99 == len({order for order, _ in names})
    assert 99 == len({fulfillment for _, fulfillment in names})


@seeds
def test_sapo_has_fewer_states_than_the_ledger(tour, seed):
    """Parcels agree that are called otherwise there; on Haravan every word has its own."""
    assert 0 < tour("sapo", seed).after.alike
    assert 0 == tour("haravan", seed).after.alike


@seeds
def test_sapo_holds_what_nothing_takes_back(tour, seed):
    """A parcel on its way back is held in the plan, and nobody is asked about it."""
    figures = tour("sapo", seed)
    asked = {each.fulfillment_id for each in figures.frozen}

    assert {"waitingforreturn"} == {step for _, step in figures.plan.held}
    assert set() == asked & {name for name, _ in figures.plan.held}


@seeds
def test_two_actions_on_sapo_have_a_read_between(tour, seed):
    """A parcel that is back is cancelled, read, taken back: in the plan, and on the wire."""
    figures = tour("sapo", seed)
    tails = [(method, path.rpartition("/")[2]) for method, path in figures.run.looks]
    writes = [place for place, (method, _) in enumerate(tails) if method == "POST"]

    told = [tails[at][1] for at in writes]
    assert ["cancel.json", "receive_after_cancellation.json"] == told[-2:]
    assert all(at + 1 < then for at, then in pairwise(writes))


@seeds
def test_onflow_s_hand_over_and_cancel_are_adopted(tour, seed):
    """What the warehouse did becomes history: a hand-over that nobody scanned, and a cancel."""
    figures = tour("onflow", seed)
    steps = {step for _, kind, steps in figures.plan.first if kind == "adopt" for step in steps}

    assert ["picking", "delivering"] == [m.to_status for m in figures.star.moves if m.adopted]
    assert steps <= {"cancel", "delivering"}
    assert figures.cancels < figures.run.adopted


@seeds
def test_onflow_is_told_a_cancel_before_the_hand_over_alone(tour, seed):
    """Before it a cancel is told; after it there is one incident, and nothing is sent."""
    figures = tour("onflow", seed)

    assert 0 < figures.run.puts
    assert figures.run.puts == figures.plan.puts == figures.plan.classes["publish"]
    assert {"cannot_be_told"} == {each.kind for each in figures.frozen}
    assert len(figures.frozen) == len({each.fulfillment_id for each in figures.frozen})
    assert figures.plan.classes["report"] == len(figures.frozen)
