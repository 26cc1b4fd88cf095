"""What a webhook is good for: the time until somebody looks, and nothing else."""

from __future__ import annotations

import pytest
from carrier import carrying
from plain_runs import hints

from .calling import SECRET, Platform, platform_ref
from .test_faults import FAST


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop that is swept already."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", client_secret=SECRET, **FAST) as made:
        made.connect("alpha")
        yield made


def cancelled_by_the_merchant(carrier, parcels=60):
    """Bring a shop into agreement, then let the merchant cancel one of its parcels."""
    refs = [carrier.parcel("alpha") for _ in range(parcels)]
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    carrier.clock.advance(3600)
    carrier.world.cancel_order("alpha", int(refs[7].order_id))
    return refs[7]


def test_a_webhook_shortens_the_wait_to_one_look_at_that_parcel(carrier):
    """After it, one GET and no other order are between the merchant's cancel and its adoption."""
    ref = cancelled_by_the_merchant(carrier)
    assert 200 == Platform(carrier).webhook("orders/cancelled", ref.order_id)

    (report,) = carrier.app.reconcile(hinted=True)

    assert ("cancel", "none") == carrier.known(ref)
    assert (1, 0, 1, 1) == (
        report.requests.get,
        report.requests.put,
        report.orders,
        report.adopted,
    )


def test_without_hints_nothing_is_asked(carrier):
    """The quick pass costs the platform nothing where no webhook came, or all were followed."""
    ref = cancelled_by_the_merchant(carrier)
    assert [] == carrier.app.reconcile(hinted=True)

    Platform(carrier).webhook("orders/cancelled", ref.order_id)
    carrier.app.reconcile(hinted=True)
    gets = carrier.judged().gets

    assert [] == carrier.app.reconcile(hinted=True)
    assert gets == carrier.judged().gets


def test_losing_every_webhook_changes_the_time_only(carrier):
    """The next ordinary run finds the same change by itself, and the ledger ends the same."""
    ref = cancelled_by_the_merchant(carrier)

    carrier.clock.advance(300)
    carrier.app.reconcile()

    assert ("cancel", "none") == carrier.known(ref)
    assert [] == carrier.app.incidents.all(state=None)


def test_a_webhook_decides_nothing(carrier):
    """A webhook that lies about a parcel brings a look, and the look finds what is true."""
    ref = carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    Platform(carrier).webhook("orders/cancelled", ref.order_id)

    carrier.app.reconcile(hinted=True)

    assert ("readytopick", "none") == carrier.known(ref)
    assert [] == carrier.app.incidents.all(state=None)


def test_an_ordinary_run_follows_hints_too(carrier):
    """What a run looked at needs no second look, and a parcel long closed is looked at as well."""
    ref = carrier.parcel("alpha", walk=["cancel"], platform="cancel")
    for _ in range(2):
        carrier.clock.advance(3 * 86_400)
        carrier.app.reconcile(full=True)
    assert not carrier.app.parcel("alpha", ref.fulfillment_id).open
    Platform(carrier).webhook("orders/updated", ref.order_id)

    (report,) = carrier.app.reconcile()

    assert 1 == report.checked
    assert [] == list(hints(carrier.app.store, "alpha"))


def test_a_hint_that_comes_during_a_look_stands(carrier):
    """A change behind the back of a run is hinted at once more, and looked at by the next."""
    ref = cancelled_by_the_merchant(carrier, parcels=10)
    platform = Platform(carrier)
    platform.webhook("orders/updated", ref.order_id)
    shop = carrier.app.shops.get("alpha")
    listed = hints(carrier.app.store, "alpha")
    carrier.clock.advance(1)
    platform.webhook("orders/cancelled", ref.order_id)

    carrier.app.reconciler.parts.store.clear_hints(shop, listed)

    assert [ref.order_id] == [hint.order_id for hint in hints(carrier.app.store, "alpha")]


def test_the_seller_s_cancel_is_not_told_back(carrier):
    """After our yes the platform cancels by itself; runs before and after it send nothing."""
    ref = carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    number = {"tracking_number": f"T-{ref.fulfillment_id}"}
    assert 200 == Platform(carrier).call("DELETE", "/alpha/cancel", number).status

    carrier.app.reconcile(full=True)
    carrier.world.cancel_order("alpha", int(ref.order_id))
    for _ in range(3):
        carrier.clock.advance(30)
        carrier.app.reconcile(full=True)

    assert ("cancel", "none") == carrier.known(ref) == carrier.shown(ref)
    assert 0 == carrier.judged().puts_received
    assert [] == carrier.app.incidents.all(state=None)
    assert 0 == carrier.app.parcel("alpha", ref.fulfillment_id).unpublished


def test_a_seller_may_cancel_while_we_are_telling_a_step(carrier):
    """The platform cancels on our yes and refuses the PUT that is under way: nobody is bothered."""
    ref = carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    carrier.record(ref, "picking")
    platform = Platform(carrier)

    def cancel_between_intent_and_send():
        found = carrier.app.timeline("alpha", ref.fulfillment_id)
        if found.attempts:
            carrier.on_look = None
            number = {"tracking_number": f"T-{ref.fulfillment_id}"}
            assert b'"error":false' in platform.call("DELETE", "/alpha/cancel", number).body
            carrier.world.cancel_agreed(platform_ref(ref))

    carrier.on_look = cancel_between_intent_and_send
    for _ in range(4):
        carrier.app.reconcile(full=True)
        carrier.clock.advance(30)

    assert 1 == carrier.judged().puts_refused
    assert ("cancel", "none") == carrier.known(ref) == carrier.shown(ref)
    assert [] == carrier.app.incidents.all(state=None)
    assert 0 == carrier.app.parcel("alpha", ref.fulfillment_id).unpublished


def test_a_yes_that_the_platform_did_not_hear_is_told_again(carrier):
    """Our answer was lost, and the platform stayed where it was: after Δ a PUT tells it."""
    ref = carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    Platform(carrier).call(
        "DELETE", "/alpha/cancel", {"tracking_number": f"T-{ref.fulfillment_id}"}
    )

    carrier.app.reconcile(full=True)
    assert 0 == carrier.judged().puts_received
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)

    assert ("cancel", "none") == carrier.shown(ref)
    assert 1 == carrier.judged().puts_received
    assert [] == carrier.app.incidents.all(state=None)
