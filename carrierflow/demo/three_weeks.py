"""The days before carrierflow reconciles: all of it recorded, all of it pushed once, much lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from carrierflow.demo.naive_push import NaivePush, call_for, push
from carrierflow.demo.scenario import Day, Scan, Scenario
from carrierflow.demo.stage import TourStage
from carrierflow.domain.model import Event, Reason, Recorded, Status
from carrierflow.ledger.files import VerdictCounts
from carrierflow.sandbox.tour_cast import MerchantAction


__all__ = ["Lived", "live"]


@dataclass(slots=True)
class Lived:
    """What happened in the days so far."""

    recorded: VerdictCounts = field(default_factory=VerdictCounts)
    filled_gaps: int = 0
    pushed: NaivePush = field(default_factory=NaivePush)
    cancels: int = 0
    edits: int = 0
    unpushed: list[Scan] = field(default_factory=list)


def live(stage: TourStage, scenario: Scenario, tell: Callable[[int, int], None]) -> Lived:
    """Play all days; `tell` hears how many of how many are over."""
    lived = Lived()
    for number, day in enumerate(scenario.days, 1):
        _morning(stage, day)
        _noon(stage, day, lived, seed=scenario.seed * len(scenario.days) + number)
        _evening(stage, day, lived)
        tell(number, len(scenario.days))
    return lived


def _morning(stage: TourStage, day: Day) -> None:
    stage.wait_until(day.morning)
    for parcel in day.booked:
        stage.book(parcel)


def _noon(stage: TourStage, day: Day, lived: Lived, *, seed: int) -> None:
    stage.wait_until(day.noon)
    _record(stage, day.noon_scans, lived)
    lived.pushed += push(stage, lived.unpushed, seed=seed)
    lived.unpushed.clear()
    for work in day.manual_edits:
        stage.meddle(work)
        lived.cancels += work.action is MerchantAction.CANCEL
        lived.edits += work.action is not MerchantAction.CANCEL


def _evening(stage: TourStage, day: Day, lived: Lived) -> None:
    stage.wait_until(day.evening)
    _record(stage, day.evening_scans, lived)


def _record(stage: TourStage, scans: Iterable[Scan], lived: Lived) -> None:
    scans = tuple(scans)
    for answer in stage.app.ledger.record_many(_event(stage, scan) for scan in scans):
        lived.recorded = lived.recorded.add(answer)
        lived.filled_gaps += isinstance(answer, Recorded) and answer.reason is Reason.GAP_FILLED
    lived.unpushed.extend(scan for scan in scans if call_for(stage, scan) is not None)


def _event(stage: TourStage, scan: Scan) -> Event:
    ref = stage.ref_of(scan.parcel)
    return Event(
        shop=ref.shop,
        fulfillment_id=ref.fulfillment_id,
        status=scan.status,
        occurred_at=scan.at,
        key=scan.key,
        actor="depot-7",
        fill_gaps=scan.status is Status.DELIVERED,
    )
