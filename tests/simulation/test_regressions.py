"""What the simulation found broken, each as small as it can be told."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

import pytest

from carrierflow.domain.incident import Finding, ResolveAction
from carrierflow.domain.model import Event, Status
from carrierflow.reconcile import changes
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.publisher import Publisher
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule
from carrierflow.sandbox.sapo import SapoAction

from .actors import run_once
from .audit import nothing_to_poll
from .network import nothing
from .play import play_seed
from .scenario import small
from .side import SHOP
from .stage import staged


@pytest.fixture
def stage():
    """A shop with one parcel whose cash is due, which the platform shows as it was opened."""
    with staged(small("merchant", [()])) as made:
        assert changes.BATCH == made.scenario.page
        yield made


def record(stage, *statuses):
    """Record some steps."""
    for number, status in enumerate(statuses):
        stage.app.ledger.record(
            Event(
                shop=SHOP,
                fulfillment_id=stage.refs[0].fulfillment_id,
                status=Status(status),
                key=f"{status}-{number}",
            )
        )


def reconcile(stage, *, full=True):
    """Let one process reconcile, and some time pass after it."""
    run_once(stage, "run", full=full, mortal=False)
    stage.scheduler.run()
    stage.scheduler.at(90.0, lambda: None)
    stage.scheduler.run()
    return stage.reports[-1]


def edit(stage, **statuses):
    """Let the merchant set a status by hand."""
    stage.world.edit(_at_platform(stage, stage.refs[0]).ref, **statuses)


def _at_platform(stage, ref):
    return stage.world.shop(SHOP).parcel(int(ref.order_id), int(ref.fulfillment_id))


def freeze(stage, parcel):
    """Freeze a parcel as a run does that finds no row for it."""
    why = Finding(kind="diverged", sentence="So.", ref=parcel.ref, evidence={}, freezes=True)
    after = replace(parcel, frozen=why.kind)
    writing = FulfillmentUpdate(before=parcel, after=after, now=stage.app.now(), findings=(why,))
    stage.app.reconciler.parts.store.write(writing, fence=None)


def resolve(stage, action):
    """Let a person resolve the only open incident."""
    (incident,) = stage.app.incidents.all()
    desk = stage.app.incidents
    if desk.resolve(incident.id, action, actor="person", reason="seen").proposal:
        desk.approve(incident.id, actor="other")


def test_a_refused_adoption_that_is_unfrozen_does_not_spin(stage):
    """Adopting a status that the ledger refused once freezes again; it looped without an end."""
    edit(stage, cod_status="codreceipt")
    reconcile(stage)
    resolve(stage, ResolveAction.UNFREEZE)

    assert reconcile(stage).end_reason == "done"

    (incident,) = stage.app.incidents.all()
    assert "diverged" == incident.kind


def test_an_adopted_status_is_not_told_to_the_platform_again(stage):
    """After `adopt`, nothing is PUT; the steps that were overruled were PUT, then taken back."""
    record(stage, "picking", "delivering")
    reconcile(stage)
    edit(stage, carrier_status="picking")
    reconcile(stage)
    record(stage, "delivered")
    puts = stage.judged().puts_received

    resolve(stage, ResolveAction.ADOPT)
    reconcile(stage)

    assert puts == stage.judged().puts_received
    assert ("picking", "codpending") == stage.side.shown(stage.refs[0])
    assert 0 == stage.app.parcel(SHOP, stage.refs[0].fulfillment_id).unpublished
    assert [] == stage.app.incidents.all()


def test_a_reassertion_does_not_skip_what_was_not_told_yet(stage):
    """A word that is gone by the next run is nothing to overrule: the steps are told in order."""
    record(stage, "picking", "delivering")
    stage.faults.add(Rule(fault=Fault(kind=FaultKind.NONSENSE_WORD), method="GET"))
    reconcile(stage)
    resolve(stage, ResolveAction.REASSERT)

    reconcile(stage)

    assert ["picking", "delivering"] == [put.to_status for put in stage.world.recorder.puts]
    assert ("delivering", "codpending") == stage.side.shown(stage.refs[0])
    assert [] == stage.app.incidents.all()


def test_a_reassertion_over_a_word_that_goes_by_itself_takes_back_nothing_told(stage):
    """What was told stands there once the word is gone; a run took it for a difference."""
    record(stage, "picking", "delivering", "notmeetcustomer", "delivering")
    reconcile(stage)
    puts = stage.judged().puts_received
    stage.faults.add(Rule(fault=Fault(kind=FaultKind.NONSENSE_WORD), method="GET"))
    reconcile(stage)

    resolve(stage, ResolveAction.REASSERT)
    reconcile(stage)

    assert puts == stage.judged().puts_received == 4
    assert 0 == stage.app.parcel(SHOP, stage.refs[0].fulfillment_id).unpublished
    assert [] == stage.app.incidents.all()


def test_an_event_that_comes_while_an_order_is_missing_does_not_end_the_run(stage):
    """A run that asks for a missing order alone reads it again; it ended with an exception."""
    order = stage.refs[0].order_id
    gone = Fault(kind=FaultKind.MISSING_IDS, ids=(int(order),))
    stage.faults.add(Rule(fault=gone, method="GET", times=3))

    def meanwhile(request):
        if request.path.endswith(f"/fulfillments/{stage.refs[0].fulfillment_id}.json"):
            stage.network.after_read = nothing
            record(stage, "picking")

    stage.network.after_read = meanwhile

    assert reconcile(stage).end_reason == "done"
    assert ("picking", "codpending") == stage.side.shown(stage.refs[0])


def test_a_poll_does_not_replace_a_word_that_nobody_knows():
    """While a parcel is frozen over an unknown word, its detail is not told; it overwrote it."""
    with staged(small("merchant", [()], calls=True)) as stage:
        record(stage, "picking")
        reconcile(stage)
        edit(stage, carrier_status="teleported")
        reconcile(stage)

        nothing_to_poll(stage)

        assert ("teleported", "codpending") == stage.side.shown(stage.refs[0])


def test_a_reassertion_of_what_the_platform_shows_is_no_difference(stage):
    """Told to stand by what both sides show, a run tells nothing; it saw a difference there."""
    reconcile(stage)
    stage.faults.add(Rule(fault=Fault(kind=FaultKind.NONSENSE_WORD), method="GET"))
    reconcile(stage)
    record(stage, "picking", "delivering", "delivered", "codreceipt")
    reconcile(stage)
    resolve(stage, ResolveAction.ADOPT)
    stage.world.cancel_order(SHOP, int(stage.refs[0].order_id), ignore_fulfillments=True)
    reconcile(stage)

    resolve(stage, ResolveAction.REASSERT)
    reconcile(stage)

    assert ("readytopick", "codpending") == stage.side.shown(stage.refs[0])
    assert 0 == stage.app.parcel(SHOP, stage.refs[0].fulfillment_id).unpublished
    assert "diverged" not in {incident.kind for incident in stage.app.incidents.all()}


def test_an_order_that_comes_back_is_not_kept_waiting():
    """An order that lists left out a while is told as soon as it is shown; it waited an hour."""
    with staged(small("merchant", [(), ()])) as stage:
        for _ in range(5):
            reconcile(stage)
        first, second = stage.refs
        stage.world.edit(_at_platform(stage, second).ref, carrier_status="picking")
        record(stage, "picking")
        hidden = Fault(kind=FaultKind.MISSING_IDS, ids=(int(first.order_id),))
        stage.faults.add(Rule(fault=hidden, method="GET", times=10))
        reconcile(stage, full=False)
        assert ("readytopick", "codpending") == stage.side.shown(first)
        stage.faults.plan()

        assert 1 == reconcile(stage, full=False).published
        assert ("picking", "codpending") == stage.side.shown(first)


WAREHOUSE = {"platform": "onflow", "choices": {"verify_within_hours": "1"}}
SHELF = {"platform": "sapo", "choices": {"cancel_shipped": "hold"}}


def test_what_the_carrier_records_before_an_adoption_does_not_end_the_run():
    """A hand-over that was read before a later event is adopted; each run ended with an error."""
    adopt, told = Publisher._adopt, []

    def late(publisher, case, status):
        if not told:
            told.append(record(stage, "picking"))
        return adopt(publisher, case, status)

    with staged(small("merchant", [()], **WAREHOUSE)) as stage:
        code = stage.refs[0].fulfillment_id
        for _ in range(3):
            stage.world.move_on(code)
        stage.scheduler.at(5.0, lambda: None)
        stage.scheduler.run()
        with mock.patch.object(Publisher, "_adopt", late):
            assert "done" == reconcile(stage).end_reason

        assert "delivering" == stage.app.parcel(SHOP, code).delivery.status


@pytest.mark.parametrize(
    ("platform", "seed"),
    [("onflow", 186)],
)
def test_a_seed_that_broke_a_promise_keeps_it(platform, seed):
    """Each of these broke one once."""
    assert play_seed(seed, platform).broken is None


def test_what_a_seller_did_can_be_adopted():
    """What Sapo shows becomes history under our name of it; its own word was refused as none."""
    with staged(small("merchant", [()], **SHELF)) as stage:
        record(stage, "picking")
        reconcile(stage)
        named = stage.side.act(stage.refs[0])
        stage.world.act_by_hand(named, SapoAction.SHIP)
        reconcile(stage)

        resolve(stage, ResolveAction.ADOPT)

        assert "done" == reconcile(stage).end_reason
        parcel = stage.app.parcel(SHOP, stage.refs[0].fulfillment_id)
        assert ("delivering", "codpending") == (parcel.delivery.status, parcel.cod.status)
        assert [] == stage.app.incidents.all()


def test_adopting_leaves_alone_what_looks_as_the_platform_shows_it():
    """Cash that was remitted looks as paid cash there; adopting a parcel's way keeps it so."""
    with staged(small("merchant", [()], **SHELF)) as stage:
        record(stage, "picking", "delivering", "delivered", "codreceipt")
        reconcile(stage)
        freeze(stage, stage.app.parcel(SHOP, stage.refs[0].fulfillment_id))

        resolve(stage, ResolveAction.ADOPT)

        parcel = stage.app.parcel(SHOP, stage.refs[0].fulfillment_id)
        assert ("delivered", "codreceipt") == (parcel.delivery.status, parcel.cod.status)
