"""When a shop wants its next run: at once, when what it waits for is over, or in a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from carrierflow.domain.shop import Shop
from carrierflow.reconcile.ports import Rest
from carrierflow.reconcile.run_report import EndReason, RunReport
from carrierflow.reconcile.silence import answered, pause_after


__all__ = ["UNCOUNTED", "Pace", "rest_after"]

AT_ONCE = frozenset({EndReason.QUANTUM, EndReason.INTERRUPTED})
"""After these endings the work was only broken off: the shop goes to the end of the queue."""

SOON = timedelta(minutes=1)
"""When what is left is tried again, where the last run got nowhere with it, or broke off."""

UNCOUNTED = 1_000_000_000
"""What a run left that could do nothing: no more work brings the next one forward."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often shops are looked at that have nothing to publish."""

    every: timedelta = timedelta(minutes=5)
    idle: timedelta = timedelta(hours=1)
    """Where no parcel is open, and webhooks tell of changes."""


def rest_after(
    report: RunReport, shop: Shop, *, pace: Pace, open_parcels: int, unpublished: int
) -> Rest:
    """Return how a run leaves its shop to the next one.

    `open_parcels` is how many were open when it began, `unpublished` how many are left that have
    something to publish, whatever they wait for.
    """
    unanswered, retry_at = _silence(report, shop)
    return Rest(
        next_due=retry_at or _next_due(report, shop, pace, open_parcels),
        unanswered=unanswered,
        retry_at=retry_at,
        unpublished=UNCOUNTED if report.failed else unpublished,
    )


def _silence(report: RunReport, shop: Shop) -> tuple[int, datetime | None]:
    """Return how often in a row the host did not answer, and until when that leaves it alone."""
    heard = answered(report.end_reason)
    if heard is None:
        waits = shop.retry_at is not None and shop.retry_at > report.ended_at
        return shop.unanswered, shop.retry_at if waits else None
    if heard:
        return 0, None
    unanswered = shop.unanswered + 1
    return unanswered, report.ended_at + pause_after(unanswered)


def _next_due(report: RunReport, shop: Shop, pace: Pace, open_parcels: int) -> datetime:
    now = report.ended_at
    if report.end_reason in AT_ONCE:
        return now
    is_fed = shop.subscribed_at is not None
    wanted = [now + (pace.every if open_parcels or not is_fed else pace.idle)]
    if report.next_look_at is not None:
        wanted.append(max(now, report.next_look_at))
    if report.end_reason is EndReason.FAILED:
        wanted.append(now + SOON)
    if report.left and report.end_reason is EndReason.DONE and report.next_look_at is None:
        wanted.append(now if report.published else now + SOON)
    return min(wanted)
