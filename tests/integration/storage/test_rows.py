"""Rows to data and back."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from carrierflow.domain.fulfillment import Fulfillment, MachineHead, RemoteSnapshot
from carrierflow.domain.model import RemoteWord, Status
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.storage.reconcile import SqlReconcileStore


MORNING = datetime(2026, 3, 1, 1, tzinfo=UTC)
HOURS = [MORNING + timedelta(hours=number) for number in range(12)]


def test_a_parcel_comes_back_as_it_was_written(store, shop, make_parcel, clock):
    """Each field of a parcel is its own again, none that of a neighbour."""
    before = make_parcel(cod_amount=7, tracking_number="T")
    after = replace(
        before,
        delivery=MachineHead(status="picking", seq=11, since=HOURS[0], hash="a" * 64, confirmed=10),
        cod=MachineHead(status="codpaid", seq=9, since=HOURS[1], hash="b" * 64, confirmed=6),
        entered_at=HOURS[10],
        held=3,
        open=False,
        settled_at=HOURS[2],
        remote=RemoteSnapshot(
            carrier=RemoteWord(raw="retry_delivery", status=Status.DELIVERING),
            cod=RemoteWord(raw="owed", status=None),
            updated_at=HOURS[3],
            dates={Status.PICKING: HOURS[4], Status.DELIVERING: HOURS[5]},
            digest="c" * 64,
        ),
        seen_at=HOURS[6],
        verified_at=HOURS[7],
        not_before=HOURS[8],
        missing=2,
        missing_since=HOURS[9],
        frozen="diverged",
        reassert="d" * 64,
    )
    kept = {"id", "shop_id", "ref", "version", "cod_amount", "tracking_number"}
    changed = {
        f.name for f in fields(Fulfillment) if getattr(before, f.name) != getattr(after, f.name)
    }
    assert {f.name for f in fields(Fulfillment)} - kept == changed

    written, _ = SqlReconcileStore(store).write(
        FulfillmentUpdate(before=before, after=after, now=clock()), fence=None
    )

    (found,) = SqlReconcileStore(store).parcels_of(store.shop(shop), [before.ref.order_id])
    assert written == found == replace(after, version=found.version)
