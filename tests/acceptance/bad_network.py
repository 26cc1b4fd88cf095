"""A bad network in front of any platform, and a carrier that runs until nothing is left."""

from __future__ import annotations

from carrierflow.sandbox.faults import FaultKind, FaultMix, Faults


__all__ = ["settle", "wire_faults"]

WIRE = {
    FaultKind.LOST_REQUEST: 0.05,
    FaultKind.LOST_REPLY: 0.05,
    FaultKind.LATE_APPLY: 0.05,
    FaultKind.ERROR_500_BEFORE: 0.03,
    FaultKind.ERROR_502_AFTER: 0.03,
    FaultKind.THROTTLE_429: 0.03,
    FaultKind.HTML: 0.02,
    FaultKind.EMPTY_BODY: 0.02,
    FaultKind.TRUNCATED_BODY: 0.02,
    FaultKind.STALE_READ: 0.05,
}


def wire_faults(seed):
    """Return what goes wrong between a client and whatever platform it talks to."""
    mix = FaultMix(rates=WIRE, late_seconds=(1, 30), stale_seconds=(1, 20))
    return Faults(mix=mix, seed=seed, late_limit=30.0)


def settle(carrier, faults):
    """Run until nothing is left, a minute apart; then twice more without any fault."""
    for _ in range(40):
        (report,) = carrier.app.reconcile(full=True)
        carrier.clock.advance(60)
        if not report.left and report.end_reason == "done":
            break
    faults.plan()
    for _ in range(2):
        carrier.clock.advance(60)
        carrier.app.reconcile(full=True)
