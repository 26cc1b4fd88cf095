"""Carrying one fulfillment's turns out: intent, send, result, and again until nothing is left.

No transaction is open while a request is under way, and nothing here repeats a write: after an
answer that leaves the outcome open, only a later read decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from carrierflow.domain.canonical import observation_digest, stamp
from carrierflow.domain.clock import Clock
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Event, Machine, Observation, Source, Status, Verdict
from carrierflow.domain.publication import (
    Attempt,
    AttemptResult,
    Outcome,
    Publication,
    PublicationState,
)
from carrierflow.domain.shop import Shop
from carrierflow.errors import AccessDenied, ConcurrentUpdate, NotSent, OutcomeUnknown, Refused
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile.actions import Write
from carrierflow.reconcile.case import OPEN, Case
from carrierflow.reconcile.evaluate import Evaluation, evaluate, evidence_of
from carrierflow.reconcile.ports import FulfillmentUpdate, Platform, ReconcileStore
from carrierflow.reconcile.run_counters import EndState, PublishResult, RunCounters, ending_of


__all__ = ["Publisher"]

log = logging.getLogger(__name__)

CONFLICTS = 3
"""How often a fulfillment is read again because somebody else changed it."""

RESULT_TRIES = 20
"""How often a result is written again that met other writers; it must not be lost."""


class Publisher:
    """Brings fulfillments of one shop to the ledger's state, within one run."""

    def __init__(
        self,
        *,
        shop: Shop,
        run: str,
        fence: int,
        store: ReconcileStore,
        platform: Platform,
        ledger: Ledger,
        clock: Clock,
        counters: RunCounters,
        max_writes: int | None = None,
    ) -> None:
        self._shop = shop
        self._run = run
        self._fence = fence
        self._store = store
        self._platform = platform
        self._ledger = ledger
        self._clock = clock
        self._counters = counters
        self._max_writes = max_writes

    def consider(self, case: Case) -> Evaluation:
        """Decide the next turn at one fulfillment, as of now; nothing is done about it yet."""
        return evaluate(replace(case, now=self._clock()))

    def note(self, turns: Sequence[tuple[Case, Evaluation]]) -> list[PublishResult]:
        """Take turns that tell nothing, each with its case, in one transaction.

        Where somebody else changed one of the fulfillments, each is settled alone.
        """
        decided = [evaluation for _, evaluation in turns]
        new = [it for it in decided if _is_to_be_written(it)]
        try:
            written, opened = (
                self._store.write_all([self._noting(it) for it in new]) if new else ((), 0)
            )
        except ConcurrentUpdate:
            return [self.settle(case) for case, _ in turns]
        self._counters.incidents_opened += opened
        saved = {parcel.id: parcel for parcel in written}
        return [self._noted(it, saved.get(it.before.id, it.case.parcel)) for it in decided]

    def _noted(self, evaluation: Evaluation, parcel: Fulfillment) -> PublishResult:
        self._counters.count(evaluation)
        self._count_frozen(evaluation.before, parcel)
        return _ended(evaluation, replace(evaluation.case, parcel=parcel))

    def settle(self, case: Case, first: Evaluation | None = None) -> PublishResult:
        """Take turns at one fulfillment until there is nothing more to do now.

        `first` is the first turn, where it was just considered.

        Raises:
            AccessDenied: if the platform does not accept the token.
            ShopHeld: if another run took the shop.
        """
        for _ in range(CONFLICTS):
            try:
                return self._settle(case, first)
            except ConcurrentUpdate:
                case, first = self._reloaded(case), None
        return PublishResult(case=case, ending=EndState.READ_AGAIN)

    def _settle(self, case: Case, first: Evaluation | None) -> PublishResult:
        while True:
            evaluation, first = first or self.consider(case), None
            self._counters.count(evaluation)
            case = self._write(evaluation)
            if evaluation.adopt is not None:
                if not self._adopt(case, evaluation.adopt):
                    return PublishResult(case=case, ending=EndState.FROZEN)
                case = self._reloaded(case)
            elif evaluation.write is not None:
                if self._max_writes is not None and self._counters.writes >= self._max_writes:
                    return PublishResult(case=case, ending=EndState.CUT_SHORT)
                answered = self._tell(case, evaluation.write)
                if isinstance(answered, PublishResult):
                    return answered
                case = answered
            else:
                return _ended(evaluation, case)

    def _write(self, evaluation: Evaluation) -> Case:
        """Write what a turn decided, where there is anything to write."""
        return self._save(evaluation) if _is_to_be_written(evaluation) else evaluation.case

    def _save(self, evaluation: Evaluation, conclusion: AttemptResult | None = None) -> Case:
        return self._commit(evaluation.case, self._noting(evaluation, conclusion))

    def _noting(
        self, evaluation: Evaluation, conclusion: AttemptResult | None = None
    ) -> FulfillmentUpdate:
        before, after = evaluation.before, evaluation.case.parcel
        new_word = after.remote is not None and after.remote != before.remote
        return FulfillmentUpdate(
            before=before,
            after=after,
            now=evaluation.case.now,
            publications=evaluation.publications,
            conclusion=conclusion,
            observation=evaluation.case.seen if new_word else None,
            findings=tuple(map(self._with_request, evaluation.findings)),
            over=evaluation.over,
        )

    def _with_request(self, finding: Finding) -> Finding:
        """Add the request that a person can repeat, where the incident is about one."""
        if finding.about is None or finding.ref is None:
            return finding
        return replace(finding, request=self._platform.sketch(finding.ref, finding.about))

    def _commit(self, case: Case, writing: FulfillmentUpdate) -> Case:
        fence = (self._shop, self._fence) if writing.attempt else None
        parcel, opened = self._store.write(writing, fence=fence)
        self._counters.incidents_opened += opened
        self._count_frozen(writing.before, parcel)
        return replace(case, parcel=parcel)

    def _count_frozen(self, before: Fulfillment, parcel: Fulfillment) -> None:
        if parcel.frozen and not before.frozen:
            self._counters.frozen.append(parcel.ref)
            log.info("carrierflow.frozen", extra={"ref": str(parcel.ref), "kind": parcel.frozen})

    def _tell(self, case: Case, wanted: Write) -> Case | PublishResult:
        """Make one write: intent, send, result."""
        self._platform.wait_for_room()
        case = replace(case, now=self._clock())
        if evaluate(case).write != wanted:
            return case
        case, attempt = self._intend(case, wanted)
        ref = case.parcel.ref
        self._counters.writes += 1
        try:
            reply = self._platform.write(ref, wanted.by, not_later_than=attempt.send_deadline)
        except NotSent as error:
            return self._not_sent(case, attempt, error)
        except OutcomeUnknown as error:
            return self._unknown(case, attempt, error)
        except Refused as error:
            return self._refused(case, attempt, error)
        except AccessDenied as error:
            self._conclude(case, attempt, Outcome.ACCESS_DENIED, error)
            self._counters.refuses_writes = True
            raise
        return self._answered(case, attempt, reply)

    def _intend(self, case: Case, wanted: Write) -> tuple[Case, Attempt]:
        now, policy, step = case.now, case.policy, wanted.step
        key = (step.machine, step.seq)
        tried = case.publication_log.publications.get(
            key, Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
        )
        attempt = Attempt(
            machine=step.machine,
            seq=step.seq,
            number=tried.attempts + 1,
            status=step.to_status,
            expects=wanted.by.to,
            operation=wanted.by.name,
            run=self._run,
            fence=self._fence,
            intent_at=now,
            send_deadline=now + policy.send_deadline,
        )
        sent = replace(
            tried,
            state=PublicationState.SENT,
            attempts=attempt.number,
            first_sent_at=tried.first_sent_at or now,
            sent_at=now,
            ended_at=attempt.send_deadline + policy.request_timeout,
        )
        parcel = case.parcel
        writing = FulfillmentUpdate(
            before=parcel, after=parcel, now=now, publications=(sent,), attempt=attempt
        )
        case = self._commit(_tracking(case, sent, attempt), writing)
        return case, attempt

    def _answered(self, case: Case, attempt: Attempt, reply: Observation) -> Case:
        """Take the reply as what it is: an observation, and the newest one."""
        shown = reply.carrier if attempt.machine is Machine.DELIVERY else reply.cod
        confirmed = shown.status is attempt.expects
        self._counters.failures_in_a_row = self._counters.refusals_in_a_row = 0
        if confirmed:
            self._counters.published += 1
        log.info(
            "carrierflow.published",
            extra={"ref": str(case.parcel.ref), "to": attempt.status, "shown": shown.raw},
        )
        conclusion = AttemptResult(
            attempt=attempt,
            outcome=Outcome.CONFIRMED if confirmed else Outcome.OTHER_STATUS,
            recorded_at=self._clock(),
            http_status=200,
            reply_digest=observation_digest(reply),
            reply_updated_at=reply.updated_at_raw,
        )

        def write(case: Case) -> Case:
            told = replace(case, seen=reply, now=conclusion.recorded_at)
            told = _over(told, attempt)
            evaluation = evaluate(told)
            self._counters.count(evaluation)
            over = told.publication_log.publications[attempt.machine, attempt.seq]
            written = {(p.machine, p.seq): p for p in (over, *evaluation.publications)}
            return self._save(replace(evaluation, publications=tuple(written.values())), conclusion)

        return self._insist(case, write)

    def _insist(self, case: Case, write: Callable[[Case], Case]) -> Case:
        """Record a result, though somebody changed the fulfillment while we were sending."""
        for _ in range(RESULT_TRIES):
            try:
                return write(case)
            except ConcurrentUpdate:
                case = self._reloaded(case)
        return write(case)

    def _not_sent(self, case: Case, attempt: Attempt, error: NotSent) -> PublishResult:
        if error.http_status is None:
            self._counters.failures_in_a_row += 1
        case = self._conclude(case, attempt, Outcome.NOT_SENT, error)
        return PublishResult(case=case, ending=EndState.READ_AGAIN)

    def _unknown(self, case: Case, attempt: Attempt, error: OutcomeUnknown) -> PublishResult:
        self._counters.failures_in_a_row += 1
        case = self._conclude(case, attempt, Outcome.UNKNOWN, error)
        log.info(
            "carrierflow.unanswered",
            extra={"ref": str(case.parcel.ref), "to": attempt.status},
        )
        return PublishResult(case=case, ending=EndState.WAITING)

    def _refused(self, case: Case, attempt: Attempt, error: Refused) -> PublishResult:
        """Take a refusal for no more than an answer: a proxy may have said it, before or after."""
        self._counters.refusals_in_a_row += 1
        case = self._conclude(case, attempt, Outcome.REFUSED, error)
        log.info(
            "carrierflow.refused",
            extra={
                "ref": str(case.parcel.ref),
                "to": attempt.status,
                "http_status": error.http_status,
            },
        )
        return PublishResult(case=case, ending=EndState.WAITING)

    def _conclude(
        self,
        case: Case,
        attempt: Attempt,
        outcome: Outcome,
        error: NotSent | OutcomeUnknown | Refused | AccessDenied,
    ) -> Case:
        """Write what became of an attempt that brought no usable reply."""
        now, unknown = self._clock(), outcome in {Outcome.UNKNOWN, Outcome.REFUSED}
        conclusion = AttemptResult(
            attempt=attempt,
            outcome=outcome,
            recorded_at=now,
            http_status=error.http_status,
            reason=error.reason,
        )

        def write(case: Case) -> Case:
            told = _over(replace(case, now=now), attempt, unknown=unknown)
            parcel = told.parcel
            later = now + told.policy.settle if unknown else parcel.not_before
            after = replace(parcel, not_before=later)
            writing = FulfillmentUpdate(
                before=parcel,
                after=after,
                now=now,
                publications=(told.publication_log.publications[attempt.machine, attempt.seq],),
                conclusion=conclusion,
            )
            return self._commit(told, writing)

        return self._insist(case, write)

    def _adopt(self, case: Case, status: Status) -> bool:
        """Record what the platform shows as history; False if the ledger cannot take it.

        Asked twice, the ledger answers with its first verdict; only where it moved is there
        anything new to decide.
        """
        parcel = case.parcel
        answer = self._ledger.record(_shown_event(case, status))
        if answer.verdict is Verdict.ACCEPTED:
            self._counters.adopted.append(parcel.ref)
        moved = answer.carrier_status, answer.cod_status
        if moved != (parcel.delivery.status, parcel.cod.status):
            return True
        finding = Finding(
            kind="diverged",
            sentence=f"The platform shows {status}, and {answer.sentence}"[:512],
            ref=parcel.ref,
            evidence=evidence_of(case),
            freezes=True,
        )
        after = replace(parcel, frozen=finding.kind)
        writing = FulfillmentUpdate(before=parcel, after=after, now=case.now, findings=(finding,))
        self._commit(case, writing)
        return False

    def _reloaded(self, case: Case) -> Case:
        ref = case.parcel.ref
        found = self._store.parcels_of(self._shop, [ref.order_id])
        parcel = next(p for p in found if p.ref == ref)
        publication_log = self._store.publication_logs([parcel])[parcel.id]
        return replace(case, parcel=parcel, publication_log=publication_log)


