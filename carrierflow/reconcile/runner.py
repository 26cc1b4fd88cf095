"""Many shops at once: some threads, each shop in its fair share of time and requests."""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from carrierflow.domain.clock import Sleep
from carrierflow.domain.forking import ProcessLock
from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import Stop, in_slices, until
from carrierflow.errors import CarrierflowError, Interrupted, ShopHeld, UnknownShop
from carrierflow.reconcile.crew import Attention, Crew, Turn
from carrierflow.reconcile.due_shops import DueShops
from carrierflow.reconcile.policy import RunLimits
from carrierflow.reconcile.ports import ShopQueue
from carrierflow.reconcile.reconciler import Reconciler
from carrierflow.reconcile.run_counters import RunCounters
from carrierflow.reconcile.run_report import EndReason, RunReport
from carrierflow.reconcile.silence import HostBreaker, Patience, rests
from carrierflow.reconcile.turns import work_in_turn


__all__ = ["Progress", "ShopRunner"]

log = logging.getLogger(__name__)

SHARE_SECONDS = 60
SHARE_REQUESTS = 240
"""A shop's share of a run in which other shops wait."""

WORTH_WAITING = frozenset({EndReason.DONE, EndReason.THROTTLED})
"""After these endings, what is left can be done when its time has come."""

RESTING = (
    "Its host did not answer the last times, or its runs died; it is tried again later, or now "
    "with --shop. `carrierflow status` says when."
)

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
        queue: ShopQueue,
        *,
        sleep: Sleep,
        stop: Stop,
        parallel: int,
        patience: Patience,
        named: bool = False,
        verified_before: datetime | None = None,
        hinted: bool = False,
        wait: bool = False,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._reconciler = reconciler
        self._queue = queue
        self._clock = reconciler.parts.clock
        self._named = named
        self._before = verified_before
        self._hinted = hinted
        self._wait = wait
        self._sleep = in_slices(sleep, until(stop))
        self._stop = stop
        self._progress = progress
        self._parallel = parallel
        self._patience = patience
        self._breaker = HostBreaker()
        self._telling = ProcessLock()
        """Held while somebody is told of progress: whoever listens is called by one thread."""

    def work(self, shops: Sequence[Shop], limits: RunLimits) -> list[RunReport]:
        """Look after some shops; return one report for each, in their order.

        Those that somebody `named` are tried however lately their host was silent. Whoever is to
        `wait` does so for shops that another run holds, too.
        """
        by_code = {shop.code: shop for shop in shops}

        def work(codes: Sequence[str]) -> list[RunReport]:
            return self._work([by_code[code] for code in codes], limits)

        if self._wait:
            return work_in_turn(work, list(by_code), sleep=self._sleep)
        return work(list(by_code))

    def _work(self, shops: Sequence[Shop], limits: RunLimits) -> list[RunReport]:
        if len(shops) == 1 and (self._named or not rests(shops[0], self._clock())):
            return [self._look_after(shops[0].code, limits, Attention())]
        if len(shops) > self._parallel:
            limits = replace(limits, seconds=SHARE_SECONDS, requests=SHARE_REQUESTS)
        queue, reports = deque[Shop](), dict[str, RunReport]()

        def turn(it: Turn) -> RunReport:
            return self._guarded(it, limits)

        crew = Crew(self._parallel, patience=self._patience)
        for shop, report in crew.work(shops, turn, queue):
            earlier = reports.get(shop.code)
            reports[shop.code] = earlier.then(report) if earlier else report
            if report.end_reason is EndReason.QUANTUM:
                queue.append(shop)
        return [reports[shop.code] for shop in shops]

    def drain(self, due: DueShops, limits: RunLimits) -> Generator[RunReport, None, None]:
        """Look after shops as they become due, each for its share; yields the reports as they come.

        It ends once there is no more to come, or when it is closed. What was claimed and not begun
        by then is given back.
        """
        waiting = deque[Shop]()
        crew = Crew(self._parallel, patience=self._patience)
        try:
            for _, report in crew.work(
                (), lambda it: self.quantum(it.shop.code, limits, it), waiting, more=due
            ):
                yield report
        finally:
            due.give_back([shop.code for shop in crew.left(waiting)])

    def _guarded(self, turn: Turn, limits: RunLimits) -> RunReport:
        """Look after one shop of several: its own trouble must not stop the others."""
        began, shop = self._clock(), turn.shop
        if not self._named and rests(shop, began):
            return self._ended(shop.code, began, EndReason.RESTING, RESTING)
        if self._breaker.is_open(shop):
            return self._ended(shop.code, began, EndReason.UNAVAILABLE, self._breaker.why(shop))
        report = self.quantum(shop.code, limits, turn)
        self._breaker.learn(shop, report.end_reason, report.sentence)
        return report

    def quantum(
        self, code: str, limits: RunLimits, attention: Attention | None = None
    ) -> RunReport:
        """Look after one shop, within limits; whatever is wrong with it, the report says so.

        A shop that another run holds is not done: it is offered again when that lease ends, and
        one that was not begun with, because it was time to stop, is offered at once. Without
        anybody's `attention` a silent host is waited for as one request takes, and no longer:
        other shops wait for this place.

        Raises:
            UnknownShop: if there is none.
        """
        began = self._clock()
        attention = attention or Attention(longest=self._patience.most)
        try:
            report = self._look_after(code, limits, attention)
        except UnknownShop:
            raise
        except ShopHeld as error:
            with suppress(CarrierflowError):  # else it is offered when its claim runs out
                self._queue.put_back(code)
            return self._ended(code, began, EndReason.SHOP_HELD, str(error))
        except CarrierflowError as error:
            return self._ended(code, began, EndReason.FAILED, str(error))
        if report.end_reason is EndReason.INTERRUPTED and not report.run:
            with suppress(CarrierflowError):  # else it is offered when its claim runs out
                self._queue.give_back([code])
        return report

    def _look_after(self, code: str, limits: RunLimits, attention: Attention) -> RunReport:
        """Look after one shop, and let no defect of ours, or oddity of its rows, be more than that.

        What an unexpected error says may hold anything, so only its kind and its place are told.
        """
        began = self._clock()
        try:
            return self._patiently(code, limits, attention)
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

    def _patiently(self, code: str, limits: RunLimits, attention: Attention) -> RunReport:
        if self._stop():
            return self._ended(code, self._clock(), EndReason.INTERRUPTED, str(Interrupted()))
        report, pauses = self._run(code, limits, attention), 0
        while self._wait and report.next_look_at is not None and pauses < PAUSES_IN_A_ROW:
            try:
                self._sleep(max(0.0, (report.next_look_at - self._clock()).total_seconds()))
            except Interrupted:
                break
            report = report.then(self._run(code, limits, attention))
            pauses = pauses + 1 if report.end_reason is EndReason.THROTTLED else 0
            if report.end_reason not in WORTH_WAITING:
                break
        return report

    def _run(self, code: str, limits: RunLimits, attention: Attention) -> RunReport:
        tell = self._progress

        def stop() -> bool:
            attention.check()
            return self._stop()

        def told(counters: RunCounters, left: int) -> None:
            if tell is None:
                return
            progress = Progress(
                shop=code,
                checked=counters.checked,
                published=counters.published,
                orders=counters.orders,
                orders_left=left,
            )
            with self._telling:
                tell(progress)

        with attention.listening() as connected:
            return self._reconciler.reconcile_shop(
                code,
                limits=limits,
                verified_before=self._before,
                hinted=self._hinted,
                stop=stop,
                progress=told,
                connected=connected,
                insist=self._named,
            )
