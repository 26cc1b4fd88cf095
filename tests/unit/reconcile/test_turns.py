"""Waiting for one's turn at shops that another run holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.errors import Interrupted, ShopHeld
from carrierflow.reconcile.run_report import EndReason, RunReport
from carrierflow.reconcile.turns import TURNS, work_in_turn


NOW = datetime(2026, 3, 2, tzinfo=UTC)


def report(shop, reason=EndReason.DONE, **counts):
    """Return the report of a run that ended so."""
    times = {"started_at": NOW, "ended_at": NOW}
    return RunReport(shop=shop, run="1", end_reason=reason, **times, **counts)


class Runs:
    """Runs at shops, of which some are held for their first looks."""

    def __init__(self, **held):
        self.held, self.looks, self.pauses = held, [], []

    def __call__(self, codes):
        """Look after some shops; as the runner, raise where the only one is held."""
        self.looks.append(list(codes))
        reports = [report(code, self._ending(code)) for code in codes]
        if len(codes) == 1 and reports[0].held:
            raise ShopHeld(codes[0])
        return reports

    def _ending(self, code):
        self.held[code] = self.held.get(code, 0) - 1
        return EndReason.SHOP_HELD if self.held[code] >= 0 else EndReason.DONE


@pytest.mark.parametrize("codes", [["a"], ["a", "b", "c"]])
def test_a_held_shop_is_looked_after_when_it_is_free(codes):
    """The free shops are looked after at once and once, the held one after its turn has come."""
    runs = Runs(a=3)

    reports = work_in_turn(runs, codes, sleep=runs.pauses.append)

    assert [(code, EndReason.DONE) for code in codes] == [(r.shop, r.end_reason) for r in reports]
    assert [codes, ["a"], ["a"], ["a"]] == runs.looks
    assert 3 == len(runs.pauses)


def test_nobody_waits_for_ever():
    """After an hour the shop is said to be held."""
    alone = Runs(a=10_000)
    with pytest.raises(ShopHeld):
        work_in_turn(alone, ["a"], sleep=alone.pauses.append)
    assert TURNS == len(alone.pauses)
    assert 3600 == sum(alone.pauses)


def test_a_wait_that_is_interrupted_ends():
    """Whoever is asked to stop looks once more, and says what that look says."""
    stopped = []

    def sleep(_):
        stopped.append(True)
        raise Interrupted

    def work(codes):
        reason = EndReason.INTERRUPTED if stopped else EndReason.SHOP_HELD
        return [report(code, reason) for code in codes]

    (found,) = work_in_turn(work, ["a"], sleep=sleep)
    assert EndReason.INTERRUPTED is found.end_reason
    assert 1 == len(stopped)


def test_what_was_done_before_a_shop_was_lost_counts():
    """A run that lost its shop half-way and came back is one report with both parts."""
    parts = [report("a", EndReason.LEASE_LOST, published=2), report("a", published=3)]

    (found,) = work_in_turn(lambda _: [parts.pop(0)], ["a"], sleep=lambda _: None)
    assert (EndReason.DONE, 5) == (found.end_reason, found.published)
