"""Who else acts: merchants, who edit by hand, and a person who resolves incidents."""

from __future__ import annotations

from carrierflow.domain.incident import ResolveAction
from carrierflow.errors import ConcurrentUpdate, InvalidInput
from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.haravan import Fault, FaultKind, Rule, SandboxError

from .calls import ask_for_cancel, tell_cancels
from .network import nothing


EDITS = ("picking", "delivering", "delivered", "notmeetcustomer", "return", "waitingforreturn")
NONSENSE = "teleported"
DEEDS = ("edit", "edit", "edit", "edit", "cod", "word", "cancel", "ask", "order", "ignore")

LIST = "updated_at_min"
"""What the address of a list of changed orders holds."""

UNSEEN = 12
"""For how many reads an order hides: its batch, its own list and its own address, a few times."""

TAKEN_BACK = 0.05
"""How often a merchant takes back what was just told."""

WHILE_READ = 0.5
"""How often an order changes just after a page of the list of changes was read."""


def start_people(stage):
    """Let merchants edit until the scenario's horizon, and a person decide."""
    scenario = stage.scenario
    begins, ends = scenario.gap or (0.0, scenario.horizon)
    for _ in range(scenario.edits):
        stage.scheduler.at(stage.chance.uniform(begins, ends), lambda: _edit(stage))
    if scenario.profile == "merchant":
        _take_back(stage)
    if scenario.sweeps:
        _crowd(stage, begins, ends)
    if scenario.operator:
        _operator(stage)
    if scenario.hidden is not None:
        stage.scheduler.at(scenario.hidden, lambda: _hide(stage))


def _take_back(stage):
    """Let a merchant set a parcel back to where it was a few seconds ago."""
    latest = {}

    def applied(put):
        before = latest.get(put.ref)
        latest[put.ref] = put
        if before is not None and stage.chance.random() < TAKEN_BACK:
            word = before.to_status if put.machine == "delivery" else put.from_status
            later = stage.chance.uniform(1, 10)
            stage.scheduler.at(later, lambda: _set(stage, put.ref, put.machine, word))

    stage.watch.on_applied = applied


def _set(stage, ref, machine, word):
    stage.scheduler.met["merchant back"] += 1
    stage.scheduler.tell(f"merchant: back to {word} {ref.fulfillment_id}")
    statuses = {"carrier_status" if machine == "delivery" else "cod_status": word}
    try:
        stage.world.edit(ref, **statuses)
    except SandboxError as error:
        stage.scheduler.tell(f"merchant gave up: {error}")


def _crowd(stage, begins, ends):
    """Change orders while nobody looks, and again while the first sweep after that reads them."""
    scheduler, chance = stage.scheduler, stage.chance
    began_at = stage.world.now() + round(begins * TICKS_PER_SECOND)

    def shift(request):
        """The order that changed longest ago comes to the end: the pages after it shift."""
        if LIST not in request.query:
            return
        orders = [stage.world.shop(stage.code).order(int(ref.order_id)) for ref in stage.refs]
        changed = [order for order in orders if order.updated_at >= began_at]
        if changed and ends < scheduler.time_us / 1e6 < ends + 60 and chance.random() < WHILE_READ:
            _rename(stage, min(changed, key=lambda order: order.updated_at).id)

    stage.network.after_read = shift
    late = ends + chance.uniform(70, 90)
    scheduler.at(late, lambda: _surface_late(stage))


def _hide(stage):
    """An order is in no list, and under no address of its own, for some reads in a row."""
    hidden = Fault(kind=FaultKind.MISSING_IDS, ids=(int(stage.refs[-1].order_id),))
    stage.haravan.faults.add(Rule(fault=hidden, method="GET", times=UNSEEN))


