"""Tests of a host: its code is handed a ledger, and each begins with the parcels that it needs."""

from datetime import timedelta

import pytest

from carrierflow import (
    Event,
    FulfillmentRef,
    JoinedLedger,
    Ledger,
    Recorded,
    Status,
    UnknownFulfillment,
)
from carrierflow.testing import HostWorld, open_at


REF = FulfillmentRef(shop="myshop", order_id="1001", fulfillment_id="2001")


def deliver(ledger: Ledger, ref: FulfillmentRef) -> Recorded:
    """Do what a host does when its courier hands a parcel over; it is what is tested here."""
    event = Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=Status.DELIVERED)
    return ledger.record(event)


def test_a_parcel_on_its_way_is_delivered_with_its_cash(
    ledger: JoinedLedger, world: HostWorld
) -> None:
    """The parcel is out for delivery when the test begins, and its cash is paid when it ends."""
    taken_up = world.clock() - timedelta(hours=12)
    open_at(ledger, REF, Status.DELIVERING, at=taken_up, cod_amount=510_000)

    answer = deliver(ledger, REF)

    assert answer.verdict == "accepted"
    assert ledger.fulfillment(REF).cod.status == "codpaid"


def test_nothing_of_another_test_is_left(ledger: JoinedLedger) -> None:
    """What the test before wrote went with its transaction."""
    with pytest.raises(UnknownFulfillment):
        ledger.fulfillment(REF)


def test_the_shop_sees_what_was_delivered(carrierflow_world: HostWorld) -> None:
    """A run tells the platform of this process, with a world of the test's own: runs commit."""
    ref = carrierflow_world.parcel("myshop", Status.DELIVERED, cod_amount=510_000)

    carrierflow_world.clock.advance(60)
    carrierflow_world.app.reconcile()

    assert carrierflow_world.shown(ref) == ("delivered", "codpaid")
