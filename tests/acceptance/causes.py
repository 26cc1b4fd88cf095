"""What opens each kind of incident for real, and what of it heals from outside.

A cause is a generator of the kind's name. It is given a carrier with one shop and yields the
parcel that it is about once a run finds it; taken up again, it mends what is wrong, where anything
can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from carrier import START, carried
from carrier import carrying as on_haravan
from onflow_carrier import OnflowCarrier
from plain_runs import begin
from sapo_carrier import SapoCarrier

from carrierflow.domain.model import Event, Opening, Status
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.sandbox.faults import Fault, FaultKind, Faults, Rule
from carrierflow.sandbox.haravan import ParcelRef
from carrierflow.sandbox.onflow import OnflowServer, OnflowStage, OnflowWorld
from carrierflow.sandbox.sapo import SapoServer, SapoWorld


CAUSES = {}
"""Each kind's cause, by its name."""

DAY = 24 * 3600
FEW = 12
"""Parcels enough that most of them missing is no accident."""


@dataclass(frozen=True)
class Cause:
    """How one kind of incident comes and goes, and on which platform."""

    play: Callable
    platform: str
    settings: Mapping


@contextmanager
def carrying(platform, folder, faults, **settings):
    """Build a carrier of one platform, with one shop, and take it down again."""
    url, clock = f"sqlite:///{folder}/ledger.db", ManualClock(START)
    if platform == "haravan":
        made = on_haravan(url, faults=faults, **settings)
    elif platform == "sapo":
        made = carried(SapoCarrier, url, SapoServer(SapoWorld(clock=clock), faults=faults))
    else:
        made = carried(OnflowCarrier, url, OnflowServer(OnflowWorld(clock=clock), faults=faults))
    with made as carrier:
        carrier.connect("alpha")
        carrier.faults = faults
        yield carrier


@contextmanager
def opened(kind, folder):
    """Yield a carrier whose shop has one open incident of a kind, its parcel, and the rest."""
    cause = CAUSES[kind]
    with carrying(cause.platform, folder, Faults(), **cause.settings) as carrier:
        played = cause.play(carrier)
        ref = next(played)
        assert [kind] == run(carrier)
        yield carrier, ref, played


def run(carrier, *, later=1800):
    """Look at everything, half an hour later; return what is open afterwards."""
    carrier.clock.advance(later)
    carrier.app.reconcile(full=True)
    return [incident.kind for incident in carrier.app.incidents.all()]


def edit(carrier, ref, **words):
    """Let a merchant set something by hand, a while later."""
    carrier.clock.advance(600)
    carrier.world.edit(place_of(ref), **words)


def place_of(ref):
    """Return what the sandbox calls a parcel."""
    return ParcelRef(ref.shop, int(ref.order_id), int(ref.fulfillment_id))


def told(carrier, *walk, cod=50_000):
    """Return a parcel that both sides agree has come so far, being delivered at least."""
    ref = carrier.parcel("alpha", cod=cod)
    carrier.record(ref, "picking", "delivering", *walk)
    run(carrier)
    assert carrier.agrees(ref)
    return ref


def goes_wrong(carrier, method, times=1000, **fault):
    """Let so many requests of a method go wrong."""
    carrier.faults.add(Rule(fault=Fault(**fault), method=method, times=times))


def cause(platform="haravan", **settings):
    """Keep a generator under its name."""

    def keep(play):
        CAUSES[play.__name__] = Cause(play, platform, settings)
        return play

    return keep


@cause()
def unknown_code(carrier):
    """Somebody sets a word there that nobody knows, and takes it back."""
    ref = told(carrier)
    edit(carrier, ref, carrier_status="lost in the rain")
    yield ref
    edit(carrier, ref, carrier_status="delivering")


@cause()
def stuck(carrier):
    """Eight requests are lost on the way; a person repeats the last by hand."""
    ref = carrier.parcel("alpha")
    goes_wrong(carrier, "PUT", times=8, kind=FaultKind.LOST_REQUEST)
    carrier.record(ref, "picking")
    for _ in range(8):
        assert [] == run(carrier)
    yield ref
    edit(carrier, ref, carrier_status="picking")


@cause()
def refused(carrier):
    """Three PUTs are refused; a person does by hand what they were for."""
    ref = carrier.parcel("alpha")
    goes_wrong(carrier, "PUT", times=3, kind=FaultKind.PROXY_BEFORE, status=422)
    carrier.record(ref, "picking")
    for _ in range(3):
        assert [] == run(carrier)
    yield ref
    edit(carrier, ref, carrier_status="picking")


@cause("onflow")
def cannot_be_told(carrier):
    """What was cancelled here was handed over there; it is found, and is on its way."""
    ref = carrier.shipment("alpha", OnflowStage.HANDOVER, walk=["cancel"])
    yield ref
    amend(carrier, ref, Status.DELIVERING)


@cause()
def cash_disputed(carrier):
    """Somebody sets there that no cash was due, and takes it back."""
    ref = told(carrier, "delivered")
    edit(carrier, ref, cod_status="none")
    yield ref
    edit(carrier, ref, cod_status="codpaid")


@cause()
def cancelled_in_transit(carrier):
    """The order is cancelled under way; the hub says that the parcel had never left it."""
    ref = told(carrier)
    carrier.world.cancel_order("alpha", int(ref.order_id))
    yield ref
    amend(carrier, ref, Status.CANCEL)


