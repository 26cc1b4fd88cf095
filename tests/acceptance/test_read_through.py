"""What a shop is read through is chosen for it, and costs what is said."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from carrier import carrying

from carrierflow.errors import InvalidInput, UnsupportedByPlatform
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule

from .test_faults import FAST


FOR_EVER = 10**6
KINDS = {
    "list": re.compile(r"/com/orders\.json"),
    "order": re.compile(r"/com/orders/\d+\.json"),
    "fulfillments": re.compile(r"/com/orders/\d+/fulfillments\.json"),
    "fulfillment": re.compile(r"/com/orders/\d+/fulfillments/\d+\.json"),
}
BARE = Fault(kind=FaultKind.BARE_ORDERS)
NO_IDS = Fault(kind=FaultKind.IDS_IGNORED)


def refused(status):
    """Return what makes a list answer so."""
    return Fault(kind=FaultKind.PROXY_BEFORE, status=status)


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop that is in agreement."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", **FAST) as made:
        made.connect("alpha", bucket_size=100_000, leak_per_second=100_000)
        yield made


@pytest.fixture
def refs(carrier):
    """Twelve parcels that both sides agree about, in a shop with a page of other orders."""
    made = [carrier.parcel("alpha") for _ in range(12)]
    for _ in range(50):
        carrier.world.add_order(shop="alpha")
    carrier.clock.advance(600)
    carrier.app.reconcile(full=True)
    carrier.clock.advance(3600)
    return made


def behave(carrier, fault):
    """Let the shop's lists of orders be so from now on."""
    rule = Rule(fault=fault, method="GET", path=r"/orders\.json", times=FOR_EVER)
    carrier.server.haravan.faults.add(rule)


def choose(carrier, way):
    """Choose what the shop is read through."""
    carrier.app.shops.change("alpha", choices={"read_through": way})


def run(carrier, **how):
    """Make one run; return its report, and how many GETs of which kind the platform counted."""
    log = carrier.world.recorder.exchanges
    log.clear()
    (report,) = carrier.app.reconcile(**how)
    paths = [each.path for each in log if each.method == "GET"]
    gets = Counter(kind for path in paths for kind in KINDS if KINDS[kind].fullmatch(path))
    assert gets.total() == len(paths) == report.requests.get
    return report, dict(gets)


def missed(carrier, refs):
    """Return how often any parcel was missed, and what was opened, closed or not."""
    times = {carrier.app.parcel("alpha", ref.fulfillment_id).missing for ref in refs}
    return times, [incident.kind for incident in carrier.app.incidents.all(state=None)]


CASES = {
    "auto, orders embed nothing": ("auto", BARE, {"list": 2, "fulfillments": 12}),
    "auto, ids are ignored": ("auto", NO_IDS, {"list": 2, "fulfillments": 12}),
    "auto, ids are refused": ("auto", refused(400), {"list": 2, "fulfillments": 12}),
    "auto, lists are forbidden": ("auto", refused(403), {"list": 2, "fulfillments": 12}),
    "auto, lists are not there": ("auto", refused(404), {"list": 2, "fulfillments": 12}),
    "auto, a shop as it should be": ("auto", None, {"list": 2}),
    "orders, a shop as it should be": ("orders", None, {"list": 2}),
    # The brake asks for one parcel more: all are missing, so this may be another shop.
    "orders, orders embed nothing": ("orders", BARE, {"list": 2, "fulfillment": 13}),
    "fulfillments, a shop as it should be": ("fulfillments", None, {"fulfillments": 12}),
    "fulfillments, orders embed nothing": ("fulfillments", BARE, {"fulfillments": 12}),
    "fulfillments, lists are forbidden": ("fulfillments", refused(403), {"fulfillments": 12}),
}
"""The way chosen, what the shop's lists do, and the GETs of a run over twelve orders."""


@pytest.mark.parametrize("case", CASES)
def test_each_way_costs_what_is_said(carrier, refs, case):
    """No order is asked for twice, no parcel is called gone, and all of them are verified."""
    way, fault, expected = CASES[case]
    choose(carrier, way)
    if fault is not None:
        behave(carrier, fault)

    report, gets = run(carrier, full=True)

    assert expected == gets
    assert ("done", 12, 0) == (report.end_reason, report.in_sync, report.left)
    assert expected.get("fulfillments", 0) == report.requests.alone
    assert ({0}, []) == missed(carrier, refs)


