"""Whatever is done to incidents, their decisions say the same as their rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carrierflow.domain.decision import standing_after
from carrierflow.domain.incident import Finding, ResolveAction, content_digest
from carrierflow.storage.decisions import decisions_of
from carrierflow.storage.incident_ends import close_of
from carrierflow.storage.incidents import close_incident, open_incident
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.tables import incidents


ROW = ("state", "owner", "action", "resolved_at", "resolved_by", "resolved_reason", "opened_at")
STEPS = st.lists(
    st.sampled_from(["meet", "freeze", "other", "third", "assign", "resolve", "resume", "close"]),
    max_size=12,
)


@pytest.fixture
def play(make_parcel, store, clock):
    """Do some things to the incidents of a fresh parcel; return the parcel's number."""
    incidents_of_shop = SqlReconcileStore(store)

    def found(parcel, word, *, freezes=False):
        return Finding(
            kind="odd",
            sentence=f"There is {word}.",
            ref=parcel.ref,
            evidence={"word": word},
            freezes=freezes,
        )

    def meet(parcel, finding):
        store.transact(lambda c: open_incident(c, parcel.shop_id, parcel.id, finding, clock()))

    def newest(parcel):
        known = incidents_of_shop.incidents(shop=parcel.ref.shop, state=None)
        mine = [i for i in known if i.fulfillment_id == parcel.ref.fulfillment_id]
        return mine[-1] if mine else None

    def end(parcel, action):
        incident = newest(parcel)
        if incident is not None:
            given = {"action": action, "actor": "lan", "reason": "why", "now": clock()}
            store.transact(lambda c: close_incident(c, incident, **given))

    def assign(parcel):
        incident = newest(parcel)
        if incident is not None:
            incidents_of_shop.assign_incident(
                incident.id, f"lan {clock()}", actor="mai", now=clock()
            )

    does = {
        "meet": lambda p: meet(p, found(p, "one")),
        "freeze": lambda p: meet(p, found(p, "one", freezes=True)),
        "other": lambda p: meet(p, found(p, "other")),
        "third": lambda p: meet(p, replace(found(p, "third"), sentence="x" * 2_000)),
        "assign": assign,
        "resolve": lambda p: end(p, ResolveAction.UNFREEZE),
        "resume": lambda p: end(p, ResolveAction.RESUME),
        "close": lambda p: store.transact(lambda c: close_of(c, p.shop_id, p.id, ["odd"], clock())),
    }

    def run(steps):
        parcel = make_parcel()
        for step in steps:
            clock.advance(minutes=1)
            does[step](parcel)
        return parcel.id

    return run


def compare(store, parcel_id):
    """Compare each incident of a parcel with its decisions; return how many rows those are."""
    count = 0
    with store.reading() as connection:
        rows = connection.execute(select(incidents).where(incidents.c.fulfillment == parcel_id))
        for row in rows.all():
            decided = decisions_of(connection, row.id)
            standing = standing_after(decided)
            assert [getattr(row, name) for name in ROW] == [getattr(standing, name) for name in ROW]
            assert row.evidence_digest == standing.evidence_digest
            assert content_digest(row.sentence, row.evidence) == standing.content_digest
            assert list(range(1, len(decided) + 1)) == [each.number for each in decided]
            count += len(decided)
    return count


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25
)
@given(steps=STEPS)
def test_an_incident_follows_from_its_decisions(play, store, steps):
    """After any doings, rows and decisions of incidents agree."""
    compare(store, play(steps))


def test_meeting_the_same_again_is_no_decision(play, store):
    """A run that meets again what stands there writes no row; another cause is one row."""
    assert 1 == compare(store, play(["meet", "meet", "meet"]))
    assert 2 == compare(store, play(["meet", "other", "other"]))
    assert 4 == compare(store, play(["meet", "other", "close", "freeze", "freeze"]))
    assert 2 == compare(store, play(["meet", "close", "close"]))
