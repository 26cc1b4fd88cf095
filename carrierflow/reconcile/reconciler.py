"""What can be done with a shop: bring it to the ledger's state, plan that, or carry a plan out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from carrierflow.domain.shop import Shop, ShopState
from carrierflow.domain.waiting import Idle, Stop, keep_waiting, never, until
from carrierflow.errors import ShopRevoked
from carrierflow.reconcile.batches import ShopReader
from carrierflow.reconcile.parts import Parts
from carrierflow.reconcile.plan import PlanLine, plan_batches, survey_lines
from carrierflow.reconcile.policy import RunLimits
from carrierflow.reconcile.ports import LeftAlone, Platform, RequestCounts
from carrierflow.reconcile.run_counters import RunCounters
from carrierflow.reconcile.run_report import EndReason, Requests, RunReport
from carrierflow.reconcile.shop_run import Reader, ShopRun, reader_of


__all__ = ["Reconciler"]

NEVER = datetime.min.replace(tzinfo=UTC)


class Connect(Protocol):
    """Connects to what a platform has of a shop."""

    def __call__(self, shop: Shop, idle: Idle = keep_waiting) -> Platform:
        """Connect; `idle` is called whenever something is waited for, and may end it."""
        ...


class Reconciler:
    """Brings shops to the ledger's state."""

    def __init__(self, parts: Parts, *, connect: Connect) -> None:
        self.parts = parts
        self.connect = connect

    def reconcile_shop(
        self,
        code: str,
        *,
        limits: RunLimits | None = None,
        verified_before: datetime | None = None,
        hinted: bool = False,
        stop: Stop = never,
        progress: Callable[[RunCounters, int], None] | None = None,
        connected: Callable[[RequestCounts], None] | None = None,
        insist: bool = True,
    ) -> RunReport:
        """Compare a shop with the ledger and publish what is missing there.

        Looks at every order with unpublished work, at every order that changed on the
        platform, and at every open order not looked at since `verified_before` (by default as
        long ago as the shop's policy has it); with `hinted` only at those that webhooks named.
        `stop` is asked between fulfillments, and while the run waits; `progress` is called with
        the counters so far and the number of orders still to look at, `connected` once with
        what counts the requests. A shop whose runs die is left alone, unless somebody does
        `insist`.

        Raises:
            UnknownShop: if no such shop is connected.
            ShopHeld: if another run holds the shop.
            WrongSecretKey: if the shop's token does not open.
            DatabaseUnavailable: if the database does not answer.
        """
        return self._run(
            code,
            verified_before,
            ShopReader.hinted if hinted else ShopReader.batches,
            limits or RunLimits(),
            stop=stop,
            progress=progress,
            connected=connected,
            insist=insist,
        )

    def apply_plan(
        self,
        code: str,
        lines: Sequence[Mapping[str, Any]],
        *,
        limits: RunLimits | None = None,
        stop: Stop = never,
        progress: Callable[[RunCounters, int], None] | None = None,
    ) -> tuple[RunReport, int]:
        """Carry out the lines of a plan that concern one shop; return also how many are stale.

        Raises:
            UnknownShop, ShopHeld, WrongSecretKey, DatabaseUnavailable: as `reconcile_shop`.
        """
        stale: list[int] = []
        shop = self.parts.store.shop(code)
        sketch = self.connect(shop).sketch
        read = plan_batches(lines, sketch, stale=stale.append)
        report = self._run(code, NEVER, read, limits or RunLimits(), stop=stop, progress=progress)
        return report, sum(stale)

    def plan_shop(
        self,
        code: str,
        *,
        verified_before: datetime | None = None,
        stop: Stop = never,
    ) -> tuple[list[PlanLine], Requests]:
        """Say what `reconcile_shop` would do, from reads alone: nothing is written or told.

        Raises:
            UnknownShop, WrongSecretKey, DatabaseUnavailable: as `reconcile_shop`.
            PlatformUnavailable, AccessDenied: if the platform cannot be read.
            Interrupted: if it was asked to stop.
        """
        shop = self.parts.store.shop(code)
        platform = self.connect(shop, until(stop))
        before = verified_before or self._due_before(shop)
        try:
            lines = list(
                survey_lines(reader_of(self.parts, shop, platform, before), platform.sketch)
            )
        finally:
            platform.close()
        return lines, Requests.of(platform.requests)

    def _due_before(self, shop: Shop) -> datetime:
        return self.parts.clock() - self.parts.policy_of(shop).verify_within

    def _run(
        self,
        code: str,
        verified_before: datetime | None,
        read: Reader,
        limits: RunLimits,
        *,
        stop: Stop,
        progress: Callable[[RunCounters, int], None] | None,
        connected: Callable[[RequestCounts], None] | None = None,
        insist: bool = True,
    ) -> RunReport:
        started_at, run = self.parts.clock(), str(uuid.uuid4())
        try:
            hold = self.parts.store.begin_run(
                run, code, kind="reconcile", span=limits.lease, now=started_at, insist=insist
            )
        except LeftAlone as left:
            return RunReport(
                shop=code,
                run="",
                started_at=started_at,
                ended_at=started_at,
                end_reason=EndReason.RESTING if left.sentence else EndReason.NOT_ACTIVE,
                sentence=left.sentence or _why_not(left.shop),
            )
        shop_run = ShopRun(
            self.parts,
            hold,
            run,
            self.connect,
            limits,
            started_at=started_at,
            stop=stop,
            progress=progress,
            connected=connected,
        )
        return shop_run.go(read, verified_before or self._due_before(hold.shop))


def _why_not(shop: Shop) -> str:
    if shop.state is ShopState.REVOKED:
        return str(ShopRevoked(shop.code))
    return f"Shop {shop.code!r} is {shop.state}; `carrierflow shop resume` starts it."
