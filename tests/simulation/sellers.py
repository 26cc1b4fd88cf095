"""Sellers at Sapo: they ship, receive and cancel by hand, and pack what was cancelled anew."""

from __future__ import annotations

from carrierflow.sandbox.refusals import SandboxError
from carrierflow.sandbox.sapo import SapoState
from carrierflow.sandbox.sapo.fulfillment_states import TRANSITIONS, SapoAction

from .crowd import hide, start_crowd
from .person import start_person


DEEDS = ("acts", "cancels", "packs anew", "hands over", "order", "link", "moves on", "collates")


def start_sellers(stage):
    """Let sellers act until the scenario's horizon, and a person decide."""
    scenario = stage.scenario
    begins, ends = scenario.gap or (0.0, scenario.horizon)
    for _ in range(scenario.edits):
        stage.scheduler.at(stage.chance.uniform(begins, ends), lambda: _deed(stage))
    if scenario.sweeps:
        start_crowd(stage, begins, ends)
    if scenario.operator:
        start_person(stage)
    if scenario.hidden is not None:
        stage.scheduler.at(scenario.hidden, lambda: hide(stage))


def move(stage, ref):
    """Let a seller do to a parcel what its state allows, if anything."""
    named = stage.side.act(ref)
    _, parcel = stage.world.shop(stage.code).parcel(named)
    possible = [action for state, action in TRANSITIONS if state is parcel.state]
    if possible:
        stage.world.act_by_hand(named, stage.chance.choice(possible))
        stage.side.moved()


def _deed(stage):
    """Let a seller do something to some parcel."""
    ref, deed = stage.chance.choice(stage.refs), stage.chance.choice(DEEDS)
    stage.scheduler.met[f"seller {deed}"] += 1
    stage.scheduler.tell(f"seller: {deed} {ref.fulfillment_id}")
    try:
        _WAYS[deed](stage, ref)
    except SandboxError as error:
        stage.scheduler.tell(f"seller gave up: {error}")
    stage.side.moved()


def _cancel(stage, ref):
    stage.world.act_by_hand(stage.side.act(ref), SapoAction.CANCEL)


def _pack_anew(stage, ref):
    """Cancel a parcel, and pack its goods once more: the new parcel is ours, too."""
    _cancel(stage, ref)
    _, number = stage.world.pack_anew(stage.side.act(ref))
    stage.side.packed_anew.add(str(number))


def _hand_over(stage, ref):
    stage.world.hand_over(stage.side.act(ref))


def _cancel_order(stage, ref):
    stage.world.settle()
    stage.world.cancel_order(stage.code, int(ref.order_id))


def _link(stage, ref):
    """Let Sapo's link to a carrier say that the parcel goes out again, or that it is out."""
    named = stage.side.act(ref)
    _, parcel = stage.world.shop(stage.code).parcel(named)
    is_out = parcel.state is SapoState.FULFILLED
    state = SapoState.RETRY_DELIVERY if is_out else SapoState.FULFILLED
    stage.world.link_says(named, state)


def _collate(stage, ref):
    stage.world.collate(stage.side.act(ref), "unresolved")


_WAYS = {
    "acts": move,
    "moves on": move,
    "cancels": _cancel,
    "packs anew": _pack_anew,
    "hands over": _hand_over,
    "order": _cancel_order,
    "link": _link,
    "collates": _collate,
}