def _is_to_be_written(evaluation: Evaluation) -> bool:
    """Tell whether a turn changes anything."""
    return evaluation.case.parcel != evaluation.before or bool(evaluation.findings)


def _ended(evaluation: Evaluation, case: Case) -> PublishResult:
    """Return how the turns at a fulfillment ended with one after which there is nothing to do."""
    found = frozenset(finding.kind for finding in evaluation.findings)
    return PublishResult(case=case, ending=ending_of(evaluation), found=found)


def _shown_event(case: Case, status: Status) -> Event:
    """Return what the platform shows as an event: as of its date, or of our last one if later.

    One that was moved so is another event than the one with the platform's date.
    """
    parcel, seen = case.parcel, case.seen
    date, since = seen.dates.get(status, seen.updated_at), parcel.head(status.machine).since
    moved = since if since and since > date else None
    key = f"platform:{status}:{seen.updated_at_raw}"
    return Event(
        shop=parcel.ref.shop,
        fulfillment_id=parcel.ref.fulfillment_id,
        status=status,
        occurred_at=moved or date,
        key=f"{key}:{stamp(moved)}" if moved else key,
        source=Source.PLATFORM,
        fill_gaps=True,
    )


def _tracking(case: Case, publication: Publication, attempt: Attempt | None = None) -> Case:
    publication_log = case.publication_log
    key = (publication.machine, publication.seq)
    attempts = (*publication_log.attempts, attempt) if attempt else publication_log.attempts
    publication_log = replace(
        publication_log,
        publications={**publication_log.publications, key: publication},
        attempts=attempts,
    )
    return replace(case, publication_log=publication_log)


def _over(case: Case, attempt: Attempt, *, unknown: bool = False) -> Case:
    """Mark an attempt as over: as unanswered, or as one that no longer counts.

    A run that stalled may conclude when another has tried again, or knows better, since: then
    the publication is the other one's.
    """
    publication = case.publication_log.publications[attempt.machine, attempt.seq]
    if publication.attempts != attempt.number or publication.state not in OPEN:
        return case
    state = PublicationState.UNKNOWN if unknown else PublicationState.TODO
    over = replace(publication, state=state, ended_at=case.now)
    return _tracking(case, over)
