"""That runs bring a platform to the ledger's state, whatever the network does meanwhile."""

from __future__ import annotations

import random

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Machine, Status
from carrierflow.testing.contract.bad_wire import BadWire
from carrierflow.testing.contract.expectations import equal, expect
from carrierflow.testing.contract.promise import promise, slow_promise
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.walks import ends_at


__all__: list[str] = []

LONGEST = 6
RUNS = 40


@promise
def runs_converge(trial: Trial) -> None:
    """On a bad network nothing is lost, nothing doubled, and at last all of it agrees."""
    _converges(trial, parcels=6, seed=1)


@slow_promise
def runs_converge_with_many_parcels(trial: Trial) -> None:
    """The same holds for many parcels, and for more of what a network does."""
    _converges(trial, parcels=40, seed=2)


def _converges(trial: Trial, *, parcels: int, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (to be repeated, not secret)
    app = trial.carrier()
    walks = [_walk(chance) for _ in range(parcels)]
    refs = [trial.take_up(app, Status.READYTOPICK, walk) for walk in walks]
    network = BadWire(trial.clock, seed=seed)
    trial.wire.goes_wrong(network)
    for _ in range(RUNS):
        report = trial.run(app)
        if not report.left and str(report.end_reason) == "done":
            break
    trial.wire.goes_wrong(None)
    for _ in range(2):
        report = trial.run(app)
    expect(network.befell, "Nothing went wrong at all.")
    shown = [trial.under_test.shown(ref) for ref in refs]
    wanted = [ends_at(trial.projection, walk) for walk in walks]
    equal(wanted, shown, "what is shown at last")
    equal(0, report.left, "what is left at last")
    equal([], [each.kind for each in app.incidents.all(state=None)], "incidents by the network")
    equal([], network.blind_repeats, "writes repeated with no read in between")
    equal([], list(trial.under_test.judged()), "what the sandbox's judge says")
    expect(app.verify().ok, "The history does not verify.")


def _walk(chance: random.Random) -> list[Status]:
    """Return a legal walk of a parcel."""
    lifecycle, walk = Lifecycle(DEFAULT), [Status.READYTOPICK]
    for _ in range(chance.randrange(LONGEST)):
        steps = lifecycle.allowed(Machine.DELIVERY, walk[-1])
        if steps:
            walk.append(chance.choices(steps, [1 if s is Status.CANCEL else 4 for s in steps])[0])
    return walk[1:]