@pytest.mark.parametrize("fault", [BARE, refused(403)], ids=["bare", "forbidden"])
@pytest.mark.parametrize("way", ["auto", "fulfillments"])
def test_what_was_recorded_is_told_either_way(carrier, refs, way, fault):
    """Exactly the missing PUTs are made, in order, whatever the shop is read through."""
    choose(carrier, way)
    behave(carrier, fault)
    for ref in refs:
        carrier.record(ref, "picking", "delivering")

    report, _ = run(carrier)

    assert 24 == report.requests.put == carrier.judged().puts_applied
    assert carrier.judged().is_clean
    assert {("delivering", "none")} == {carrier.shown(ref) for ref in refs}


def test_a_shop_that_is_never_listed_has_good_runs(carrier, refs):
    """A run with nothing to do asks nothing and is done; a merchant's edit is found when due."""
    choose(carrier, "fulfillments")
    carrier.world.cancel_order("alpha", int(refs[0].order_id))

    report, gets = run(carrier)
    assert ("done", None, {}) == (report.end_reason, report.sentence, gets)
    assert ("readytopick", "none") == carrier.known(refs[0])
    run(carrier, full=True)

    assert ("cancel", "none") == carrier.known(refs[0])


def test_a_shop_that_is_listed_again_misses_no_change(carrier, refs):
    """What changed while nobody listed it is found by the first sweep after that."""
    choose(carrier, "fulfillments")
    carrier.world.cancel_order("alpha", int(refs[0].order_id))
    run(carrier)
    carrier.clock.advance(3600)
    choose(carrier, None)

    _, gets = run(carrier)

    assert {"list": 1} == gets
    assert ("cancel", "none") == carrier.known(refs[0])


def test_lists_alone_are_not_gone_around(carrier, refs):
    """Where lists alone were chosen, a list that is forbidden ends the run, and says so."""
    choose(carrier, "orders")
    behave(carrier, refused(403))

    report, gets = run(carrier, full=True)

    assert ("access_denied", {"list": 2}) == (report.end_reason, gets)
    assert ({0}, ["access_denied"]) == missed(carrier, refs)


def test_lists_alone_are_swept_alone(carrier, refs):
    """An order that changed, and is listed without its parcel, is not asked for its own list."""
    choose(carrier, "orders")
    behave(carrier, BARE)
    carrier.world.cancel_order("alpha", int(refs[0].order_id))

    _, gets = run(carrier)

    assert {"list", "fulfillment"} == set(gets)
    assert ("cancel", "none") == carrier.known(refs[0])


def test_an_import_needs_a_list(carrier):
    """A shop that is never listed is not taken for an empty one."""
    carrier.platform_parcel("alpha")
    choose(carrier, "fulfillments")
    with pytest.raises(UnsupportedByPlatform, match="`auto`"):
        list(carrier.app.import_shop("alpha"))

    choose(carrier, None)

    assert 1 == list(carrier.app.import_shop("alpha"))[-1].imported


@pytest.mark.parametrize("platform", ["sapo", "onflow"])
def test_other_platforms_have_one_way(carrier, platform):
    """It cannot be chosen there, neither at first nor later, and what can be is said."""
    options = {"platform": platform, "token": "t", "base_url": carrier.server.url}
    with pytest.raises(UnsupportedByPlatform, match="it offers remote_ahead") as caught:
        carrier.app.shops.add("beta", options={"read_through": "auto"}, **options)
    carrier.app.shops.add("beta", **options)
    with pytest.raises(UnsupportedByPlatform, match="`read_through`"):
        carrier.app.shops.change("beta", choices={"read_through": "orders"})

    assert "read_through" not in caught.value.offers
    assert "read_through" not in carrier.app.choices.of(carrier.app.shops.get("beta"))


def test_a_choice_of_another_platform_is_not_ours(carrier):
    """The same holds the other way round; what nobody offers is no choice at all."""
    with pytest.raises(UnsupportedByPlatform, match="Haravan has no choice of `cancel_shipped`"):
        carrier.app.shops.change("alpha", choices={"cancel_shipped": "now"})
    for senseless in ({"read_through": "both"}, {"read": "auto"}):
        with pytest.raises(InvalidInput) as caught:
            carrier.app.shops.change("alpha", choices=senseless)
        assert not isinstance(caught.value, UnsupportedByPlatform)
