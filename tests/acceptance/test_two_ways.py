"""A shop whose lists show no parcels is read by its orders, and nothing is called gone for it."""

from __future__ import annotations

import pytest
from carrier import carrying

from carrierflow.sandbox.haravan import Fault, FaultKind, Rule

from .test_faults import FAST


FOR_EVER = 10**6
LISTS = r"/orders\.json"

ODD_SHOPS = {
    "shows no fulfillments": Fault(kind=FaultKind.BARE_ORDERS),
    "ignores the ids": Fault(kind=FaultKind.IDS_IGNORED),
    **{
        f"answers lists with {status}": Fault(kind=FaultKind.PROXY_BEFORE, status=status)
        for status in (400, 403, 404, 422)
    },
}


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop that is in agreement."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        made.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        yield made


def behave(carrier, fault, *, path=LISTS):
    """Let the shop's lists be so from now on."""
    rule = Rule(fault=fault, method="GET", path=path, times=FOR_EVER)
    carrier.server.haravan.faults.add(rule)


def agreed(carrier, count):
    """Make parcels that both sides agree about."""
    refs = [carrier.parcel("alpha") for _ in range(count)]
    carrier.clock.advance(600)
    carrier.app.reconcile(full=True)
    carrier.clock.advance(3600)
    return refs


def missing(carrier, refs):
    """Return how often each of these was missed."""
    return [carrier.app.parcel("alpha", ref.fulfillment_id).missing for ref in refs]


def kinds(carrier):
    """Return the kinds of what was opened, closed or not."""
    return [incident.kind for incident in carrier.app.incidents.all(state=None)]


@pytest.mark.parametrize("shop", ODD_SHOPS)
def test_a_shop_that_can_be_read_the_other_way_is_looked_after(carrier, shop):
    """Every parcel is told, none is missed, and the report says what that cost."""
    refs = agreed(carrier, 15)
    for _ in range(50):
        carrier.world.add_order(shop="alpha")
    behave(carrier, ODD_SHOPS[shop])
    for ref in refs:
        carrier.record(ref, "picking", "delivering")

    (report,) = carrier.app.reconcile(full=True)

    assert ("done", 15, 0) == (report.end_reason, report.in_sync, report.left)
    assert 15 <= report.requests.alone <= report.requests.get <= 40
    assert {("delivering", "none")} == {carrier.shown(ref) for ref in refs}
    assert ({0}, []) == (set(missing(carrier, refs)), kinds(carrier))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_shop_that_does_not_list_what_changed_says_so(carrier, status):
    """The run does what it can, and does not pass for one that knows all changes."""
    agreed(carrier, 3)
    behave(carrier, Fault(kind=FaultKind.PROXY_BEFORE, status=status))

    (report,) = carrier.app.reconcile(full=True)

    assert "done" == report.end_reason
    assert f"HTTP {status}" in report.sentence


def test_a_shop_that_shows_its_parcels_costs_no_single_read(carrier):
    """Orders without a parcel cost nothing either, in a shop as it should be."""
    refs = agreed(carrier, 15)
    for _ in range(10):
        carrier.world.add_order(shop="alpha")

    (report,) = carrier.app.reconcile(full=True)

    assert (len(refs), 0) == (report.in_sync, report.requests.alone)
    assert report.sentence is None


def test_an_edit_in_a_shop_without_embedded_parcels_is_found_by_the_sweep(carrier):
    """What changed is found though the list of changes shows no parcel."""
    refs = agreed(carrier, 3)
    behave(carrier, ODD_SHOPS["shows no fulfillments"])
    carrier.world.cancel_order("alpha", int(refs[0].order_id))

    carrier.app.reconcile()

    assert ("cancel", "none") == carrier.known(refs[0])


def test_only_the_parcels_own_404_counts(carrier):
    """An order that disappears is missed by its own address, three times over an hour."""
    refs = agreed(carrier, 3)
    behave(carrier, Fault(kind=FaultKind.MISSING_IDS, ids=(int(refs[0].order_id),)), path="")

    for times in (1, 2):
        carrier.app.reconcile(full=True)
        assert [times, 0, 0] == missing(carrier, refs)
        carrier.clock.advance(2000)
    assert [] == kinds(carrier)
    carrier.app.reconcile(full=True)

    assert ["gone"] == kinds(carrier)
    (incident,) = carrier.app.incidents.all()
    assert "Its own address answered 3 times that there is no such parcel." == incident.sentence


def test_a_parcel_that_only_its_own_address_shows_is_not_gone(carrier):
    """Whatever every list says, and for how long."""
    refs = agreed(carrier, 3)
    empty = Fault(kind=FaultKind.MISSING_IDS, ids=tuple(int(ref.order_id) for ref in refs))
    behave(carrier, empty, path=r"(/orders|/fulfillments)\.json")

    for _ in range(4):
        (report,) = carrier.app.reconcile(full=True)
        assert ("done", 3) == (report.end_reason, report.in_sync)
        carrier.clock.advance(3600)

    assert ([0, 0, 0], []) == (missing(carrier, refs), kinds(carrier))


@pytest.mark.parametrize("count", [1, 15])
def test_a_404_to_everything_is_no_absence(carrier, count):
    """A proxy that answers 404 for hours makes runs fail, and no parcel gone."""
    refs = agreed(carrier, count)
    behave(carrier, Fault(kind=FaultKind.PROXY_BEFORE, status=404), path="")

    for _ in range(4):
        (report,) = carrier.app.reconcile(full=True)
        assert "unavailable" == report.end_reason
        assert report.requests.get < 12
        carrier.clock.advance(3600)

    assert ({0}, []) == (set(missing(carrier, refs)), kinds(carrier))


def test_a_parcel_that_may_not_be_shown_holds_nobody_up(carrier):
    """One parcel whose every address is refused is left unverified; the others are looked after."""
    refs = agreed(carrier, 3)
    seen_at = carrier.app.parcel("alpha", refs[0].fulfillment_id).verified_at
    behave(carrier, Fault(kind=FaultKind.MISSING_IDS, ids=(int(refs[0].order_id),)))
    refused = Fault(kind=FaultKind.PROXY_BEFORE, status=410)
    behave(carrier, refused, path=f"/orders/{refs[0].order_id}/")

    (report,) = carrier.app.reconcile(full=True)

    assert ("done", 2, 1) == (report.end_reason, report.in_sync, report.waiting)
    assert "HTTP 410" in report.sentence
    assert seen_at == carrier.app.parcel("alpha", refs[0].fulfillment_id).verified_at


def test_an_import_brings_what_lists_leave_out(carrier):
    """Parcels are found in the orders that were shipped, though the list shows none of them."""
    for _ in range(5):
        carrier.world.add_parcel(shop="alpha")
    behave(carrier, ODD_SHOPS["shows no fulfillments"])

    assert 5 == list(carrier.app.import_shop("alpha"))[-1].imported


def test_a_plan_reads_the_other_way_too(carrier):
    """A plan of an odd shop has the same lines as one of any other."""
    refs = agreed(carrier, 3)
    carrier.record(refs[0], "picking")
    behave(carrier, ODD_SHOPS["shows no fulfillments"])

    plan, _, _ = carrier.app.plan(full=True)

    assert ["publish"] == [line["class"] for line in plan.lines]
