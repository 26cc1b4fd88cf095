"""Every interleaving of a short parcel's life keeps the promises; a planted defect breaks one."""

from dataclasses import replace

import pytest

from carrierflow.domain.model import Status
from carrierflow.reconcile import decision_table as decide_module
from carrierflow.reconcile import evaluate as turn_module
from carrierflow.reconcile import row_actions
from carrierflow.reconcile.case import MachineCase
from carrierflow.reconcile.projection import Projection

from . import moves
from .exploring import explore
from .moves import BrokenPromiseError
from .scenarios import SCENARIOS


@pytest.fixture
def without_row(monkeypatch):
    """Take a row out of the decision table."""

    def take_out(number):
        rows = tuple(row for row in decide_module.TABLE if row.number != number)
        monkeypatch.setattr(decide_module, "TABLE", rows)

    return take_out


LONG = {
    "two steps",
    "cash, polled",
    "recorded meanwhile",
    "second redelivery",
    "two workers",
    "two workers, cash",
    "merchant",
    "lossy, two workers",
}
"""These have the most orders to go through."""


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONG)) for n in SCENARIOS]
)
def test_no_interleaving_breaks_a_promise(name):
    """Whatever fails in whatever order: no step out of order, no early repeat, and agreement."""
    found = explore(SCENARIOS[name])

    assert found.states > 5


def test_without_the_settle_wait_a_put_is_repeated_too_early(without_row):
    """Whoever does not wait for Δ tells a step twice that may still arrive."""
    without_row("3")

    with pytest.raises(BrokenPromiseError, match="before its settle window is over"):
        explore(SCENARIOS["lost, late and repeated"])


def test_without_the_monotone_guard_a_stale_reading_freezes_a_parcel(without_row):
    """Whoever believes an old reading finds a divergence that is none."""
    without_row("0")

    with pytest.raises(BrokenPromiseError, match="an incident without a cause"):
        explore(SCENARIOS["redelivery"])


def test_without_the_date_a_redelivery_is_taken_for_told(monkeypatch):
    """Whoever goes by the status alone confirms a second visit that never happened."""
    monkeypatch.setattr(MachineCase, "revisited", property(lambda _: True))

    with pytest.raises(BrokenPromiseError, match="was told only"):
        explore(SCENARIOS["redelivery"])


def test_one_visit_taken_for_two_is_found(monkeypatch):
    """Whoever compares with an old reading within a turn confirms two redeliveries at once."""

    def forgetful(draft, machine, seq):
        head = draft.case.parcel.head(machine)
        turn_module._set_head(draft, machine, replace(head, confirmed=seq))

    monkeypatch.setattr(turn_module, "_move", forgetful)

    with pytest.raises(BrokenPromiseError, match="was told only"):
        explore(SCENARIOS["second redelivery"])


def test_telling_the_head_at_once_is_found(monkeypatch):
    """Whoever takes the shortest way leaves out what the shop should have seen."""
    rows = tuple(
        replace(row, action=row_actions.tell_last) if row.number == "6" else row
        for row in decide_module.TABLE
    )
    monkeypatch.setattr(decide_module, "TABLE", rows)

    with pytest.raises(BrokenPromiseError, match="the platform was told delivering"):
        explore(SCENARIOS["two steps"])


def test_without_the_freeze_an_unknown_word_is_overwritten(without_row):
    """Whoever guesses what an unknown word means tells a platform that nobody understood."""
    without_row("2")

    with pytest.raises(BrokenPromiseError, match="while 'lost' is shown"):
        explore(SCENARIOS["merchant and our cancel"])


def test_a_detail_that_tells_the_head_is_found(monkeypatch):
    """Whoever answers a poll with the ledger's head lets the platform jump over steps."""

    def head(parcel, _track):
        return Status(parcel.delivery.status), Status(parcel.cod.status)

    monkeypatch.setattr(moves, "published_status", head)

    with pytest.raises(BrokenPromiseError, match="the platform was told delivering"):
        explore(SCENARIOS["two steps, polled"])


def test_a_cancel_after_the_handover_is_found():
    """Whoever tells a warehouse to cancel what it was read to have handed over is found out."""
    crossing = SCENARIOS["warehouse, cancel and handover"]
    (cancel,) = crossing.projection.writes
    anytime = replace(cancel, after=frozenset({*cancel.after, Status.DELIVERING}))
    careless = replace(crossing.projection, writes=(anytime,))

    with pytest.raises(BrokenPromiseError, match="cancel is to be told while 'delivering'"):
        explore(replace(crossing, projection=careless))


def test_a_plan_whose_last_write_comes_first_is_found(monkeypatch):
    """Whoever leaves out the writes that lead to a state tells what the platform cannot do."""
    plan = Projection.plan
    monkeypatch.setattr(Projection, "plan", lambda *parts: plan(*parts)[-1:])

    with pytest.raises(BrokenPromiseError, match="take back is to be told while"):
        explore(SCENARIOS["lossy, three writes"])


def test_a_broken_promise_is_told_as_a_story(without_row):
    """The shortest way to the trouble is printed, one line for each thing that happened."""
    without_row("3")

    with pytest.raises(BrokenPromiseError) as broken:
        explore(SCENARIOS["lost, late and repeated"])

    story = str(broken.value).splitlines()
    assert "  start" == story[1]
    assert 5 <= len(story) <= 12
