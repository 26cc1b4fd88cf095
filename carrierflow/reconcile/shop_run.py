"""One run at one shop: look at it batch by batch, publish what is missing, let it go, report.

Level-triggered: a run depends on the ledger's rows and on what the platform shows, on nothing
that an earlier run remembered. The next run is the retry.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, replace
from datetime import datetime

from carrierflow.domain.clock import seconds
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import REFUSES_WRITES, Finding
from carrierflow.domain.limits import SENTENCE, cut
from carrierflow.domain.model import FulfillmentRef, Observation, Unreadable
from carrierflow.domain.shop import Shop
from carrierflow.domain.waiting import Idle, Stop, until
from carrierflow.errors import (
    AccessDenied,
    CarrierflowError,
    ConcurrentUpdate,
    Interrupted,
    PlatformUnavailable,
    ReadRefused,
    ShopHeld,
    Throttled,
)
from carrierflow.reconcile.batches import ShopBatch, ShopReader
from carrierflow.reconcile.brake import Brake, Braked
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.decision_table import OrderCase
from carrierflow.reconcile.evaluate import Evaluation
from carrierflow.reconcile.healing import Healing
from carrierflow.reconcile.orders import OrderEvaluation, evaluate_order, odd_finding
from carrierflow.reconcile.pace import rest_after
from carrierflow.reconcile.parts import Parts
from carrierflow.reconcile.policy import RunLimits
from carrierflow.reconcile.ports import (
    Agenda,
    FulfillmentUpdate,
    Hold,
    Platform,
    RequestCounts,
)
from carrierflow.reconcile.publisher import Publisher
from carrierflow.reconcile.run_counters import EndState, PublishResult, RunCounters
from carrierflow.reconcile.run_report import EndReason, Requests, RunReport, StopRun, ending_of


__all__ = ["Reader", "ShopRun", "reader_of"]

log = logging.getLogger(__name__)

Reader = Callable[[ShopReader], Iterator[ShopBatch]]
"""How a run goes through a shop."""

READ_AGAIN_TIMES = 5
"""How often one run reads an order again because its reading grew too old."""

MOST_NAMED = 100
"""How many of the fulfillments that are left a report names."""

FAILURES_IN_A_ROW = 5
"""Writes without an answer after which the platform counts as down."""


class ShopRun:
    """The state of one run at one shop."""

    def __init__(
        self,
        parts: Parts,
        hold: Hold,
        run: str,
        connect: Callable[[Shop, Idle], Platform],
        limits: RunLimits,
        *,
        started_at: datetime,
        stop: Stop,
        progress: Callable[[RunCounters, int], None] | None,
        connected: Callable[[RequestCounts], None] | None = None,
    ) -> None:
        self._parts = parts
        self._store = parts.store
        self._hold = hold
        self._shop = hold.shop
        self._id = run
        self._connect = connect
        self._connected = connected
        self._limits = limits
        self._started_at = started_at
        self._ask = until(stop)
        self._progress = progress
        self._counters = RunCounters(since=started_at)
        self._again: Counter[str] = Counter()
        self._healing = Healing(parts.store, hold.shop, parts.clock)
        self._nameless = False
        self._brake = Brake(limits, self._counters, open_count=0)
        self._refused: list[ReadRefused | AccessDenied] = []
        """What the platform would not show, while it may have shown other things."""
        self._next_look: datetime | None = None
        self._held_at = started_at
        self._swept_to = hold.shop.swept_to
        self._agenda: Agenda | None = None
        """What there was to do, once that is known."""

    def go(self, read: Reader, verified_before: datetime) -> RunReport:
        """Look after what is read of the shop, let it go, and report."""
        try:
            self._policy = self._parts.policy_of(self._shop)
            self._platform = self._connect(self._shop, self._idle)
            with closing(self._platform):
                if self._connected is not None:
                    self._connected(self._platform.requests)
                reason, sentence = self._look_after(read, verified_before)
                return self._report(reason, sentence)
        except BaseException as error:
            self._end_badly(error)
            raise

    def _end_badly(self, error: BaseException) -> None:
        """Write that the run ended, as far as the database lets us; its counters are not known."""
        reason = EndReason.FAILED if isinstance(error, Exception) else EndReason.INTERRUPTED
        said = str(error) if isinstance(error, CarrierflowError) else type(error).__name__
        report = replace(self._begun(), end_reason=reason, sentence=said)
        with suppress(CarrierflowError):
            self._end(report, counters={}, unpublished=0)

    def _look_after(self, read: Reader, verified_before: datetime) -> tuple[EndReason, str | None]:
        """Work through the shop; say why it ended."""
        try:
            self._work_through(read, verified_before)
        except StopRun as stopped:
            self._healing.ended(self._counters, asked=False)
            return stopped.reason, stopped.sentence
        except Braked as braked:
            self._report_shop("brake", braked.sentence, braked.evidence)
            return EndReason.BRAKE, braked.sentence
        except AccessDenied as error:
            self._report_shop("access_denied", str(error), self._denial(error))
            return EndReason.ACCESS_DENIED, str(error)
        except (Interrupted, PlatformUnavailable, ShopHeld) as error:
            if isinstance(error, Throttled):
                self._next_look = self._parts.clock() + seconds(error.retry_after)
            return ending_of(error), str(error)
        self._settle(whole=read == ShopReader.batches)
        return EndReason.DONE, f"Not all was shown. {self._refused[0]}" if self._refused else None

    def _settle(self, *, whole: bool) -> None:
        """Close what this run has shown to be over: only the whole shop proves the brake wrong."""
        made = self._platform.requests
        self._healing.ended(self._counters, asked=made.get + made.put > 0)
        if whole:
            self._healing.whole()
        if whole and not self._nameless:
            self._healing.read({""})

    def _denial(self, error: AccessDenied) -> dict[str, int | None]:
        evidence = {"http_status": error.http_status}
        return evidence | ({REFUSES_WRITES: 1} if self._counters.refuses_writes else {})

    def _work_through(self, read: Reader, verified_before: datetime) -> None:
        self._check_limits()
        reader = reader_of(self._parts, self._shop, self._platform, verified_before)
        publisher = self._publisher()
        agenda = self._agenda = reader.agenda
        self._brake = Brake(self._limits, self._counters, open_count=agenda.open)
        self._healing.begin(incidents=agenda.incidents)
        for each in read(reader):
            self._check_limits()
            batch, decided = self._braked(each, reader, publisher)
            self._take_in(batch, decided, reader, publisher)
            if batch.hints:
                self._store.clear_hints(self._shop, batch.hints)
            if batch.swept_to is not None:
                self._sweep_to(min(batch.swept_to, batch.read_at))
            if self._progress is not None:
                self._progress(self._counters, reader.queue.left)
        self._refused += reader.unswept
        if self._refused and not self._counters.checked:
            raise self._refused[0]

    def _sweep_to(self, moment: datetime) -> None:
        """Remember what was read; no date ahead of the clock may hide what changes until then."""
        if moment != self._swept_to:
            self._store.save_watermark(self._shop, moment)
            self._swept_to = moment

    def _publisher(self) -> Publisher:
        return Publisher(
            shop=self._shop,
            run=self._id,
            fence=self._hold.fence,
            store=self._store,
            platform=self._platform,
            ledger=self._parts.ledger,
            clock=self._parts.clock,
            counters=self._counters,
            max_writes=self._limits.max_writes,
        )

    def _take_in(
        self,
        batch: ShopBatch,
        decided: Sequence[Evaluation],
        reader: ShopReader,
        publisher: Publisher,
    ) -> None:
        self._counters.look_at_orders(batch.parcels)
        if batch.in_sync:
            self._store.mark_verified(batch.in_sync, at=batch.read_at)
            for known in batch.in_sync:
                self._counters.look(known, in_sync=True)
            self._counters.count_rows(["8"] * (2 * len(batch.in_sync)))
        if batch.unknown:
            self._report_unknown(batch.unknown)
        self._report_unreadable(batch.unreadable)
        self._healing.read(batch.clean)
        self._healing.equal(batch.same_amount)
        self._healing.agreed([parcel.id for parcel in batch.in_sync])
        began, writes = self._parts.clock(), self._counters.writes
        self._take_turns(batch.to_decide, decided, reader, publisher)
        if made := self._counters.writes - writes:
            reader.seconds_per_put = (self._parts.clock() - began).total_seconds() / made
        for parcel in batch.missing:
            self._check_limits()
            self._look_alone(parcel, reader, publisher)

    def _take_turns(
        self,
        cases: Sequence[Case],
        decided: Sequence[Evaluation],
        reader: ShopReader,
        publisher: Publisher,
    ) -> None:
        """Take the turns of a batch in their order; what is quiet in a row is written at once.

        A turn that tells something takes time: what comes after it is decided anew.
        """
        quiet: list[tuple[Case, Evaluation]] = []
        told = False
        for case, as_braked in zip(cases, decided, strict=True):
            turn = publisher.consider(case) if told else as_braked
            if turn.is_quiet:
                quiet.append((case, turn))
                continue
            self._note(quiet, reader, publisher)
            quiet, told = [], True
            self._check_limits()
            self._count(case.parcel, publisher.settle(case, turn), reader)
        self._note(quiet, reader, publisher)

    def _note(
        self,
        quiet: Sequence[tuple[Case, Evaluation]],
        reader: ShopReader,
        publisher: Publisher,
    ) -> None:
        if quiet:
            self._check_limits()
            for (case, _), settled in zip(quiet, publisher.note(quiet), strict=True):
                self._count(case.parcel, settled, reader)

    def _count(self, before: Fulfillment, settled: PublishResult, reader: ShopReader) -> None:
        parcel, counters = settled.case.parcel, self._counters
        if settled.ending is EndState.CUT_SHORT:
            raise StopRun(EndReason.MAX_WRITES, "The allowed number of writes is used up.")
        counters.look(before, in_sync=settled.ending is EndState.IN_SYNC)
        self._healing.settled(settled)
        awaits = settled.ending is EndState.AWAITING
        (counters.awaiting.add if awaits else counters.awaiting.discard)(parcel.id)
        if settled.ending is EndState.READ_AGAIN and self._reads_again(parcel, reader):
            return
        if settled.ending is EndState.WAITING:
            counters.waiting += 1
            self._look_later(parcel.not_before)

    def _reads_again(self, parcel: Fulfillment, reader: ShopReader) -> bool:
        """Look at an order once more in this run; False if it was looked at often enough."""
        self._again[parcel.ref.order_id] += 1
        if self._again[parcel.ref.order_id] > READ_AGAIN_TIMES:
            return False
        reader.again(parcel)
        return True

    def _look_later(self, moment: datetime | None) -> None:
        if moment is not None:
            self._next_look = min(moment, self._next_look or moment)

    def _look_alone(self, parcel: Fulfillment, reader: ShopReader, publisher: Publisher) -> None:
        """Row 17: what a list left out is asked for by itself before it counts as absent."""
        first = self._absence(parcel, asked_alone=False)
        if first.asks:
            self._counters.count_rows(first.rows)
            try:
                seen = reader.look_alone(parcel)
            except ReadRefused as error:
                self._refused.append(error)
                self._counters.waiting += 1
                return
            if isinstance(seen, Unreadable):
                self._report_unreadable([seen])
                return
            if seen is not None:
                self._count(parcel, publisher.settle(reader.case(parcel, seen)), reader)
                return
        try:
            self._note_absence(self._absence(parcel, asked_alone=True))
        except ConcurrentUpdate:
            self._reads_again(parcel, reader)

    def _absence(self, parcel: Fulfillment, *, asked_alone: bool) -> OrderEvaluation:
        return self._order_evaluation(parcel, None, asked_alone=asked_alone)

    def _order_evaluation(
        self, parcel: Fulfillment | None, seen: Observation | None, *, asked_alone: bool = False
    ) -> OrderEvaluation:
        return evaluate_order(
            OrderCase(
                parcel=parcel,
                seen=seen,
                asked_alone=asked_alone,
                now=self._parts.clock(),
                policy=self._policy,
            )
        )

    def _note_absence(self, evaluation: OrderEvaluation) -> None:
        """Write that the platform has no such fulfillment, and what follows from that."""
        before, after = evaluation.case.parcel, evaluation.after
        if before is None or after is None:
            raise AssertionError("The table has nothing to say of an absent fulfillment.")
        writing = FulfillmentUpdate(
            before=before, after=after, now=evaluation.case.now, findings=evaluation.findings
        )
        self._counters.incidents_opened += self._store.write(writing, fence=None)[1]
        self._counters.look(before, in_sync=False)
        self._counters.count_rows(evaluation.rows)
        if evaluation.findings:
            self._counters.frozen.append(before.ref)
        else:
            self._counters.waiting += 1

    def _report_unknown(self, unknown: Sequence[Observation]) -> None:
        """Row 19: parcels of ours that the ledger does not know."""
        evaluations = [self._order_evaluation(None, seen) for seen in unknown]
        findings = [finding for evaluation in evaluations for finding in evaluation.findings]
        self._counters.count_rows(row for evaluation in evaluations for row in evaluation.rows)
        self._counters.incidents_opened += self._store.open_incidents(
            self._shop, findings, now=self._parts.clock()
        )

    def _report_unreadable(self, rows: Sequence[Unreadable]) -> None:
        """Say which rows could not be read; those beside them were."""
        if rows:
            self._nameless |= any(row.order_id is None for row in rows)
            self._counters.incidents_opened += self._store.open_incidents(
                self._shop, [odd_finding(row) for row in rows], now=self._parts.clock()
            )

    def _check_limits(self) -> None:
        """Stop where somebody asked for it, the share is used up, or the platform is down."""
        self._idle()
        now, limits = self._parts.clock(), self._limits
        elapsed = now - self._started_at
        requests = self._platform.requests
        if limits.seconds is not None and elapsed.total_seconds() >= limits.seconds:
            raise StopRun(EndReason.QUANTUM)
        if limits.requests is not None and requests.get + requests.put >= limits.requests:
            raise StopRun(EndReason.QUANTUM)
        if self._counters.failures_in_a_row >= FAILURES_IN_A_ROW:
            raise PlatformUnavailable(f"{FAILURES_IN_A_ROW} requests in a row had no answer")
        self._brake.check_refusals()

    def _idle(self) -> None:
        """Stop where somebody asked for it, and hold on to the shop: in waits, and between them."""
        self._ask()
        now, limits = self._parts.clock(), self._limits
        if now - self._held_at >= limits.lease / 3:
            if not self._store.renew(self._hold, limits.lease):
                raise ShopHeld(self._shop.code)
            self._held_at = now

    def _braked(
        self, batch: ShopBatch, reader: ShopReader, publisher: Publisher
    ) -> tuple[ShopBatch, list[Evaluation]]:
        """Return what of a batch is to be done, with the first turn at each case.

        Raise where doing it would be the damage.
        """
        gone = self._brake.missing(batch)
        if gone is not None and reader.is_gone(batch.missing[0]):
            raise gone
        decided = [publisher.consider(case) for case in batch.to_decide]
        if self._brake.stops(decided):
            batch = self._tried_once_more(batch, decided, reader, publisher)
            decided = [publisher.consider(case) for case in batch.to_decide]
        self._brake.check(decided)
        return batch, decided

    def _tried_once_more(
        self,
        batch: ShopBatch,
        evaluations: Sequence[Evaluation],
        reader: ShopReader,
        publisher: Publisher,
    ) -> ShopBatch:
        """Where most were refused, try one again; if the platform takes it, all may be tried."""
        decided = zip(batch.to_decide, evaluations, strict=True)
        refused = [case for case, evaluation in decided if evaluation.froze == "refused"]
        if not refused:
            return batch
        published = self._counters.published
        first = refused[0].excusing()
        self._count(first.parcel, publisher.settle(first), reader)
        if self._counters.published == published:
            return batch
        others = [s.excusing() if s in refused else s for s in batch.to_decide]
        others.pop(batch.to_decide.index(refused[0]))
        return replace(batch, to_decide=tuple(others))

    def _report_shop(self, kind: str, sentence: str, evidence: Mapping[str, int | None]) -> None:
        finding = Finding(kind=kind, sentence=cut(sentence, SENTENCE), ref=None, evidence=evidence)
        self._counters.incidents_opened += self._store.open_incidents(
            self._shop, [replace(finding, freezes=True)], now=self._parts.clock()
        )

    def _report(self, reason: EndReason, sentence: str | None) -> RunReport:
        counters, made = self._counters, self._platform.requests
        unpublished = self._count_unpublished(reason)
        left = max(0, unpublished - len(counters.awaiting))
        report = replace(
            self._begun(),
            end_reason=reason,
            sentence=sentence,
            requests=Requests.of(made),
            orders=counters.orders,
            checked=counters.checked,
            in_sync=counters.in_sync,
            published=counters.published,
            adopted=len(counters.adopted),
            adopted_fulfillments=tuple(dict.fromkeys(counters.adopted)),
            waiting=counters.waiting,
            frozen=len(counters.frozen),
            frozen_fulfillments=tuple(dict.fromkeys(counters.frozen)),
            incidents_opened=counters.incidents_opened,
            awaiting=len(counters.awaiting),
            left=left,
            left_fulfillments=self._left_undone() if left else (),
            next_look_at=self._next_look,
            rows=dict(sorted(counters.rows.items())),
        )
        numbers = {
            name: value for name, value in asdict(report).items() if isinstance(value, int)
        } | asdict(report.requests)
        self._end(report, counters=numbers, unpublished=unpublished)
        log.info("carrierflow.reconciled", extra={"shop": self._shop.code, **numbers})
        return report

    def _begun(self) -> RunReport:
        """Return a report of this run, of which only the ending is known."""
        return RunReport(
            shop=self._shop.code,
            run=self._id,
            started_at=self._started_at,
            ended_at=self._parts.clock(),
            end_reason=EndReason.DONE,
        )

    def _end(self, report: RunReport, *, counters: Mapping[str, int], unpublished: int) -> None:
        """Write how the run ended, and leave the shop to the next one."""
        if self._hold.died:
            self._store.close_shop_incidents(self._shop, "run_dies", now=report.ended_at)
        rest = rest_after(
            report,
            self._shop,
            pace=self._parts.pace,
            open_parcels=self._agenda.open if self._agenda else 1,
            unpublished=unpublished,
        )
        self._store.end_run(
            self._id,
            reason=report.end_reason,
            counters=counters,
            now=report.ended_at,
            hold=self._hold,
            rest=rest,
            sentence=report.sentence,
        )

    def _count_unpublished(self, reason: EndReason) -> int:
        """Count what is left; where there was nothing, and nothing was looked at, none is."""
        was_idle = self._agenda is not None and not self._agenda.unpublished
        if reason is EndReason.DONE and was_idle and not self._counters.orders:
            return 0
        return self._store.count_unpublished(self._shop)

    def _left_undone(self) -> tuple[FulfillmentRef, ...]:
        awaiting = self._counters.awaiting
        return tuple(self._store.unpublished(self._shop, but=awaiting, limit=MOST_NAMED))


def reader_of(
    parts: Parts, shop: Shop, platform: Platform, verified_before: datetime
) -> ShopReader:
    """Return one pass over a shop, not yet begun."""
    return ShopReader(
        shop=shop,
        store=parts.store,
        platform=platform,
        lifecycle=parts.lifecycle,
        policy=parts.policy_of(shop),
        clock=parts.clock,
        verified_before=verified_before,
    )
