"""One odd answer to each write, on platforms whose writes cannot be repeated without harm."""

from __future__ import annotations

import pytest
from carrier import START, carried
from onflow_carrier import BEFORE, OnflowCarrier
from sapo_carrier import SapoCarrier

from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule
from carrierflow.sandbox.onflow import OnflowServer, OnflowWorld
from carrierflow.sandbox.sapo import SapoServer, SapoWorld


LOST = [
    Fault(kind=FaultKind.LOST_REQUEST),
    Fault(kind=FaultKind.ERROR_500_BEFORE),
    Fault(kind=FaultKind.REFUSAL_BEFORE),
    Fault(kind=FaultKind.THROTTLE_429),
    *(Fault(kind=FaultKind.PROXY_BEFORE, status=status) for status in (403, 422, 429, 503)),
]
"""The write came to nothing, whatever was answered."""

DONE = [
    Fault(kind=FaultKind.LOST_REPLY),
    Fault(kind=FaultKind.ERROR_502_AFTER),
    Fault(kind=FaultKind.REFUSAL_AFTER),
    Fault(kind=FaultKind.HTML),
    Fault(kind=FaultKind.EMPTY_BODY),
    Fault(kind=FaultKind.TRUNCATED_BODY),
    Fault(kind=FaultKind.LATE_APPLY, seconds=20.0),
    Fault(kind=FaultKind.LATE_APPLY, seconds=20.0, gateway_timeout=True),
    *(Fault(kind=FaultKind.PROXY_AFTER, status=status) for status in (403, 422, 503)),
]
"""The write was carried out, whatever was answered."""

WAY_BACK = ["picking", "delivering", "notmeetcustomer", "waitingforreturn", "return"]

PLATFORMS = {
    "sapo": (
        SapoCarrier,
        lambda faults: SapoServer(SapoWorld(clock=ManualClock(START)), faults=faults),
        ["/ship", r"\d/cancel", "/receive_after_cancellation"],
    ),
    "onflow": (
        OnflowCarrier,
        lambda faults: OnflowServer(OnflowWorld(clock=ManualClock(START)), faults=faults),
        ["/cancel"],
    ),
}
"""Of each platform: its carrier, its server, and the writes that its parcel below takes."""


def put_out(carrier, platform):
    """Make the parcel that takes every write of its platform's."""
    if platform == "sapo":
        return carrier.parcel("alpha", walk=WAY_BACK)
    return carrier.shipment("alpha", BEFORE[-1], walk=["cancel"])


def runs(carrier):
    """Run ten seconds apart until nothing is left, and once more."""
    for _ in range(50):
        (report,) = carrier.app.reconcile(full=True)
        carrier.clock.advance(10)
        if not report.left and report.end_reason == "done":
            break
    (report,) = carrier.app.reconcile(full=True)
    return report


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("fault", "is_done"),
    [(fault, False) for fault in LOST] + [(fault, True) for fault in DONE],
    ids=lambda it: f"{it.kind}-{it.status}" if isinstance(it, Fault) else "",
)
def test_an_odd_answer_loses_and_repeats_nothing(tmp_path, platform, fault, is_done):
    """Each write gets the same odd answer once: it is looked at again, and made once in all.

    What was carried out is not even asked for a second time.
    """
    kind, serve, paths = PLATFORMS[platform]
    faults = Faults(script=[Rule(fault=fault, path=path, times=1) for path in paths])
    with carried(kind, f"sqlite:///{tmp_path}/ledger.db", serve(faults)) as carrier:
        carrier.connect("alpha", bucket_size=100_000) if platform == "onflow" else carrier.connect(
            "alpha"
        )
        ref = put_out(carrier, platform)

        report = runs(carrier)

        judged = carrier.judgement()
        assert (len(paths), 0) == (faults.given[fault.kind], report.left)
        assert (len(paths), (), ()) == (judged.applied, judged.illegal, judged.repeated)
        assert carrier.agrees(ref)
        assert not is_done or carrier.writes == len(paths)
        assert [] == carrier.app.incidents.all(state=None)
        assert carrier.app.verify().ok
