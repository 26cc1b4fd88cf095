"""The platform polls order detail while we tell it statuses: two channels, one truth."""

from __future__ import annotations

import pytest
from carrier import LEGAL, carrying, random_parcels

from carrierflow.carrier_service import callbacks, shipments
from carrierflow.domain.model import Status
from carrierflow.sandbox.haravan import FaultMix, Faults

from .calling import SECRET, Platform, platform_ref
from .test_faults import FAST, NETWORK


def converge(carrier, seed, *, parcels):
    """Run until the platform has what the ledger has, polled all the way; return the parcels."""
    carrier.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
    refs, _ = random_parcels(carrier, "alpha", parcels, seed=seed)
    platform = Platform(carrier, seed=seed)
    platform.poll_while_the_carrier_works(map(platform_ref, refs))
    for _ in range(25):
        (report,) = carrier.app.reconcile(full=True)
        carrier.clock.advance(60)
        if not report.left and report.end_reason == "done":
            break
    carrier.server.faults.plan()
    for _ in range(2):
        carrier.clock.advance(60)
        carrier.app.reconcile(full=True)
    return refs


def skipped(carrier):
    """Return the moves that an answer to the poller made, and that no lifecycle allows."""
    moves = [touch for touch in carrier.judged().touches if touch.source == "poll"]
    return moves, [m for m in moves if (m.from_status, m.to_status) not in LEGAL[m.machine]]


def network(seed):
    """Return the faults of a bad network."""
    mix = FaultMix(rates=NETWORK, late_seconds=(1, 30), stale_seconds=(1, 20), missing_share=0.1)
    return Faults(mix=mix, seed=seed, late_limit=30.0)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2, 3))])
def test_no_answer_to_the_poller_skips_a_step(tmp_path, seed):
    """With the poller on and faults in the PUT path, the judge sees legal steps only."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    with carrying(url, faults=network(seed), client_secret=SECRET, **FAST) as carrier:
        refs = converge(carrier, seed, parcels=30)

        moves, illegal = skipped(carrier)
        judged = carrier.judged()
        assert [] == illegal
        assert () == judged.illegal
        assert () == judged.illegal_after_touch
        assert () == judged.after_cancel
        assert [carrier.known(ref) for ref in refs] == [carrier.shown(ref) for ref in refs]
        assert [] == carrier.app.incidents.all(state=None)
        assert moves, "the poller was never the first to bring a status; this proves nothing"
        print(f"seed {seed}: {judged.puts_applied} PUTs applied, {len(moves)} moves by the poller")


def test_answering_the_head_would_skip_steps(tmp_path, monkeypatch):
    """The judge would notice: answered with the ledger's head, the platform jumps."""

    def head(parcel, publication_log):
        return Status(parcel.delivery.status), Status(parcel.cod.status)

    monkeypatch.setattr(shipments, "published_status", head)
    url = f"sqlite:///{tmp_path}/ledger.db"
    with carrying(url, client_secret=SECRET, **FAST) as carrier:
        converge(carrier, 1, parcels=25)

        assert [] != skipped(carrier)[1]
    assert callbacks.detail_answer is shipments.detail_answer
