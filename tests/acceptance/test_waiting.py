"""A run that has to wait: it holds on to its shop, hears whoever wants it to stop, and ends."""

from __future__ import annotations

from datetime import timedelta

import pytest
from carrier import carrying

from carrierflow.errors import ShopHeld
from carrierflow.reconcile import EndReason
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.storage.shops import change_shop


PAUSE = 50
"""Seconds of a pause that a run sits through."""


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop, and a step to tell it."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", lease_seconds=4) as made:
        made.connect("alpha")
        made.parcel("alpha", walk=["picking"])
        yield made


def pause(carrier, seconds):
    """Let the platform have asked for a pause."""
    until = int((carrier.clock().timestamp() + seconds) * 1_000_000)
    carrier.app.store.transact(lambda c: change_shop(c, "alpha", paused_until_us=until))


def test_a_run_that_waits_keeps_its_shop(carrier):
    """A wait of many leases: whoever comes meanwhile finds the shop held, and then it is done."""
    pause(carrier, PAUSE)
    refused = []

    def sleep(seconds):
        carrier.clock.advance(seconds)
        with pytest.raises(ShopHeld):
            carrier.app.reconcile(["alpha"])
        refused.append(seconds)

    (report,) = carrier.another_app(sleep=sleep).reconcile(["alpha"])

    assert (EndReason.DONE, 1) == (report.end_reason, report.published)
    assert len(refused) >= PAUSE


def test_a_run_that_waits_ends_when_it_is_asked_to(carrier):
    """In the middle of a wait: within seconds, with a report that says so, and the shop free."""
    pause(carrier, PAUSE)
    began = carrier.clock()

    (report,) = carrier.app.reconcile(stop=lambda: carrier.clock() > began + timedelta(seconds=10))

    assert EndReason.INTERRUPTED is report.end_reason
    assert timedelta(seconds=15) > carrier.clock() - began
    assert EndReason.DONE is carrier.app.reconcile(["alpha"])[0].end_reason


def test_who_asked_to_stop_before_hears_of_shops_that_were_not_begun(carrier):
    """No further shop is begun, and nothing is asked of the platform."""
    (report,) = carrier.app.reconcile(stop=lambda: True)

    assert (EndReason.INTERRUPTED, "") == (report.end_reason, report.run)
    assert 0 == carrier.judged().gets


def throttle(carrier, times):
    """Let the platform ask for a pause of an hour."""
    fault = Fault(kind=FaultKind.THROTTLE_LONG)
    carrier.server.faults.plan(script=[Rule(fault=fault, times=times)])


def test_a_long_pause_ends_the_run(carrier):
    """It does not hold the shop for it: it says when to come again, within the setting."""
    throttle(carrier, 1)
    began = carrier.clock()

    (report,) = carrier.app.reconcile()

    longest = timedelta(seconds=carrier.settings.longest_pause_seconds)
    assert EndReason.THROTTLED is report.end_reason
    assert timedelta(seconds=10) > report.ended_at - began
    assert longest >= report.next_look_at - report.ended_at > longest - timedelta(seconds=10)
    carrier.clock.advance(longest.total_seconds())
    assert EndReason.DONE is carrier.app.reconcile()[0].end_reason


def test_waiting_sits_a_long_pause_out_and_goes_on(carrier):
    """`wait` comes again when the pause is over, and does what is left."""
    throttle(carrier, 2)

    (report,) = carrier.app.reconcile(wait=True)

    assert (EndReason.DONE, 1) == (report.end_reason, report.published)


def test_waiting_for_a_platform_that_always_wants_a_pause_ends(carrier):
    """Nothing waits for ever: after some pauses the report says what it waited for."""
    throttle(carrier, 1000)

    (report,) = carrier.app.reconcile(wait=True)

    assert EndReason.THROTTLED is report.end_reason
