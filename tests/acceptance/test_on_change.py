"""A handler in the process is told of what that process committed, and of nothing else."""

from __future__ import annotations

import logging

import pytest
from carrier import LEGAL, Carrier, carrying
from receiver import SECRET, receiving

from carrierflow.domain.feed_entry import FeedKind
from carrierflow.domain.incident import ResolveAction
from carrierflow.domain.model import Event, Opening, Status
from carrierflow.sandbox.haravan import SandboxServer, World

from .test_faults import FAST


@pytest.fixture
def carrier(own_database):
    """A carrier with a shop."""
    with carrying(own_database.url, **FAST) as made:
        made.connect("alpha")
        yield made


@pytest.fixture
def heard(carrier):
    """What a handler was told so far."""
    found = []
    carrier.app.on_change(found.append)
    return found


def without_place(entries):
    """Return entries as a handler is told them, which knows no place."""
    return [{**entry.document(), "position": None} for entry in entries]


def told(entries):
    """Return the steps among some entries, by where they lead to and who said so."""
    return [(e.to_status, e.source) for e in entries if e.kind is FeedKind.TRANSITION]


def step(ref, status, **more):
    """Return an event of a parcel."""
    return Event(shop=ref.shop, fulfillment_id=ref.fulfillment_id, status=Status(status), **more)


def test_what_is_told_is_what_the_feed_has(carrier, heard):
    """Whatever writes in this process, the handler and the feed are told the same of it."""
    refs = [carrier.parcel("alpha", cod=5, walk=["picking"]) for _ in range(3)]
    ledger = carrier.app.ledger
    list(ledger.record_many([step(ref, "delivering") for ref in refs] * 2))
    ledger.amend(step(refs[0], "picking", actor="mai", reason="a wrong scan"))
    carrier.world.cancel_order("alpha", int(refs[1].order_id))
    carrier.clock.advance(60)
    carrier.app.reconcile(full=True)
    (incident,) = carrier.app.incidents.all()
    decided = {"actor": "mai", "reason": "nobody mends it"}
    carrier.app.incidents.resolve(incident.id, ResolveAction.ABANDON, **decided)

    page = carrier.app.changes()

    assert without_place(page.entries) == sorted(
        without_place(heard), key=without_place(page.entries).index
    )
    assert {"opened", "resolved"} == {e.what for e in heard if e.kind is FeedKind.INCIDENT}


def test_a_cancel_of_the_sellers_is_told_within_the_run_that_adopts_it(carrier, heard):
    """What the run adopts, a handler and the feed are told, and the report names the parcel."""
    ref, other = carrier.parcel("alpha"), carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile()
    heard.clear()
    after = carrier.app.changes().next
    carrier.world.cancel_order("alpha", int(ref.order_id))

    (report,) = carrier.app.reconcile(full=True)

    assert (ref,) == report.adopted_fulfillments
    assert [("cancel", "platform")] == told(heard) == told(carrier.app.changes(after=after).entries)
    assert (ref.fulfillment_id, f"T-{ref.fulfillment_id}") == (
        *(heard[0].fulfillment_id,),
        *(heard[0].tracking_number,),
    )
    assert ((), ()) == (report.frozen_fulfillments, report.left_fulfillments)
    assert ("readytopick", "none") == carrier.known(other)


def test_a_cancel_of_the_sellers_is_pushed_as_soon_as_a_run_adopted_it(tmp_path):
    """One run after the click the handler, the feed and the receiver know the same of it."""
    world, url = World(), f"sqlite:///{tmp_path}/ledger.db"
    with receiving() as receiver, SandboxServer(world, legal=LEGAL) as server:
        carrier = Carrier(url, world, server, destinations=(f"{receiver.url} {SECRET}",))
        carrier.connect("alpha")
        heard, ref = [], carrier.platform_parcel("alpha")
        carrier.app.ledger.open(Opening(ref=ref))
        carrier.app.on_change(heard.append)
        after = carrier.app.changes().next
        carrier.world.cancel_order("alpha", int(ref.order_id))

        carrier.app.reconcile(full=True)
        carrier.app.deliver()
        page = carrier.app.changes(after=after)
        carrier.close()

    assert ["cancel"] == [entry.to_status for entry in heard]
    assert without_place(heard) == without_place(page.entries)
    assert dict(page.entries[0].document()) == receiver.entries[-1]
    assert [] == receiver.unsigned


