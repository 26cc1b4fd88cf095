"""That runs tell exactly what is missing, adopt what is led, and see no drift where is none."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from carrierflow.domain.model import Machine, Source, Status
from carrierflow.reconcile.projection import Leader
from carrierflow.sandbox.exchange import HttpRequest
from carrierflow.testing.contract.expectations import equal, expect
from carrierflow.testing.contract.promise import promise
from carrierflow.testing.contract.trial import Trial
from carrierflow.testing.contract.walks import missing_writes
from carrierflow.testing.contract.wire import rewriting


__all__: list[str] = []

CASH = 250_000
DELIVERY = tuple(status for status in Status if status.machine is Machine.DELIVERY)


@promise
def what_looks_alike_is_never_drift(trial: Trial) -> None:
    """Where the platform shows of each step all that it can, a run writes and reports nothing."""
    app = trial.carrier()
    shows = trial.projection.shows
    walks = [trial.road_to(status) for status in DELIVERY if status is not Status.PENDING]
    refs = [trial.take_up(app, shows(([Status.READYTOPICK, *walk])[-1]), walk) for walk in walks]
    first, second = trial.run(app), trial.run(app)
    equal([], [each.kind for each in app.incidents.all()], "incidents about what looks alike")
    equal([], trial.wire.writes_passed, "writes about what looks alike")
    equal((0, 0), (second.left, second.awaiting), "what is left where all looks alike")
    equal("done", str(first.end_reason), "the end of a run")
    for ref, walk in zip(refs, walks, strict=True):
        known = app.parcel(ref.shop, ref.fulfillment_id).delivery.status
        equal(([Status.READYTOPICK, *walk])[-1], known, "what the ledger knows of a parcel")


@promise
def cash_that_is_not_shown_is_never_drift(trial: Trial) -> None:
    """Where remitted cash has no word, or no cash has any, a run has nothing left to do."""
    if trial.projection.shows(Status.CODRECEIPT) is Status.CODRECEIPT:
        return
    app = trial.carrier()
    road = [*trial.road_to(Status.DELIVERED), Status.CODRECEIPT]
    trial.take_up(app, Status.READYTOPICK, road, cod_amount=CASH)
    for _ in range(4):
        trial.run(app)
    sent, report = len(trial.wire.writes_passed), trial.run(app)
    equal(0, report.left, "what is left of cash that is not shown")
    equal(sent, len(trial.wire.writes_passed), "writes about cash that is not shown")
    equal([], [each.kind for each in app.incidents.all()], "incidents about cash not shown")


@promise
def exactly_what_is_missing_is_told(trial: Trial) -> None:
    """Where nothing goes wrong, one run makes the missing writes, and the next one none."""
    app = trial.carrier()
    walks = [trial.road_to(status) for status in DELIVERY if status is not Status.PENDING]
    for walk in walks:
        trial.take_up(app, Status.READYTOPICK, walk)
    app.plan([trial.under_test.shop])
    equal([], trial.wire.writes_passed, "writes of a plan that is only looked at")
    trial.run(app)
    missing = sum(missing_writes(trial.projection, walk) for walk in walks)
    equal(missing, len(trial.wire.writes_passed), "writes, where so many were missing")
    report = trial.run(app)
    equal(missing, len(trial.wire.writes_passed), "writes after a second run")
    equal(0, report.left, "what is left after a second run")
    equal([], list(trial.under_test.judged()), "what the sandbox's judge says")


@promise
def what_the_platform_leads_is_adopted(trial: Trial) -> None:
    """A cancel over there becomes history by its word; where it leads, so does each step."""
    app = trial.carrier()
    moves = [Status.CANCEL]
    if trial.projection.leader is Leader.PLATFORM:
        moves += [s for s in trial.states if s in {Status.DELIVERING, Status.DELIVERED}]
    for goal in moves:
        ref = trial.take_up(app, Status.READYTOPICK)
        trial.run(app)
        trial.clock.advance(60)
        trial.under_test.move(ref, goal)
        trial.run(app)
        parcel = app.parcel(ref.shop, ref.fulfillment_id)
        equal(goal, parcel.delivery.status, "what the ledger knows of what was moved over there")
        entries = app.timeline(ref.shop, ref.fulfillment_id).entries
        sources = {entry.source for entry in entries if entry.to_status == goal}
        equal({Source.PLATFORM}, sources, f"by whose word a parcel is {goal}")
    equal([], trial.wire.writes_passed, "writes about what was moved over there")


@promise
def unknown_words_freeze_their_parcel_alone(trial: Trial) -> None:
    """A parcel in a state that nobody knows gets an incident and no write; others go on."""
    app, it = trial.carrier(), trial.under_test
    state, write = trial.first_write
    odd, *others = (trial.take_up(app, state, trial.road_to(write.to)) for _ in range(3))
    trial.wire.goes_wrong(rewriting(lambda body: it.reworded(body, odd)))
    for _ in range(2):
        trial.run(app)
    named = {each.fulfillment_id for each in app.incidents.all()}
    equal({odd.fulfillment_id}, named, "parcels with an incident")
    equal(state, it.shown(odd), "a parcel in a state that nobody knows")
    equal({write.to}, {it.shown(ref) for ref in others}, "the other parcels")


@promise
def no_write_without_an_intent(trial: Trial) -> None:
    """When a write arrives, its intent lies committed in the ledger; after the run, its result."""
    app = trial.carrier()
    for status in DELIVERY:
        if status is not Status.PENDING:
            trial.take_up(app, Status.READYTOPICK, trial.road_to(status))
    intents: list[int] = []

    def look(request: HttpRequest) -> None:
        if request.method != "GET":
            intents.append(_rows(trial, "carrierflow_attempts"))

    trial.wire.before = look
    trial.run(app)
    expect(intents, "The run wrote nothing.")
    numbers = list(range(1, len(intents) + 1))
    equal(numbers, intents, "intents on record when each write arrived")
    equal(len(intents), _rows(trial, "carrierflow_outcomes"), "results on record after the run")


def _rows(trial: Trial, table: str) -> int:
    """Count rows by another connection, which sees what is committed alone."""
    with closing(sqlite3.connect(trial.ledger_path)) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
    return int(count)


@promise
def what_cannot_be_told_is_never_sent(trial: Trial) -> None:
    """A step that no write leads to is waited for or told to a person, once, and never sent."""
    app = trial.carrier()
    for state in trial.states:
        if state is not Status.PENDING and not trial.projection.plan(state, Status.CANCEL):
            trial.take_up(app, state, [Status.CANCEL])
    for _ in range(3):
        trial.run(app)
    equal([], trial.wire.writes_passed, "writes of what cannot be told")
    kinds = [(each.fulfillment_id, each.kind) for each in app.incidents.all()]
    equal(len(set(kinds)), len(kinds), "incidents about what cannot be told")