def _rename(stage, order_id):
    """A merchant changes something that is no status; the order comes to the end of the list."""
    ref = next(ref for ref in stage.refs if ref.order_id == str(order_id))
    parcel = stage.world.shop(stage.code).parcel(order_id, int(ref.fulfillment_id))
    stage.scheduler.met["order moves in the list"] += 1
    try:
        stage.world.update(parcel.ref, {"coupon_code": f"C{stage.world.now()}"}, None)
    except SandboxError as error:
        stage.scheduler.tell(f"merchant gave up: {error}")


def _surface_late(stage):
    """A change is not yet in the next list, though later ones are."""
    touched = {str(touch.ref.fulfillment_id) for touch in stage.world.recorder.touches}
    quiet = [ref for ref in stage.refs if ref.fulfillment_id not in touched]
    if not quiet:
        return
    hidden = stage.chance.choice(quiet)
    _edit(stage, "edit", hidden)
    other = stage.chance.choice([r for r in stage.refs if r.order_id != hidden.order_id])
    stage.scheduler.at(1.0, lambda: _rename(stage, int(other.order_id)))

    def hide(request):
        if LIST in request.query and stage.scheduler.time_us > since + 1_000_000:
            stage.network.before_read = nothing
            stage.scheduler.met["change surfaces late"] += 1
            fault = Fault(kind=FaultKind.MISSING_IDS, ids=(int(hidden.order_id),))
            stage.haravan.faults.add(Rule(fault=fault))

    since = stage.scheduler.time_us
    stage.network.before_read = hide


def _edit(stage, deed=None, ref=None):
    """A merchant changes a parcel by hand, or cancels an order."""
    chance = stage.chance
    ref = ref or chance.choice(stage.refs)
    parcel = stage.world.shop(stage.code).parcel(int(ref.order_id), int(ref.fulfillment_id))
    deed = deed or chance.choice(DEEDS)
    stage.scheduler.met[f"merchant {deed}"] += 1
    stage.scheduler.tell(f"merchant: {deed} {ref.fulfillment_id}")
    try:
        if deed == "edit":
            stage.world.edit(parcel.ref, carrier_status=chance.choice(EDITS))
        elif deed == "ask" and stage.scenario.calls:
            ask_for_cancel(stage, ref)
        elif deed == "word":
            stage.world.edit(parcel.ref, carrier_status=NONSENSE)
        elif deed == "cod":
            cod = chance.choice(["none", "codreceipt", "codnotreceipt", "codpaid"])
            stage.world.edit(parcel.ref, cod_status=cod)
        elif deed in {"cancel", "ask"}:
            stage.world.edit(parcel.ref, carrier_status="cancel")
        else:
            stage.world.cancel_order(
                stage.code, int(ref.order_id), ignore_fulfillments=deed == "ignore"
            )
    except SandboxError as error:
        stage.scheduler.tell(f"merchant gave up: {error}")
    if stage.scenario.calls:
        tell_cancels(stage)


def _operator(stage):
    """A person resolves open incidents now and then."""
    chance = stage.chance

    def work(process):
        with stage.living() as app:
            for incident in app.incidents.all():
                if chance.random() < 0.5:
                    continue
                action = chance.choice(list(ResolveAction))
                stage.watch.resolved.add(incident.fulfillment_id)
                try:
                    app.incidents.resolve(incident.id, action, actor="person", reason="seen")
                except (InvalidInput, ConcurrentUpdate) as error:
                    stage.scheduler.tell(f"resolve {incident.kind} {action}: {error}")
                    continue
                if action is ResolveAction.ADOPT:
                    stage.watch.adopted.add(incident.fulfillment_id)
                if action is ResolveAction.ABANDON:
                    stage.abandoned.add(incident.fulfillment_id)
                stage.scheduler.met[f"person {action}"] += 1
                stage.scheduler.tell(f"resolve {incident.kind} {action}")

    def tick():
        if stage.scheduler.time_us / 1e6 <= stage.scenario.horizon:
            stage.scheduler.spawn("person", work, mortal=False)
            stage.scheduler.at(chance.uniform(60, 300), tick)

    stage.scheduler.at(chance.uniform(60, 300), tick)
