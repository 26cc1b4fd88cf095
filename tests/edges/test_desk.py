"""A person's decision and an event of the road at the same moment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from carrierflow.desk import Desk
from carrierflow.errors import ConcurrentUpdate
from carrierflow.model import Event, FulfillmentRef, Opening, Status


def test_a_decision_never_overwrites_an_event_of_the_same_moment(
    sqlite_store, sqlite_ledger, sqlite_shop, clock
):
    """A resolution that rests on an older reading is refused, and the event stays the head."""
    ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id="2")
    read = sqlite_ledger.open(Opening(ref=ref))
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    event = Event(shop=ref.shop, fulfillment_id="2", status=Status.PICKING, occurred_at=moment)
    assert "accepted" == sqlite_ledger.record(event).verdict

    with pytest.raises(ConcurrentUpdate):
        Desk(sqlite_store, sqlite_ledger, clock=clock)._free(read, read)

    assert "picking" == sqlite_ledger.open(Opening(ref=ref)).delivery.status
