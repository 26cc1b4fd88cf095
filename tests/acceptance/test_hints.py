"""What a webhook is good for: the time until somebody looks, and nothing else."""

from __future__ import annotations

import pytest

from .calling import SECRET, Platform, platform_ref
from .stage import staged
from .test_faults import FAST


@pytest.fixture
def stage(tmp_path):
    """A carrier with a shop that is swept already."""
    with staged(f"sqlite:///{tmp_path}/ledger.db", client_secret=SECRET, **FAST) as made:
        made.connect("alpha")
        yield made


def cancelled_by_the_merchant(stage, parcels=60):
    """Bring a shop into agreement, then let the merchant cancel one of its parcels."""
    refs = [stage.parcel("alpha") for _ in range(parcels)]
    stage.clock.advance(60)
    stage.app.reconcile(full=True)
    stage.clock.advance(3600)
    stage.world.cancel_order("alpha", int(refs[7].order_id))
    return refs[7]


def test_a_webhook_shortens_the_wait_to_one_look_at_that_parcel(stage):
    """After it, one GET and no other order are between the merchant's cancel and its adoption."""
    ref = cancelled_by_the_merchant(stage)
    assert 200 == Platform(stage).webhook("orders/cancelled", ref.order_id)

    (report,) = stage.app.reconcile(hinted=True)

    assert ("cancel", "none") == stage.known(ref)
    assert (1, 0, 1, 1) == (
        report.requests.get,
        report.requests.put,
        report.orders,
        report.adopted,
    )


def test_without_hints_nothing_is_asked(stage):
    """The quick pass costs the platform nothing where no webhook came, or all were followed."""
    ref = cancelled_by_the_merchant(stage)
    assert [] == stage.app.reconcile(hinted=True)

    Platform(stage).webhook("orders/cancelled", ref.order_id)
    stage.app.reconcile(hinted=True)
    gets = stage.judged().gets

    assert [] == stage.app.reconcile(hinted=True)
    assert gets == stage.judged().gets


def test_losing_every_webhook_changes_the_time_only(stage):
    """The next ordinary run finds the same change by itself, and the ledger ends the same."""
    ref = cancelled_by_the_merchant(stage)

    stage.clock.advance(300)
    stage.app.reconcile()

    assert ("cancel", "none") == stage.known(ref)
    assert [] == stage.app.incidents.all(state=None)


def test_a_webhook_decides_nothing(stage):
    """A webhook that lies about a parcel brings a look, and the look finds what is true."""
    ref = stage.parcel("alpha")
    stage.clock.advance(60)
    stage.app.reconcile(full=True)
    Platform(stage).webhook("orders/cancelled", ref.order_id)

    stage.app.reconcile(hinted=True)

    assert ("readytopick", "none") == stage.known(ref)
    assert [] == stage.app.incidents.all(state=None)


def test_an_ordinary_run_follows_hints_too(stage):
    """What a run looked at needs no second look, and a parcel long closed is looked at as well."""
    ref = stage.parcel("alpha", walk=["cancel"], platform="cancel")
    for _ in range(2):
        stage.clock.advance(3 * 86_400)
        stage.app.reconcile(full=True)
    assert not stage.app.parcel("alpha", ref.fulfillment_id).open
    Platform(stage).webhook("orders/updated", ref.order_id)

    (report,) = stage.app.reconcile()

    assert 1 == report.checked
    assert [] == stage.app.reconciler.parts.store.hints(stage.app.shops.get("alpha"))


def test_a_hint_that_comes_during_a_look_stands(stage):
    """A change behind the back of a run is hinted at once more, and looked at by the next."""
    ref = cancelled_by_the_merchant(stage, parcels=10)
    platform = Platform(stage)
    platform.webhook("orders/updated", ref.order_id)
    shop = stage.app.shops.get("alpha")
    listed = stage.app.reconciler.parts.store.hints(shop)
    stage.clock.advance(1)
    platform.webhook("orders/cancelled", ref.order_id)

    stage.app.reconciler.parts.store.clear_hints(shop, listed)

    assert [ref.order_id] == [
        hint.order_id for hint in stage.app.reconciler.parts.store.hints(shop)
    ]


def test_the_seller_s_cancel_is_not_told_back(stage):
    """After our yes the platform cancels by itself; runs before and after it send nothing."""
    ref = stage.parcel("alpha")
    stage.clock.advance(60)
    stage.app.reconcile(full=True)
    number = {"tracking_number": f"T-{ref.fulfillment_id}"}
    assert 200 == Platform(stage).call("DELETE", "/alpha/cancel", number).status

    stage.app.reconcile(full=True)
    stage.world.cancel_order("alpha", int(ref.order_id))
    for _ in range(3):
        stage.clock.advance(30)
        stage.app.reconcile(full=True)

    assert ("cancel", "none") == stage.known(ref) == stage.shown(ref)
    assert 0 == stage.judged().puts_received
    assert [] == stage.app.incidents.all(state=None)
    assert 0 == stage.app.parcel("alpha", ref.fulfillment_id).unpublished


def test_a_seller_may_cancel_while_we_are_telling_a_step(stage):
    """The platform cancels on our yes and refuses the PUT that is under way: nobody is bothered."""
    ref = stage.parcel("alpha")
    stage.clock.advance(60)
    stage.app.reconcile(full=True)
    stage.record(ref, "picking")
    platform = Platform(stage)

    def cancel_between_intent_and_send():
        found = stage.app.timeline("alpha", ref.fulfillment_id)
        if found.attempts:
            stage.on_look = None
            number = {"tracking_number": f"T-{ref.fulfillment_id}"}
            assert b'"error":false' in platform.call("DELETE", "/alpha/cancel", number).body
            stage.world.cancel_agreed(platform_ref(ref))

    stage.on_look = cancel_between_intent_and_send
    for _ in range(4):
        stage.app.reconcile(full=True)
        stage.clock.advance(30)

    assert 1 == stage.judged().puts_refused
    assert ("cancel", "none") == stage.known(ref) == stage.shown(ref)
    assert [] == stage.app.incidents.all(state=None)
    assert 0 == stage.app.parcel("alpha", ref.fulfillment_id).unpublished


def test_a_yes_that_the_platform_did_not_hear_is_told_again(stage):
    """Our answer was lost, and the platform stayed where it was: after Δ a PUT tells it."""
    ref = stage.parcel("alpha")
    stage.clock.advance(60)
    stage.app.reconcile(full=True)
    Platform(stage).call("DELETE", "/alpha/cancel", {"tracking_number": f"T-{ref.fulfillment_id}"})

    stage.app.reconcile(full=True)
    assert 0 == stage.judged().puts_received
    stage.clock.advance(60)
    stage.app.reconcile(full=True)

    assert ("cancel", "none") == stage.shown(ref)
    assert 1 == stage.judged().puts_received
    assert [] == stage.app.incidents.all(state=None)