def test_a_report_names_what_is_frozen_and_what_is_left(carrier, heard):
    """What a run froze is named and told; so is what it had no writes left for."""
    gone, left = carrier.parcel("alpha", walk=["picking", "delivering"]), carrier.parcel("alpha")
    carrier.clock.advance(60)
    carrier.app.reconcile()
    carrier.record(left, "picking")
    carrier.world.cancel_order("alpha", int(gone.order_id))
    heard.clear()

    (report,) = carrier.app.reconcile(full=True, max_writes=0)

    assert ((gone,), (left,)) == (report.frozen_fulfillments, report.left_fulfillments)
    assert (1, 1, 0) == (report.frozen, report.left, len(report.adopted_fulfillments))
    assert [(gone.fulfillment_id, "opened")] == [(e.fulfillment_id, e.what) for e in heard]

    (later,) = carrier.app.reconcile(full=True)
    assert ((), ()) == (later.frozen_fulfillments, later.left_fulfillments)
    assert (gone,) == report.then(later).frozen_fulfillments


def test_a_handler_that_raises_undoes_nothing(carrier, caplog):
    """It is logged, the others are told all the same, and what was recorded stands."""

    def fails(entry):
        raise RuntimeError(f"a trouble of the host's at {entry.to_status}")

    heard = []
    carrier.app.on_change(fails)
    carrier.app.on_change(heard.append)

    with caplog.at_level(logging.ERROR):
        ref = carrier.parcel("alpha", walk=["picking"])

    assert ["readytopick", "none", "picking"] == [e.to_status for e in heard]
    assert ("picking", "none") == carrier.known(ref)
    assert {"carrierflow.handler_failed"} == {record.message for record in caplog.records}
    assert 3 == len(caplog.records)


def test_a_handler_may_record(carrier, heard):
    """It is called when the transaction is over: what it records itself is told, too."""
    ref = carrier.platform_parcel("alpha")

    def goes_on(entry):
        if entry.to_status == "readytopick":
            carrier.app.ledger.record(step(ref, "picking"))

    carrier.app.on_change(goes_on)
    carrier.app.ledger.open(Opening(ref=ref))

    assert {"picking", "readytopick", "none"} == {e.to_status for e in heard}
    assert ("picking", "none") == carrier.known(ref)


def test_what_did_not_happen_is_not_told(carrier, heard):
    """Nothing of a refused event, of a duplicate, or of what was rolled back."""
    ref = carrier.parcel("alpha", walk=["picking"])
    heard.clear()

    assert "refused" == carrier.app.ledger.record(step(ref, "return")).verdict
    carrier.app.ledger.probe(step(ref, "delivering"))

    with pytest.raises(ZeroDivisionError):
        carrier.app.store.run(
            lambda tx: (carrier.app.ledger.record_within(tx, step(ref, "delivering")), 1 // 0)
        )
    assert [] == heard


def test_what_a_joined_ledger_records_stands_in_the_answer(carrier, heard):
    """Only the host knows whether it commits; the answer says what it would have been told."""
    ref = carrier.parcel("alpha", walk=["picking"])
    heard.clear()

    with carrier.app.store.engine.begin() as connection:
        answer = carrier.app.joined(connection).record(step(ref, "delivering"))

    assert ["delivering"] == [entry.to_status for entry in answer.entries]
    assert [] == heard
    assert "delivering" == carrier.app.changes().entries[-1].to_status
