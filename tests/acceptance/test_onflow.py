"""A carrier whose parcels come from Onflow's warehouse, against its sandbox over real sockets."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import timedelta

import pytest
from carrier import START, carried
from onflow_carrier import BEFORE, STAGES, OnflowCarrier

from carrierflow import Event, Status, UnsupportedByPlatform
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Machine
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.onflow import OnflowServer, OnflowStage, OnflowWorld

from .bad_network import settle, wire_faults


@contextmanager
def carrying(folder, *, faults=None):
    """Build a carrier and an Onflow in virtual time, and take them down again."""
    server = OnflowServer(OnflowWorld(clock=ManualClock(START)), faults=faults)
    with carried(OnflowCarrier, f"sqlite:///{folder}/ledger.db", server) as made:
        made.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        yield made


@pytest.fixture
def carrier(tmp_path):
    """A carrier and an Onflow."""
    with carrying(tmp_path) as made:
        yield made


def test_a_delivered_parcel_at_the_handover_is_in_sync_and_closes(carrier):
    """The warehouse knows nothing beyond its handover, so nothing beyond it is drift."""
    walk = ("picking", "delivering", "delivered")
    ref = carrier.shipment("alpha", OnflowStage.HANDOVER, cod=250_000, walk=walk)

    (report,) = carrier.runs()

    assert ("done", 1, 0, 0) == (report.end_reason, report.in_sync, report.left, report.awaiting)
    assert 0 == carrier.judged().writes_received
    carrier.record(ref, "codreceipt")
    carrier.clock.advance(3 * 86_400)
    carrier.runs()
    carrier.clock.advance(3 * 86_400)
    carrier.runs()
    assert not carrier.app.parcel("alpha", ref.fulfillment_id).open


@pytest.mark.parametrize("stage", BEFORE)
def test_a_cancel_before_the_handover_is_told_once(carrier, stage):
    """Then both sides show it, and a second run writes nothing."""
    ref = carrier.shipment("alpha", stage, walk=["cancel"])

    (first,) = carrier.runs()
    carrier.clock.advance(60)
    (second,) = carrier.runs()

    assert (1, 0) == (first.published, second.published)
    assert 1 == carrier.judged().writes_received
    assert (1, 0) == (second.in_sync, second.left)
    assert str(carrier.stage_of(ref)).startswith("cancelled")


def test_a_cancel_after_the_handover_is_one_incident(carrier):
    """The warehouse cannot take it back: a person is told, once, and nothing is sent."""
    carrier.shipment("alpha", OnflowStage.HANDOVER, walk=["cancel"])

    for _ in range(3):
        carrier.runs()
        carrier.clock.advance(3600)

    (incident,) = carrier.app.incidents.all()
    assert "cannot_be_told" == incident.kind
    assert 0 == carrier.judged().writes_received


def test_the_warehouse_s_steps_become_history(carrier):
    """Its handover and its cancel are adopted, with the platform as their source."""
    moved = carrier.shipment("alpha", OnflowStage.HANDOVER)
    gone = carrier.shipment("alpha", OnflowStage.NEW)
    carrier.world.cancel_by_hand(gone.fulfillment_id)

    carrier.runs()

    assert "delivering" == carrier.known(moved)[0]
    assert "cancel" == carrier.known(gone)[0]
    entries = carrier.app.timeline("alpha", moved.fulfillment_id).entries
    assert {"platform"} == {str(e.source) for e in entries if e.to_status == Status.DELIVERING}
    assert 0 == carrier.judged().writes_received


def test_a_missed_scan_that_was_filled_in_is_no_difference(carrier):
    """It bears the date of the next scan, a day after the warehouse handed the parcel over."""
    ref = carrier.shipment("alpha", OnflowStage.HANDOVER)
    carrier.clock.advance(86_400)
    delivered = Event(
        shop="alpha",
        fulfillment_id=ref.fulfillment_id,
        status=Status.DELIVERED,
        occurred_at=carrier.clock(),
        fill_gaps=True,
    )
    assert "accepted" == carrier.app.ledger.record(delivered).verdict

    (report,) = carrier.runs()

    assert (1, []) == (report.in_sync, carrier.app.incidents.all(state=None))


def test_an_import_says_that_nothing_is_listed(carrier):
    """An account is not taken for an empty one."""
    carrier.platform_parcel("alpha")

    with pytest.raises(UnsupportedByPlatform, match="each shipment by its tracking code"):
        list(carrier.app.import_shop("alpha"))


def test_a_warehouse_that_is_behind_is_waited_for(carrier):
    """Nobody is called, nothing is sent, and the run has no work left."""
    carrier.shipment("alpha", OnflowStage.NEW, walk=["picking", "delivering"])

    (report,) = carrier.runs()

    assert ("done", 1, 0) == (report.end_reason, report.awaiting, report.left)
    assert [] == carrier.app.incidents.all()
    assert 0 == carrier.judged().writes_received


def random_walk(rng):
    """Return a legal history of a parcel."""
    lifecycle, place, walk = Lifecycle(DEFAULT), "readytopick", []
    for _ in range(rng.randrange(6)):
        following = lifecycle.allowed(Machine.DELIVERY, place)
        if not following:
            break
        place = rng.choice(following)
        walk.append(str(place))
    return walk


def test_three_accounts_end_in_agreement_with_exactly_the_missing_cancels(carrier, capsys):
    """300 shipments at random: one run cancels what is cancelled here and not handed over."""
    rng = random.Random(7)
    carrier.connect("beta", "gamma", bucket_size=100_000, leak_per_second=100_000)
    refs = [
        (carrier.shipment(shop, rng.choice(STAGES), walk=random_walk(rng)), shop)
        for shop in ("alpha", "beta", "gamma")
        for _ in range(100)
    ]
    missing = sum(
        "cancel" == carrier.known(ref)[0] and carrier.stage_of(ref) in BEFORE for ref, _ in refs
    )

    carrier.app.plan(["alpha", "beta", "gamma"])
    assert 0 == carrier.judged().writes_received, "a plan writes nothing"
    first = carrier.runs()
    wrote = carrier.judged().writes_received
    carrier.clock.advance(60)
    second = carrier.runs()

    assert (missing, missing) == (wrote, carrier.judged().writes_applied)
    assert wrote == carrier.judged().writes_received, "a second run writes nothing"
    assert {"done"} == {report.end_reason for report in (*first, *second)}
    assert {0} == {report.left for report in second}
    assert carrier.judged().is_clean
    with capsys.disabled():
        print(f"\nOnflow: 300 shipments, {missing} cancels missing, {wrote} told, then 0")


@pytest.mark.parametrize("seed", range(3))
def test_repeated_runs_converge_on_a_bad_network(tmp_path, seed):
    """Under every fault of the wire each cancel arrives, and none is told twice heard."""
    faults = wire_faults(seed)
    with carrying(tmp_path, faults=faults) as carrier:
        refs = [carrier.shipment("alpha", stage, walk=["cancel"]) for stage in STAGES[:3] * 8]
        settle(carrier, faults)

        assert all(str(carrier.stage_of(ref)).startswith("cancelled") for ref in refs)
        assert () == carrier.judged().illegal
        assert len(carrier.judged().duplicates) <= len(carrier.judged().ambiguous)
        assert [] == carrier.app.incidents.all(state=None)
        assert carrier.app.verify().ok


def test_events_of_a_shipment_are_recorded_as_everywhere(carrier):
    """Whatever the platform, the ledger takes what the carrier tells."""
    ref = carrier.shipment("alpha", OnflowStage.PACKED)

    answer = carrier.app.ledger.record(
        Event(
            shop="alpha",
            fulfillment_id=ref.fulfillment_id,
            status=Status.PICKING,
            occurred_at=carrier.clock() - timedelta(hours=1),
        )
    )

    assert "accepted" == answer.verdict
