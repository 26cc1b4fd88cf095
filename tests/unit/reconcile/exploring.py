"""Every interleaving of one parcel's recording, reading, telling and trouble, breadth first.

The turns are the real ones; around them stand a platform, one or two workers and a clock that
moves in leaps, as values. A worker's write is one step, as the store's compare-and-set makes
it: whoever comes second decides anew from the rows as they are. What goes wrong is paid for
from small budgets, so that all of it can be tried.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from carrierflow.domain.fulfillment import Fulfillment, MachineHead
from carrierflow.domain.model import Status
from carrierflow.domain.publication import PublicationLog
from carrierflow.reconcile.evaluate import evaluate
from carrierflow.reconcile.projection import Leader

from .making import COD, DELIVERY, REF, steps
from .moments import Platform, Scenario, State, Worker
from .moves import (
    LEAPS,
    BrokenPromiseError,
    concluded,
    decided,
    expected,
    reading,
    sends,
    situation_of,
    successors,
)


SUFFIX_RUNS = 2


@dataclass
class Exploration:
    """The states that were found, and from where."""

    states: int = 0
    suffixes: dict[object, bool] = field(default_factory=dict)


def start(scenario: Scenario) -> State:
    """Return the state in which a scenario begins: all that is confirmed is shown."""
    road, cash = scenario.road.split(), scenario.cash.split()
    looks = scenario.projection.shows
    begun = dated([looks(Status(word)) for word in road[: scenario.confirmed]], 60)
    begun |= dated([looks(Status(word)) for word in cash[: scenario.cash_confirmed]], 1)
    carrier = scenario.begins or str(looks(Status(road[max(scenario.confirmed, 1) - 1])))
    cod = str(looks(Status(cash[max(scenario.cash_confirmed, 1) - 1])))
    platform = Platform(
        carrier, cod, tuple(sorted(begun.items())), max(begun.values(), default=-3600.0)
    )
    parcel = Fulfillment(
        id=1,
        shop_id=1,
        ref=REF,
        version=1,
        delivery=MachineHead(status=road[-1], seq=len(road), confirmed=scenario.confirmed),
        cod=MachineHead(status=cash[-1], seq=len(cash), confirmed=scenario.cash_confirmed),
        cod_amount=0,
    )
    state = State(
        scenario,
        0.0,
        parcel,
        PublicationLog(steps=steps(COD, cash) + steps(DELIVERY, road)),
        platform,
        (Worker(),) * scenario.workers,
    )
    return look(state, 0, platform) if scenario.confirmed else state


def dated(shown: list[Status], seconds: int) -> dict[str, float]:
    """Return since when each state is shown; what looks as it looked before was not entered."""
    entered = [i for i, word in enumerate(shown) if i == 0 or word is not shown[i - 1]]
    return {str(shown[i]): -3600.0 + seconds * i for i in entered}


def look(state: State, worker: int, platform: Platform) -> State:
    """Take note of the platform once, as an earlier run did, and publish nothing."""
    evaluation = evaluate(situation_of(state, platform.shown(state.now, read=True)))
    return replace(state, parcel=evaluation.case.parcel)


def explore(scenario: Scenario) -> Exploration:
    """Visit every state that a scenario can lead to; raise at the first that breaks a promise."""
    found = Exploration()
    first = start(scenario)
    parents: dict[object, tuple[object, str]] = {first.key: (None, "start")}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        found.states += 1
        label = "a fault-free rest"
        try:
            check_rest(state, found)
            for name, successor in successors(state):
                label = name
                after = successor()
                key = after.key
                if key not in parents:
                    parents[key] = (state.key, name)
                    waiting.append(after)
        except BrokenPromiseError as broken:
            road = "\n  ".join([*trace(parents, state.key), label])
            raise BrokenPromiseError(f"{broken}\n  {road}") from None
    return found


def trace(parents, key):
    """Return the labels that lead to a state, first to last."""
    labels = []
    while key is not None:
        key, label = parents[key]
        labels.append(label)
    return labels[::-1]


def check_rest(state: State, found: Exploration) -> None:
    """Check that two runs and one settle window without faults bring agreement or an incident."""
    if state.rows in found.suffixes:
        return
    found.suffixes[state.rows] = True
    runs = SUFFIX_RUNS + (not state.scenario.lifts)
    for run in range(runs):
        if run:
            state = replace(state, now=state.now + LEAPS[-1], late=())
        state = whole_run(replace(state, workers=(Worker(),)))
    if not agrees(state) and not state.findings:
        shown = (state.platform.carrier, state.platform.cod)
        raise BrokenPromiseError(f"no agreement and no incident: the platform shows {shown}")
    if state.scenario.takes is None and not state.is_touched and told_all(state):
        raise BrokenPromiseError(f"the platform was told only {state.platform.applied}")


def whole_run(state: State) -> State:
    """Let one worker do all there is to do, without any fault."""
    state = reading(state, 0, state.platform)
    for _ in range(50):
        worker = state.workers[0]
        if worker.seen is None:
            return state
        if worker.attempt is None:
            state = decided(state, 0)
        elif worker.result is None:
            state = sends(state, 0, "reply")
        else:
            state = concluded(state, 0)
    raise BrokenPromiseError("a run does not end")


def agrees(state: State) -> bool:
    """Tell whether both sides say the same, and the ledger knows it."""
    parcel, platform, looks = state.parcel, state.platform, state.scenario.projection.shows
    ours = [looks(Status(each.status)) for each in (parcel.delivery, parcel.cod)]
    same = ours == [platform.carrier, platform.cod]
    return (same and not parcel.unpublished) or awaits(state)


def awaits(state: State) -> bool:
    """Tell whether a step waits for a platform that leads, or is held for nothing takes it back."""
    head, shown = Status(state.parcel.delivery.status), state.platform.carrier
    if state.scenario.projection.leader is Leader.PLATFORM:
        return head is not Status.CANCEL and shown in {Status.PENDING, Status.READYTOPICK}
    return head in state.scenario.policy.held and shown == Status.DELIVERING


def told_all(state: State) -> list[str]:
    """Return what the platform was not told and should have been."""
    done = [word for word in state.platform.applied if Status(word).machine is DELIVERY]
    return expected(state)[len(done) :]
