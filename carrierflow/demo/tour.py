"""Plays the tour, through the same calls that the commands make, and measures it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from carrierflow.audit.reports.timeline import Timeline
from carrierflow.demo.disagreement import IN_HAND, Disagreement, measure
from carrierflow.demo.scenario import Scenario
from carrierflow.demo.stage import TourStage, stage
from carrierflow.demo.three_weeks import Lived, live
from carrierflow.demo.tour_figures import Frozen, Move, Planned, Run, Star, TourFigures, Verified
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.model import HistoryEntry, Source
from carrierflow.reconcile import RunReport
from carrierflow.sandbox.tour_side import SHOP, Judged, TourSide


__all__ = ["play", "remedy"]

FIRST_LINES = 4

REMEDIES = {
    "cancelled_in_transit": (ResolveAction.ABANDON, "settled-with-shop"),
    "diverged": (ResolveAction.REASSERT, "still-on-the-road"),
    "remote_ahead": (ResolveAction.REASSERT, "still-on-the-road"),
    "merchant_edit": (ResolveAction.REASSERT, "ledger-is-right"),
}
"""What a person would most likely decide in the tour."""


def remedy(side: TourSide, kind: str) -> tuple[ResolveAction, str]:
    """Return what a person would decide on a platform, and why."""
    if kind in side.words.remedies:
        action, reason = side.words.remedies[kind]
        return ResolveAction(action), reason
    return REMEDIES.get(kind, (ResolveAction.UNFREEZE, "looked-at"))


def _nothing(_done: int, _all: int) -> None:
    return None


def play(
    scenario: Scenario,
    kind: type[TourSide],
    *,
    keep: Path | None = None,
    progress: Callable[[int, int], None] = _nothing,
) -> TourFigures:
    """Play a scenario on a platform and return what was measured; `progress` hears of each day.

    The ledger is kept in `keep`, if given.

    Raises:
        InvalidInput: if that directory holds a ledger already.
    """
    with stage(kind, keep, begin=scenario.days[0].morning) as on:
        lived = live(on, scenario, progress)
        return _reconciled(on, scenario, lived)


def _reconciled(on: TourStage, scenario: Scenario, lived: Lived) -> TourFigures:
    before, unlawful = measure(on, scenario.parcels), on.judged().unlawful
    plan = _plan(on)
    run, after = _reconcile(on, scenario, plan)
    return TourFigures(
        platform=on.side.name,
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


def _plan(on: TourStage) -> Planned:
    plan, requests, _ = on.app.plan([SHOP])
    lines = [(line["fulfillment_id"], str(line["class"]), _steps(line)) for line in plan.lines]
    return Planned(
        lines=len(lines),
        classes=dict(sorted(Counter(kind for _, kind, _ in lines).items())),
        puts=sum(len(line["puts"]) for line in plan.lines),
        gets=sum(made.get for made in requests),
        first=tuple(lines[:FIRST_LINES]),
        held=tuple(
            (line["fulfillment_id"], str(held["status"]))
            for line in plan.lines
            for held in line["held"]
        ),
    )


def _steps(line: Mapping[str, Any]) -> tuple[str, ...]:
    told = tuple(str(put["write"]) for put in line["puts"])
    return told or ((str(line["adopts"]),) if line["adopts"] else ())


def _reconcile(on: TourStage, scenario: Scenario, plan: Planned) -> tuple[Run, Disagreement]:
    touched = on.judged().touched
    with on.side.lock:
        on.side.forget()
    (report,) = on.app.reconcile([SHOP], wait=True)
    seen, looks = on.judged(), _looks(on, plan)
    after = measure(on, scenario.parcels)
    (second,) = on.app.reconcile([SHOP], wait=True)
    return _run(report, second, seen, touched, looks), after


def _looks(on: TourStage, plan: Planned) -> tuple[tuple[str, str], ...]:
    """Return what the platform was asked about the first parcel with several steps."""
    several = [name for name, _, steps in plan.first if len(steps) > 1]
    ref = next((on.app.parcel(SHOP, name).ref for name in several), None)
    if ref is None:
        return ()
    with on.side.lock:
        requests = on.side.requests_about(ref.order_id)
    methods = [method for method, _ in requests]
    writes = [place for place, method in enumerate(methods) if method != "GET"]
    between = methods[writes[0] : writes[-1]] if writes else []
    return tuple(requests) if "GET" in between else ()


def _run(
    report: RunReport,
    second: RunReport,
    seen: Judged,
    touched: frozenset[str],
    looks: tuple[tuple[str, str], ...],
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
        judge_puts=seen.writes,
        judge_illegal=sum(name not in touched for name in seen.illegal),
        judge_repeated=seen.repeated,
        judge_after_cancel=seen.after_end,
        puts_of_second_run=second.requests.put,
        looks=looks,
    )


def _star(on: TourStage, scenario: Scenario) -> Star:
    """Choose the parcel with cash, of those that the platform's tour is about, told of most."""
    names = [
        on.ref_of(parcel.number).fulfillment_id
        for parcel in scenario.parcels
        if parcel.itinerary is on.side.star and parcel.cash and parcel.action is None
    ]
    timelines = [on.app.timeline(SHOP, name) for name in names]
    chosen = max(timelines, key=lambda it: (it.parcel.cod.status in IN_HAND, len(it.attempts)))
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
        adopted=entry.source is Source.PLATFORM,
    )


def _frozen(on: TourStage, incident: Incident) -> Frozen:
    name = incident.fulfillment_id or ""
    action, reason = remedy(on.side, incident.kind)
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
