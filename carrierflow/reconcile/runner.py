"""Many shops at once: some threads, each shop in its fair share of time and requests."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from carrierflow.domain.clock import Sleep
from carrierflow.domain.waiting import Stop, in_slices, until
from carrierflow.errors import CarrierflowError, Interrupted, ShopHeld
from carrierflow.reconcile.policy import RunLimits
from carrierflow.reconcile.reconciler import Reconciler
from carrierflow.reconcile.run_counters import RunCounters
from carrierflow.reconcile.run_report import EndReason, RunReport


__all__ = ["Progress", "ShopRunner"]

log = logging.getLogger(__name__)

SHOPS_AT_ONCE = 4

SHARE_SECONDS = 60
SHARE_REQUESTS = 240
"""A shop's share of a run in which other shops wait."""

WORTH_WAITING = frozenset({EndReason.DONE, EndReason.THROTTLED})
"""After these endings, what is left can be done when its time has come."""

PAUSES_IN_A_ROW = 5
"""How often `wait` sits through a pause that the platform wants, before it gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the run at one shop is."""

    shop: str
    checked: int
    published: int
    orders: int
    orders_left: int


class ShopRunner:
    """Some threads that look after many shops, each shop in its fair share of time."""

    def __init__(
        self,
        reconciler: Reconciler,
        *,
        verified_before: datetime | None,
        hinted: bool,
        wait: bool,
        sleep: Sleep,
        stop: Stop,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._reconciler = reconciler
        self._clock = reconciler.parts.clock
        self._before = verified_before
        self._hinted = hinted
        self._wait = wait
        self._sleep = in_slices(sleep, until(stop))
        self._stop = stop
        self._progress = progress

    def work(self, codes: Sequence[str], limits: RunLimits) -> list[RunReport]:
        """Look after some shops; return one report for each, in their order."""
        if len(codes) == 1:
            return [self._look_after(codes[0], limits)]
        if len(codes) > SHOPS_AT_ONCE:
            limits = replace(limits, seconds=SHARE_SECONDS, requests=SHARE_REQUESTS)
        with ThreadPoolExecutor(max_workers=SHOPS_AT_ONCE) as pool:
            queue = {code: pool.submit(self._guarded, code, limits) for code in codes}
            reports: dict[str, RunReport] = {}
            while queue:
                code, future = next(iter(queue.items()))
                del queue[code]
                report = future.result()
                reports[code] = reports[code].then(report) if code in reports else report
                if report.end_reason is EndReason.QUANTUM:
                    queue[code] = pool.submit(self._guarded, code, limits)
        return [reports[code] for code in codes]

    def _guarded(self, code: str, limits: RunLimits) -> RunReport:
        """Look after one shop of several: its own trouble must not stop the others."""
        began = self._clock()
        try:
            return self._look_after(code, limits)
        except CarrierflowError as error:
            held = isinstance(error, ShopHeld)
            reason = EndReason.SHOP_HELD if held else EndReason.FAILED
            return self._ended(code, began, reason, str(error))

    def _look_after(self, code: str, limits: RunLimits) -> RunReport:
        """Look after one shop, and let no defect of ours, or oddity of its rows, be more than that.

        What an unexpected error says may hold anything, so only its kind and its place are told.
        """
        began = self._clock()
        try:
            return self._patiently(code, limits)
        except CarrierflowError:
            raise
        except Exception as error:  # noqa: BLE001 - what it is, nobody can know
            kind, frames = type(error).__name__, traceback.extract_tb(error.__traceback__)
            trace = " > ".join(f"{frame.name}:{frame.lineno}" for frame in frames)
            log.error(  # noqa: TRY400 - its message may hold anything
                "carrierflow.run_failed", extra={"shop": code, "error": kind, "trace": trace}
            )
            sentence = f"The run met a {kind} that nobody expected; the log says where."
            return self._ended(code, began, EndReason.FAILED, sentence)

    def _ended(
        self, code: str, began: datetime, reason: EndReason, sentence: str | None
    ) -> RunReport:
        return RunReport(
            shop=code,
            run="",
            started_at=began,
            ended_at=self._clock(),
            end_reason=reason,
            sentence=sentence,
        )

    def _patiently(self, code: str, limits: RunLimits) -> RunReport:
        if self._stop():
            return self._ended(code, self._clock(), EndReason.INTERRUPTED, str(Interrupted()))
        report, pauses = self._run(code, limits), 0
        while self._wait and report.next_look_at is not None and pauses < PAUSES_IN_A_ROW:
            try:
                self._sleep(max(0.0, (report.next_look_at - self._clock()).total_seconds()))
            except Interrupted:
                break
            report = report.then(self._run(code, limits))
            pauses = pauses + 1 if report.end_reason is EndReason.THROTTLED else 0
            if report.end_reason not in WORTH_WAITING:
                break
        return report

    def _run(self, code: str, limits: RunLimits) -> RunReport:
        tell = self._progress

        def told(counters: RunCounters, left: int) -> None:
            if tell is not None:
                tell(
                    Progress(
                        shop=code,
                        checked=counters.checked,
                        published=counters.published,
                        orders=counters.orders,
                        orders_left=left,
                    )
                )

        return self._reconciler.reconcile_shop(
            code,
            limits=limits,
            verified_before=self._before,
            hinted=self._hinted,
            stop=self._stop,
            progress=told,
        )
