"""Plays the tour, through the same calls that the commands make, and measures it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from carrierflow.audit.reports.timeline import Timeline
from carrierflow.demo.disagreement import IN_HAND, Disagreement, measure
from carrierflow.demo.itineraries import Itinerary
from carrierflow.demo.scenario import Scenario
from carrierflow.demo.stage import SHOP, TourStage, ref_of, stage
from carrierflow.demo.three_weeks import Lived, live
from carrierflow.demo.tour_figures import Frozen, Move, Planned, Run, Star, TourFigures, Verified
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.model import HistoryEntry
from carrierflow.reconcile import RunReport
from carrierflow.sandbox.haravan import ParcelRef, RecorderReport, TouchSource


__all__ = ["play"]

FIRST_LINES = 4

REMEDIES = {
    "cancelled_in_transit": (ResolveAction.ABANDON, "settled-with-shop"),
    "diverged": (ResolveAction.REASSERT, "still-on-the-road"),
    "remote_ahead": (ResolveAction.REASSERT, "still-on-the-road"),
    "merchant_edit": (ResolveAction.REASSERT, "ledger-is-right"),
}
"""What a person would most likely decide in the tour."""


def _nothing(_done: int, _all: int) -> None:
    return None


def play(
    scenario: Scenario,
    *,
    keep: Path | None = None,
    progress: Callable[[int, int], None] = _nothing,
) -> TourFigures:
    """Play a scenario and return what was measured; `progress` hears of each day.

    The ledger is kept in `keep`, if given.

    Raises:
        InvalidInput: if that directory holds a ledger already.
    """
    with stage(keep, begin=scenario.days[0].morning) as on:
        lived = live(on, scenario, progress)
        return _reconciled(on, scenario, lived)


def _reconciled(on: TourStage, scenario: Scenario, lived: Lived) -> TourFigures:
    before, unlawful = measure(on, scenario.parcels), _unlawful(on)
    plan = _plan(on)
    run, after = _reconcile(on, scenario)
    return TourFigures(
        seed=scenario.seed,
        parcels=len(scenario.parcels),
        days=len(scenario.days),
        began_at=scenario.days[0].morning,
        recorded=lived.recorded,
        filled_gaps=lived.filled_gaps,
        pushed=lived.pushed,
        unpushed=len(lived.unpushed),
        cancels=lived.cancels,
        edits=lived.edits,
        unlawful=unlawful,
        before=before,
        plan=plan,
        run=run,
        after=after,
        star=_star(on, scenario),
        frozen=tuple(_frozen(on, each) for each in on.app.incidents.all(shop=SHOP)),
        verified=_verified(on),
    )


def _unlawful(on: TourStage) -> int:
    with on.server.lock:
        seen = on.server.world.recorder.report(on.legal)
    return len(seen.illegal) + len(seen.illegal_after_touch)


def _plan(on: TourStage) -> Planned:
    plan, requests = on.app.plan([SHOP])
    lines = [
        (
            line["fulfillment_id"],
            str(line["class"]),
            tuple(str(put["status"]) for put in line["puts"]) or _adopted(line["adopts"]),
        )
        for line in plan.lines
    ]
    return Planned(
        lines=len(lines),
        classes=dict(sorted(Counter(kind for _, kind, _ in lines).items())),
        puts=sum(len(line["puts"]) for line in plan.lines),
        gets=sum(made.get for made in requests),
        first=tuple(lines[:FIRST_LINES]),
    )


def _adopted(status: str | None) -> tuple[str, ...]:
    return (str(status),) if status else ()


def _reconcile(on: TourStage, scenario: Scenario) -> tuple[Run, Disagreement]:
    touched = _touched(on)
    (report,) = on.app.reconcile([SHOP], wait=True)
    with on.server.lock:
        seen = on.server.world.recorder.report(on.legal)
    after = measure(on, scenario.parcels)
    (second,) = on.app.reconcile([SHOP], wait=True)
    return _run(report, second, seen, touched), after


def _touched(on: TourStage) -> set[ParcelRef]:
    """Return the parcels that a merchant moved, and let the recorder begin anew."""
    with on.server.lock:
        recorder = on.server.world.recorder
        touched = {touch.ref for touch in recorder.touches if touch.source is not TouchSource.LIFT}
        recorder.forget()
    return touched


def _run(
    report: RunReport, second: RunReport, seen: RecorderReport, touched: set[ParcelRef]
) -> Run:
    made = report.requests
    return Run(
        end_reason=report.end_reason.value,
        checked=report.checked,
        in_sync=report.in_sync,
        published=report.published,
        adopted=report.adopted,
        frozen=report.frozen,
        waiting=report.waiting,
        left=report.left,
        gets=made.get,
        puts=made.put,
        naive_gets=report.checked + made.put,
        naive_puts=made.put,
        virtual_seconds=(report.ended_at - report.started_at).total_seconds(),
        throttled=made.throttled,
        judge_gets=seen.gets,
        judge_puts=seen.puts_received,
        judge_illegal=sum(put.ref not in touched for put in seen.illegal),
        judge_repeated=len(seen.duplicates),
        judge_after_cancel=len(seen.after_cancel),
        puts_of_second_run=second.requests.put,
    )


def _star(on: TourStage, scenario: Scenario) -> Star:
    """Choose the parcel with cash and a second try that the shop knew least of."""
    names = [
        ref_of(parcel.number).fulfillment_id
        for parcel in scenario.parcels
        if parcel.itinerary is Itinerary.SECOND_TRY and parcel.cash and parcel.action is None
    ]
    timelines = [on.app.timeline(SHOP, name) for name in names]
    paid = [it for it in timelines if it.parcel.cod.status in IN_HAND]
    chosen = max(paid, key=lambda it: len(it.attempts))
    return Star(
        fulfillment_id=chosen.parcel.ref.fulfillment_id,
        cash=chosen.parcel.cod_amount,
        moves=tuple(_move(chosen, entry) for entry in chosen.entries),
    )


def _move(timeline: Timeline, entry: HistoryEntry) -> Move:
    told = {(it.machine, it.seq) for it in timeline.attempts}
    return Move(
        machine=entry.machine.value,
        from_status=entry.from_status,
        to_status=entry.to_status,
        occurred_at=entry.occurred_at,
        inferred=entry.inferred,
        put=(entry.machine, entry.seq) in told,
    )


def _frozen(on: TourStage, incident: Incident) -> Frozen:
    name = incident.fulfillment_id or ""
    action, reason = REMEDIES.get(incident.kind, (ResolveAction.UNFREEZE, "looked-at"))
    return Frozen(
        incident=incident.id,
        kind=incident.kind,
        fulfillment_id=name,
        sentence=incident.sentence,
        cash=on.app.parcel(SHOP, name).cod_amount,
        command=(
            f"carrierflow incidents resolve {incident.id} --action {action} "
            f"--actor lan --reason {reason}"
        ),
    )


def _verified(on: TourStage) -> Verified:
    done = on.app.verify()
    first = done.problems[0] if done.problems else None
    return Verified(
        ok=done.ok,
        rows=done.rows,
        fulfillments=done.fulfillments,
        first_bad=f"{first.where}: {first.what}" if first else None,
    )
