"""Who else acts at Haravan: merchants, who edit by hand."""

from __future__ import annotations

from carrierflow.sandbox.haravan import SandboxError

from .calls import ask_for_cancel, tell_cancels
from .crowd import hide, start_crowd
from .person import start_person


EDITS = ("picking", "delivering", "delivered", "notmeetcustomer", "return", "waitingforreturn")
NONSENSE = "teleported"
DEEDS = ("edit", "edit", "edit", "edit", "cod", "word", "cancel", "ask", "order", "ignore")

TAKEN_BACK = 0.05
"""How often a merchant takes back what was just told."""


def start_people(stage):
    """Let merchants edit until the scenario's horizon, and a person decide."""
    scenario = stage.scenario
    begins, ends = scenario.gap or (0.0, scenario.horizon)
    for _ in range(scenario.edits):
        stage.scheduler.at(stage.chance.uniform(begins, ends), lambda: edit(stage))
    if scenario.profile == "merchant":
        _take_back(stage)
    if scenario.sweeps:
        start_crowd(stage, begins, ends)
    if scenario.operator:
        start_person(stage)
    if scenario.hidden is not None:
        stage.scheduler.at(scenario.hidden, lambda: hide(stage))


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


def edit(stage, deed=None, ref=None):
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