@cause()
def cancel_conflict(carrier):
    """Cancelled here and delivered there; the merchant had meant another parcel."""
    ref = carrier.parcel("alpha")
    carrier.record(ref, "picking")
    run(carrier)
    carrier.record(ref, "cancel")
    edit(carrier, ref, carrier_status="delivered")
    yield ref
    edit(carrier, ref, carrier_status="cancel")


@cause()
def remote_ahead(carrier):
    """The merchant sets what no scan told; then the scan comes."""
    ref = told(carrier, cod=0)
    edit(carrier, ref, carrier_status="delivered")
    yield ref
    carrier.record(ref, "delivered")


@cause()
def merchant_edit(carrier):
    """The merchant moves a parcel back, and on again."""
    ref = told(carrier)
    edit(carrier, ref, carrier_status="picking")
    yield ref
    edit(carrier, ref, carrier_status="delivering")


@cause()
def diverged(carrier):
    """The merchant takes for delivered what came back, and sees it."""
    ref = told(carrier, "notmeetcustomer", "waitingforreturn", "return", cod=0)
    edit(carrier, ref, carrier_status="delivered")
    yield ref
    edit(carrier, ref, carrier_status="return")


@cause()
def gone(carrier):
    """The platform denies to have an order, for hours; then it has it again."""
    ref = told(carrier)
    goes_wrong(carrier, "GET", kind=FaultKind.MISSING_IDS, ids=(int(ref.order_id),))
    for _ in range(2):
        assert [] == run(carrier)
    yield ref
    carrier.faults.plan()


@cause()
def order_cancelled(carrier):
    """The order is cancelled and its parcel is not; it is delivered all the same."""
    ref = told(carrier)
    carrier.world.cancel_order("alpha", int(ref.order_id), ignore_fulfillments=True)
    yield ref
    carrier.record(ref, "delivered")


@cause()
def unknown_here(carrier):
    """The platform has a parcel that nobody opened; somebody opens it."""
    run(carrier)
    ref = carrier.platform_parcel("alpha", carrier_status="readytopick")
    yield ref
    carrier.app.ledger.open(Opening(ref=ref))


@cause()
def cod_amount_differs(carrier):
    """The merchant changes what is to be collected, and takes it back."""
    ref = told(carrier)
    amounts(carrier, ref, 70_000)
    yield ref
    amounts(carrier, ref, 50_000)


@cause()
def timeline_differs(carrier):
    """The merchant sets a status half a day before it is scanned; what is past stays so."""
    ref = carrier.parcel("alpha")
    run(carrier)
    edit(carrier, ref, carrier_status="picking")
    carrier.clock.advance(DAY / 2)
    scan(carrier, ref, Status.PICKING)
    yield ref


@cause()
def unreadable(carrier):
    """A row makes no sense for a time."""
    ref = told(carrier)
    goes_wrong(carrier, "GET", kind=FaultKind.ODD_ROW)
    yield ref
    carrier.faults.plan()


@cause()
def access_denied(carrier):
    """The shop has another token; somebody writes it down here."""
    ref = told(carrier)
    carrier.world.replace_token("alpha", "another")
    yield ref
    carrier.app.shops.rotate_token("alpha", "another")


@cause()
def brake(carrier):
    """Somebody writes down the token of another shop, and then the right one."""
    refs = [carrier.parcel("alpha") for _ in range(FEW)]
    run(carrier)
    carrier.world.add_shop(code="beta", token="token-beta")
    carrier.app.shops.rotate_token("alpha", "token-beta")
    yield refs[0]
    carrier.app.shops.rotate_token("alpha", "token-alpha")


@cause()
def run_dies(carrier):
    """Something kills whoever works at the shop, until it is mended."""
    ref, reconcile, numbers = told(carrier), carrier.app.reconcile, count()

    def killed():
        begin(carrier.app.store, f"killed-{next(numbers)}", "alpha", now=carrier.now())

    def after_another(**how):
        killed()
        return reconcile(**how)

    killed()
    killed()
    carrier.app.reconcile = after_another
    yield ref
    carrier.app.reconcile = reconcile


@cause(approvals={"amend": 2})
def correction_proposed(carrier):
    """Somebody proposes a correction; nothing but somebody else ends it."""
    ref = told(carrier)
    carrier.app.incidents.amend(correction(carrier, ref, Status.PICKING))
    yield ref


def correction(carrier, ref, status):
    """Return a correction of the ledger's, as somebody makes it."""
    return Event(
        shop=ref.shop,
        fulfillment_id=ref.fulfillment_id,
        status=status,
        occurred_at=carrier.clock(),
        actor="lan",
        reason="never-left-the-hub",
    )


def amend(carrier, ref, status):
    """Correct the ledger, as `carrierflow amend` does."""
    carrier.app.ledger.amend(correction(carrier, ref, status))


def amounts(carrier, ref, amount):
    """Let the merchant change how much cash is due."""
    carrier.clock.advance(600)
    store = carrier.world.shop(ref.shop)
    parcel = store.parcel(int(ref.order_id), int(ref.fulfillment_id))
    changed = replace(parcel, cod_amount=amount, updated_at=carrier.world.now())
    carrier.world.save(store, changed)


def scan(carrier, ref, status):
    """Record a scan of a minute ago."""
    carrier.app.ledger.record(
        Event(
            shop=ref.shop,
            fulfillment_id=ref.fulfillment_id,
            status=status,
            occurred_at=carrier.clock() - timedelta(minutes=1),
        )
    )
