"""The main job on a bad network: nothing lost, nothing doubled, nothing out of order."""

from __future__ import annotations

import pytest
from carrier import carrying, random_parcels

from carrierflow.sandbox.haravan import FaultKind, FaultMix, Faults

from .bad_network import settle


FAST = {"rate_bucket": 100_000, "rate_leak": 100_000.0}

NETWORK = {
    FaultKind.LOST_REQUEST: 0.05,
    FaultKind.LOST_REPLY: 0.05,
    FaultKind.LATE_APPLY: 0.05,
    FaultKind.ERROR_500_BEFORE: 0.03,
    FaultKind.ERROR_502_AFTER: 0.03,
    FaultKind.THROTTLE_429: 0.03,
    FaultKind.THROTTLE_429_BARE: 0.02,
    FaultKind.HTML: 0.02,
    FaultKind.EMPTY_BODY: 0.02,
    FaultKind.TRUNCATED_BODY: 0.02,
    FaultKind.STALE_READ: 0.05,
    FaultKind.MISSING_IDS: 0.02,
}


@pytest.mark.parametrize("seed", range(6))
def test_repeated_runs_converge(tmp_path, seed):
    """Under every network fault, runs converge; the judge sees no illegal or needless PUT."""
    mix = FaultMix(rates=NETWORK, late_seconds=(1, 30), stale_seconds=(1, 20), missing_share=0.1)
    faults = Faults(mix=mix, seed=seed, late_limit=30.0)
    with carrying(f"sqlite:///{tmp_path}/ledger.db", faults=faults, **FAST) as carrier:
        carrier.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        parcels, missing = random_parcels(carrier, "alpha", 60, seed=seed)

        settle(carrier, faults)

        judged = carrier.judged()
        assert [carrier.known(ref) for ref in parcels] == [carrier.shown(ref) for ref in parcels]
        assert () == judged.illegal
        assert () == judged.after_cancel
        assert len(judged.duplicates) <= len(judged.ambiguous)
        assert missing <= judged.puts_applied
        assert [] == carrier.app.incidents.all(state=None)
        assert carrier.app.verify().ok
        print(
            f"seed {seed}: {missing} missing, {judged.puts_received} PUTs, "
            f"{len(judged.ambiguous)} ambiguous, {len(judged.duplicates)} duplicates"
        )


@pytest.mark.parametrize("seed", range(3))
def test_merchants_are_never_overruled_silently(tmp_path, seed):
    """With merchants editing and cancelling in between, every parcel agrees or has an incident."""
    rates = NETWORK | {
        FaultKind.MERCHANT_EDIT_BEFORE: 0.03,
        FaultKind.MERCHANT_CANCEL_AFTER: 0.02,
        FaultKind.NONSENSE_WORD: 0.01,
    }
    faults = Faults(mix=FaultMix(rates=rates, late_seconds=(1, 30)), seed=seed, late_limit=30.0)
    with carrying(
        f"sqlite:///{tmp_path}/ledger.db", faults=faults, freeze_share=1.0, **FAST
    ) as carrier:
        carrier.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        parcels, _ = random_parcels(carrier, "alpha", 60, seed=seed)
        for _ in range(25):
            carrier.app.reconcile(full=True)
            carrier.clock.advance(60)
        faults.plan()
        for _ in range(3):
            carrier.clock.advance(60)
            carrier.app.reconcile(full=True)

        judged = carrier.judged()
        incidents = {incident.fulfillment_id for incident in carrier.app.incidents.all()}
        apart = [ref for ref in parcels if carrier.known(ref) != carrier.shown(ref)]
        assert () == judged.illegal
        assert {ref.fulfillment_id for ref in apart} <= incidents
        assert carrier.app.verify().ok
