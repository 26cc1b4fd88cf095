"""A run stops before the damage where something is wrong with everything at once."""

from __future__ import annotations

import pytest
from carrier import carrying

from carrierflow.domain.model import FulfillmentRef, Opening

from .calling import SECRET, Platform
from .test_faults import FAST


@pytest.fixture
def carrier(tmp_path):
    """A carrier with a shop that is in agreement."""
    with carrying(f"sqlite:///{tmp_path}/ledger.db", client_secret=SECRET, **FAST) as made:
        made.connect("alpha")
        yield made


def agreed(carrier, count):
    """Make parcels that both sides agree about."""
    refs = [carrier.parcel("alpha") for _ in range(count)]
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    carrier.clock.advance(3600)
    return refs


def open_incidents(carrier):
    """Return the kinds of what is open."""
    return [incident.kind for incident in carrier.app.incidents.all()]


def cancel_all(carrier, refs):
    """Let somebody at the platform cancel all of these."""
    for ref in refs:
        carrier.world.cancel_order("alpha", int(ref.order_id))


def test_a_run_that_would_cancel_a_fifth_of_all_does_nothing(carrier):
    """Forty cancels at once are somebody's mistake: one incident, no parcel touched."""
    refs = agreed(carrier, 45)
    cancel_all(carrier, refs[:40])

    (report,) = carrier.app.reconcile(full=True)

    assert ("brake", 0) == (report.end_reason, report.adopted)
    assert "40 of 45 open fulfillments would be frozen or cancelled" in report.sentence
    assert ["brake"] == open_incidents(carrier)
    assert {("readytopick", "none")} == {carrier.known(ref) for ref in refs}


def test_a_few_cancels_in_a_small_shop_are_no_reason_to_stop(carrier):
    """Up to twenty go through, however small the shop is."""
    refs = agreed(carrier, 20)
    cancel_all(carrier, refs)

    (report,) = carrier.app.reconcile(full=True)

    assert ("done", 20) == (report.end_reason, report.adopted)
    assert [] == open_incidents(carrier)


def test_most_orders_missing_means_the_wrong_shop(carrier):
    """A token of another shop makes every order disappear; none of them is given up for it."""
    agreed(carrier, 3)
    for number in range(30):
        ref = FulfillmentRef(shop="alpha", order_id=f"9{number:03}", fulfillment_id=f"8{number:03}")
        carrier.app.ledger.open(Opening(ref=ref))

    (report,) = carrier.app.reconcile(full=True)

    assert "brake" == report.end_reason
    assert "is this the right shop, and the right token?" in report.sentence
    assert ["brake"] == open_incidents(carrier)
    assert 0 == carrier.app.parcel("alpha", "8000").missing


def test_only_a_run_over_the_whole_shop_closes_the_incident(carrier):
    """A look at what webhooks named, or at nothing, says nothing about all the rest."""
    refs = agreed(carrier, 45)
    cancel_all(carrier, refs[:40])
    carrier.app.reconcile(full=True)
    Platform(carrier).webhook("orders/updated", refs[44].order_id)

    (hinted,) = carrier.app.reconcile(hinted=True)

    assert ("done", 1) == (hinted.end_reason, hinted.checked)
    assert ["brake"] == open_incidents(carrier)

    carrier.settings = carrier.settings.model_copy(update={"freeze_share": 1.0})
    carrier.app = carrier.another_app()
    (whole,) = carrier.app.reconcile(full=True)

    assert ("done", 40) == (whole.end_reason, whole.adopted)
    assert [] == open_incidents(carrier)
