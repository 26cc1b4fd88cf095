"""The main job without faults: agreement, exactly the missing PUTs, and few GETs."""

from __future__ import annotations

import math

import pytest
from carrier import carrying, random_parcels

from carrierflow.domain.model import FulfillmentRef, Opening


FAST = {"rate_bucket": 100_000, "rate_leak": 100_000.0}
SHOPS = ("alpha", "beta", "gamma")


@pytest.fixture
def carrier(tmp_path):
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as built:
        built.connect(*SHOPS, bucket_size=100_000, leak_per_second=100_000)
        yield built


def test_one_run_ends_in_agreement_with_exactly_the_missing_puts(carrier):
    """Three lagging shops agree after one run; PUTs are the missing steps, GETs one in fifty."""
    missing, parcels = 0, []
    for number, shop in enumerate(SHOPS):
        made, lacking = random_parcels(carrier, shop, 175, seed=number)
        parcels += made
        missing += lacking

    puts = carrier.judged().puts_received
    plan, _, _ = carrier.app.plan()
    assert puts == carrier.judged().puts_received, "a plan makes no PUT"
    assert missing == sum(len(line["puts"]) for line in plan.lines)

    before = carrier.judged().gets
    reports = carrier.app.reconcile()

    judged = carrier.judged()
    assert [carrier.known(ref) for ref in parcels] == [carrier.shown(ref) for ref in parcels]
    assert missing == judged.puts_received - puts
    assert missing == sum(report.published for report in reports)
    assert judged.is_clean
    for report in reports:
        assert report.requests.get <= math.ceil(report.orders / 50) + 6
        assert (175, 0, 0) == (report.in_sync, report.left, report.frozen)
    assert [] == carrier.app.incidents.all()

    again = carrier.app.reconcile()

    assert [0, 0, 0] == [report.requests.put for report in again]
    assert all(report.requests.get <= 6 for report in again)
    assert missing == carrier.judged().puts_received - puts
    print(
        f"{len(parcels)} parcels, {missing} missing transitions, "
        f"{judged.puts_received - puts} PUTs, "
        f"{judged.gets - before} GETs; second run: {sum(r.requests.get for r in again)} GETs"
    )


def test_a_dry_run_writes_nothing(carrier, tmp_path):
    """A plan leaves ledger, cursor and platform as they are, and says the same twice."""
    random_parcels(carrier, "alpha", 60, seed=9)
    puts = carrier.judged().puts_received
    rows = carrier.rows()

    first, _, _ = carrier.app.plan()
    second, _, _ = carrier.app.plan()

    assert first.to_text() == second.to_text()
    assert puts == carrier.judged().puts_received
    assert rows == carrier.rows()
    assert first.lines


def test_applying_a_plan_does_what_it_says(carrier):
    """Carrying a plan out makes its PUTs; lines whose evidence changed are left alone."""
    parcels, _ = random_parcels(carrier, "alpha", 80, seed=10)
    plan, _, _ = carrier.app.plan()
    puts = carrier.judged().puts_received
    changed = next(line for line in plan.lines if line["class"] == "publish")
    ref = next(r for r in parcels if r.fulfillment_id == changed["fulfillment_id"])
    carrier.world.edit(
        carrier.world.shop("alpha").parcel(int(ref.order_id), int(ref.fulfillment_id)).ref,
        carrier_status="notmeetcustomer",
    )

    (report,) = carrier.app.apply(plan)

    assert 1 == report.stale
    expected = sum(len(line["puts"]) for line in plan.lines) - len(changed["puts"])
    assert expected == carrier.judged().puts_received - puts == report.published


def test_max_writes_is_kept_and_the_next_run_goes_on(carrier):
    """A run stops after the allowed PUTs with work left; the next ones finish it."""
    _, missing = random_parcels(carrier, "alpha", 60, seed=11)
    puts = carrier.judged().puts_received

    (report,) = carrier.app.reconcile(["alpha"], max_writes=5)

    assert ("max_writes", 5) == (report.end_reason, carrier.judged().puts_received - puts)
    assert report.left > 0
    carrier.app.reconcile(["alpha"])
    assert missing == carrier.judged().puts_received - puts


def test_what_a_plan_says_of_missing_and_unknown_parcels_is_carried_out(carrier):
    """A line about a parcel that one side lacks holds for as long as that side lacks it."""
    kept = carrier.parcel("alpha")
    carrier.app.reconcile(["alpha"])
    carrier.clock.advance(60)
    lost = FulfillmentRef(shop="alpha", order_id="77001", fulfillment_id="88001")
    carrier.app.ledger.open(Opening(ref=lost))
    order, stranger = carrier.world.add_parcel(shop="alpha", carrier_status="readytopick")
    plan, _, _ = carrier.app.plan(full=True)
    classes = {line["fulfillment_id"]: line["class"] for line in plan.lines}

    (report,) = carrier.app.apply(plan)

    assert {lost.fulfillment_id: "missing", str(stranger): "unknown_here"} == {
        name: kind for name, kind in classes.items() if name != kept.fulfillment_id
    }
    assert 0 == report.stale
    assert 1 == carrier.app.parcel("alpha", lost.fulfillment_id).missing
    assert [("unknown_here", str(order))] == [
        (it.kind, it.evidence.get("order_id")) for it in carrier.app.incidents.all(state="open")
    ]

    for _ in carrier.app.import_shop("alpha"):
        pass
    (report,) = carrier.app.apply(plan)

    assert 1 == report.stale
