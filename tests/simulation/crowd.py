"""Orders that change while nobody looks, while a list of them is read, and late in it."""

from __future__ import annotations

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import Fault, FaultKind, Rule
from carrierflow.sandbox.refusals import SandboxError

from .network import nothing


UNSEEN = 12
"""For how many reads an order hides: its batch, its own list and its own address, a few times."""

WHILE_READ = 0.5
"""How often an order changes just after a page of the list of changes was read."""


def start_crowd(stage, begins, ends):
    """Change orders while nobody looks, and again while the first sweep after that reads them."""
    scheduler, chance = stage.scheduler, stage.chance
    began_at = stage.world.now() + round(begins * TICKS_PER_SECOND)

    def shift(request):
        """The order that changed longest ago comes to the end: the pages after it shift."""
        if stage.side.lists not in request.query:
            return
        orders = {ref.order_id: stage.side.changed_at(ref.order_id) for ref in stage.refs}
        changed = [order_id for order_id, at in orders.items() if at >= began_at]
        if changed and ends < scheduler.time_us / 1e6 < ends + 60 and chance.random() < WHILE_READ:
            _rename(stage, min(changed, key=orders.get))

    stage.network.after_read = shift
    late = ends + chance.uniform(70, 90)
    scheduler.at(late, lambda: _surface_late(stage))


def hide(stage):
    """An order is in no list, and under no address of its own, for some reads in a row."""
    hidden = Fault(kind=FaultKind.MISSING_IDS, ids=(int(stage.refs[-1].order_id),))
    stage.faults.add(Rule(fault=hidden, method="GET", times=UNSEEN))


def _rename(stage, order_id):
    """A merchant changes something that is no status; the order comes to the end of the list."""
    stage.scheduler.met["order moves in the list"] += 1
    try:
        stage.side.rename(order_id)
    except SandboxError as error:
        stage.scheduler.tell(f"merchant gave up: {error}")


def _surface_late(stage):
    """A change is not yet in the next list, though later ones are."""
    touched = {str(touch.ref.fulfillment_id) for touch in stage.world.recorder.touches}
    quiet = [ref for ref in stage.refs if ref.fulfillment_id not in touched]
    if not quiet:
        return
    hidden = stage.chance.choice(quiet)
    stage.side.edit(hidden)
    other = stage.chance.choice([r for r in stage.refs if r.order_id != hidden.order_id])
    stage.scheduler.at(1.0, lambda: _rename(stage, other.order_id))

    def omit(request):
        if stage.side.lists in request.query and stage.scheduler.time_us > since + 1_000_000:
            stage.network.before_read = nothing
            stage.scheduler.met["change surfaces late"] += 1
            fault = Fault(kind=FaultKind.MISSING_IDS, ids=(int(hidden.order_id),))
            stage.faults.add(Rule(fault=fault))

    since = stage.scheduler.time_us
    stage.network.before_read = omit
