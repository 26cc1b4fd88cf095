"""A run that has to wait: it holds on to its shop, hears whoever wants it to stop, and ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from carrierflow.errors import ShopHeld
from carrierflow.reconcile import EndReason
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.storage.shops import change_shop

from .stage import staged


PAUSE = 50
"""Seconds of a pause that a run sits through."""


@pytest.fixture
def stage(tmp_path):
    """A carrier with a shop, and a step to tell it."""
    with staged(f"sqlite:///{tmp_path}/ledger.db", lease_seconds=4) as made:
        made.connect("alpha")
        made.parcel("alpha", walk=["picking"])
        yield made


def pause(stage, seconds):
    """Let the platform have asked for a pause."""
    until = int((stage.clock().timestamp() + seconds) * 1_000_000)
    stage.app.store.transact(lambda c: change_shop(c, "alpha", paused_until_us=until))


def test_a_run_that_waits_keeps_its_shop(stage):
    """A wait of many leases: whoever comes meanwhile finds the shop held, and then it is done."""
    pause(stage, PAUSE)
    refused = []

    def sleep(seconds):
        stage.clock.advance(seconds)
        with pytest.raises(ShopHeld):
            stage.app.reconcile(["alpha"])
        refused.append(seconds)

    (report,) = stage.app_that_sleeps(sleep).reconcile(["alpha"])

    assert (EndReason.DONE, 1) == (report.end_reason, report.published)
    assert len(refused) >= PAUSE


def test_a_run_that_waits_ends_when_it_is_asked_to(stage):
    """In the middle of a wait: within seconds, with a report that says so, and the shop free."""
    pause(stage, PAUSE)
    began = stage.clock()

    (report,) = stage.app.reconcile(stop=lambda: stage.clock() > began + timedelta(seconds=10))

    assert EndReason.INTERRUPTED is report.end_reason
    assert timedelta(seconds=15) > stage.clock() - began
    assert EndReason.DONE is stage.app.reconcile(["alpha"])[0].end_reason


def test_who_asked_to_stop_before_hears_of_shops_that_were_not_begun(stage):
    """No further shop is begun, and nothing is asked of the platform."""
    (report,) = stage.app.reconcile(stop=lambda: True)

    assert (EndReason.INTERRUPTED, "") == (report.end_reason, report.run)
    assert 0 == stage.judged().gets


def throttle(stage, times):
    """Let the platform ask for a pause of an hour."""
    fault = Fault(kind=FaultKind.THROTTLE_LONG)
    stage.server.faults.plan(script=[Rule(fault=fault, times=times)])


def test_a_long_pause_ends_the_run(stage):
    """It does not hold the shop for it: it says when to come again, within the setting."""
    throttle(stage, 1)
    began = stage.clock()

    (report,) = stage.app.reconcile()

    longest = timedelta(seconds=stage.settings.longest_pause_seconds)
    assert EndReason.THROTTLED is report.end_reason
    assert timedelta(seconds=10) > report.ended_at - began
    assert longest >= report.next_look_at - report.ended_at > longest - timedelta(seconds=10)
    stage.clock.advance(longest.total_seconds())
    assert EndReason.DONE is stage.app.reconcile()[0].end_reason


def test_waiting_sits_a_long_pause_out_and_goes_on(stage):
    """`wait` comes again when the pause is over, and does what is left."""
    throttle(stage, 2)

    (report,) = stage.app.reconcile(wait=True)

    assert (EndReason.DONE, 1) == (report.end_reason, report.published)


def test_waiting_for_a_platform_that_always_wants_a_pause_ends(stage):
    """Nothing waits for ever: after some pauses the report says what it waited for."""
    throttle(stage, 1000)

    (report,) = stage.app.reconcile(wait=True)

    assert EndReason.THROTTLED is report.end_reason
