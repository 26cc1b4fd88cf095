"""A person's decision, and what happens on the road and in a run at the same moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.errors import ConcurrentUpdate
from carrierflow.platforms.registry import PLATFORMS
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.resolution import IncidentResolver
from carrierflow.storage import reconcile
from carrierflow.storage.reconcile import SqlReconcileStore


DECIDED = {"actor": "person", "reason": "seen"}


@pytest.fixture
def desk(sqlite_store, sqlite_ledger, clock):
    """A desk on the ledger's own store."""
    return IncidentResolver(
        SqlReconcileStore(sqlite_store),
        sqlite_ledger,
        clock=clock,
        projection_of=lambda _shop: PLATFORMS["haravan"].projection,
    )


@pytest.fixture
def ref(sqlite_store, sqlite_ledger, sqlite_shop, clock):
    """A parcel that is frozen, with the incident that says why."""
    ref = FulfillmentRef(shop=sqlite_shop, order_id="1", fulfillment_id="2")
    before = sqlite_ledger.open(Opening(ref=ref))
    why = Finding(kind="diverged", sentence="They differ.", ref=ref, evidence={}, freezes=True)
    after = replace(before, frozen="diverged")
    writing = FulfillmentUpdate(before=before, after=after, now=clock(), findings=(why,))
    SqlReconcileStore(sqlite_store).write(writing, fence=None)
    return ref


def test_a_decision_never_overwrites_an_event_of_the_same_moment(
    desk, ref, sqlite_ledger, monkeypatch
):
    """A resolution that rests on an older reading is refused, and the event stays the head."""
    (incident,) = desk.all()
    resolve = SqlReconcileStore.resolve

    def told_meanwhile(*arguments, **more):
        moment = datetime(2026, 2, 1, tzinfo=UTC)
        event = Event(shop=ref.shop, fulfillment_id="2", status=Status.PICKING, occurred_at=moment)
        assert "accepted" == sqlite_ledger.record(event).verdict
        return resolve(*arguments, **more)

    monkeypatch.setattr(SqlReconcileStore, "resolve", told_meanwhile)
    with pytest.raises(ConcurrentUpdate):
        desk.resolve(incident.id, ResolveAction.UNFREEZE, **DECIDED)

    parcel = sqlite_ledger.open(Opening(ref=ref))
    assert ("picking", "diverged") == (parcel.delivery.status, parcel.frozen)
    assert [incident] == desk.all()


@pytest.mark.parametrize("action", [ResolveAction.UNFREEZE, ResolveAction.ABANDON])
def test_a_parcel_that_a_run_freezes_again_keeps_an_open_incident(
    desk, ref, sqlite_ledger, monkeypatch, action
):
    """No run finds a parcel free whose incident is yet to be closed; it froze it for good."""
    (incident,) = desk.all()
    close = reconcile.close_incident

    def looked_at(*arguments, **more):
        assert "diverged" == desk._store.parcel(ref.shop, "2").frozen
        close(*arguments, **more)

    monkeypatch.setattr(reconcile, "close_incident", looked_at)
    assert "resolved" == desk.resolve(incident.id, action, **DECIDED).state

    assert "diverged" != sqlite_ledger.open(Opening(ref=ref)).frozen


def test_a_decision_that_is_not_written_down_changes_nothing(desk, ref, sqlite_ledger, monkeypatch):
    """Where closing an incident fails, its parcel stays as it was."""
    (incident,) = desk.all()

    def fail(*arguments, **more):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(reconcile, "close_incident", fail)
    with pytest.raises(RuntimeError):
        desk.resolve(incident.id, ResolveAction.UNFREEZE, **DECIDED)

    assert "diverged" == sqlite_ledger.open(Opening(ref=ref)).frozen
    assert [incident] == desk.all()
