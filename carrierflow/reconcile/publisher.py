"""Carrying one fulfillment's turns out: intent, send, result, and again until nothing is left.

No transaction is open while a request is under way, and nothing here repeats a PUT: after an
answer that leaves the outcome open, only a later read decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.clock import Clock
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Event, Machine, Observation, Source, Status, Verdict
from carrierflow.domain.publication import (
    Attempt,
    AttemptResult,
    Outcome,
    Publication,
    PublicationState,
    PublishableStep,
)
from carrierflow.domain.shop import Shop
from carrierflow.errors import AccessDenied, ConcurrentUpdate, NotSent, OutcomeUnknown, Refused
from carrierflow.ledger.ledger import Ledger
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
        tally: RunCounters,
        max_writes: int | None = None,
    ) -> None:
        self._shop = shop
        self._run = run
        self._fence = fence
        self._store = store
        self._platform = platform
        self._ledger = ledger
        self._clock = clock
        self._tally = tally
        self._max_writes = max_writes

    def settle(self, situation: Case) -> PublishResult:
        """Take turns at one fulfillment until there is nothing more to do now.

        Raises:
            AccessDenied: if the platform does not accept the token.
            ShopHeld: if another run took the shop.
        """
        for _ in range(CONFLICTS):
            try:
                return self._settle(situation)
            except ConcurrentUpdate:
                situation = self._reloaded(situation)
        return PublishResult(situation=situation, ending=EndState.READ_AGAIN)

    def _settle(self, situation: Case) -> PublishResult:
        while True:
            turn = evaluate(replace(situation, now=self._clock()))
            self._tally.count(turn)
            situation = self._write(turn)
            if turn.adopt is not None:
                if not self._adopt(situation, turn.adopt):
                    return PublishResult(situation=situation, ending=EndState.FROZEN)
                situation = self._reloaded(situation)
            elif turn.put is not None:
                if self._max_writes is not None and self._tally.writes >= self._max_writes:
                    return PublishResult(situation=situation, ending=EndState.CUT_SHORT)
                answered = self._put(situation, turn.put)
                if isinstance(answered, PublishResult):
                    return answered
                situation = answered
            else:
                return PublishResult(situation=situation, ending=ending_of(turn))

    def _write(self, turn: Evaluation) -> Case:
        """Write what a turn decided, where there is anything to write."""
        if turn.situation.parcel == turn.before and not turn.findings:
            return turn.situation
        return self._save(turn)

    def _save(self, turn: Evaluation, conclusion: AttemptResult | None = None) -> Case:
        before, after = turn.before, turn.situation.parcel
        new_word = after.remote is not None and after.remote != before.remote
        writing = FulfillmentUpdate(
            before=before,
            after=after,
            now=turn.situation.now,
            publications=turn.publications,
            conclusion=conclusion,
            observation=turn.situation.seen if new_word else None,
            findings=tuple(map(self._with_request, turn.findings)),
        )
        return self._commit(turn.situation, writing)

    def _with_request(self, finding: Finding) -> Finding:
        """Add the request that a person can repeat, where the incident is about one."""
        if finding.about is None or finding.ref is None:
            return finding
        return replace(finding, request=self._platform.sketch_put(finding.ref, finding.about))

    def _commit(self, situation: Case, writing: FulfillmentUpdate) -> Case:
        fence = (self._shop, self._fence) if writing.attempt else None
        parcel, opened = self._store.write(writing, fence=fence)
        self._tally.incidents_opened += opened
        if parcel.frozen and not writing.before.frozen:
            self._tally.frozen += 1
            log.warning("carrierflow.frozen", extra={"ref": str(parcel.ref), "kind": parcel.frozen})
        return replace(situation, parcel=parcel)

    def _put(self, situation: Case, step: PublishableStep) -> Case | PublishResult:
        """Tell the platform one step: intent, send, result."""
        self._platform.wait_for_room()
        situation = replace(situation, now=self._clock())
        if evaluate(situation).put != step:
            return situation
        situation, attempt = self._intend(situation, step)
        ref = situation.parcel.ref
        self._tally.writes += 1
        try:
            reply = self._platform.put_status(
                ref, step.to_status, not_later_than=attempt.send_deadline
            )
        except NotSent as error:
            return self._not_sent(situation, attempt, error)
        except OutcomeUnknown as error:
            return self._unknown(situation, attempt, error)
        except Refused as error:
            return self._refused(situation, attempt, error)
        except AccessDenied as error:
            self._conclude(situation, attempt, Outcome.ACCESS_DENIED, error)
            raise
        return self._answered(situation, attempt, reply)

    def _intend(self, situation: Case, step: PublishableStep) -> tuple[Case, Attempt]:
        now, policy = situation.now, situation.policy
        key = (step.machine, step.seq)
        tried = situation.track.publications.get(
            key, Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
        )
        attempt = Attempt(
            machine=step.machine,
            seq=step.seq,
            number=tried.attempts + 1,
            status=step.to_status,
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
            over_at=attempt.send_deadline + policy.request_timeout,
        )
        parcel = situation.parcel
        writing = FulfillmentUpdate(
            before=parcel, after=parcel, now=now, publications=(sent,), attempt=attempt
        )
        situation = self._commit(_tracking(situation, sent, attempt), writing)
        return situation, attempt

    def _answered(self, situation: Case, attempt: Attempt, reply: Observation) -> Case:
        """Take the reply as what it is: an observation, and the newest one."""
        shown = reply.carrier if attempt.machine is Machine.DELIVERY else reply.cod
        confirmed = shown.status is attempt.status
        self._tally.failures_in_a_row = self._tally.refusals_in_a_row = 0
        if confirmed:
            self._tally.published += 1
        log.info(
            "carrierflow.published",
            extra={"ref": str(situation.parcel.ref), "to": attempt.status, "shown": shown.raw},
        )
        conclusion = AttemptResult(
            attempt=attempt,
            outcome=Outcome.CONFIRMED if confirmed else Outcome.OTHER_STATUS,
            recorded_at=self._clock(),
            http_status=200,
            reply_digest=observation_digest(reply),
            reply_updated_at=reply.updated_at_raw,
        )

        def write(situation: Case) -> Case:
            told = replace(situation, seen=reply, now=conclusion.recorded_at)
            told = _over(told, attempt)
            turn = evaluate(told)
            self._tally.count(turn)
            over = told.track.publications[attempt.machine, attempt.seq]
            written = {(p.machine, p.seq): p for p in (over, *turn.publications)}
            return self._save(replace(turn, publications=tuple(written.values())), conclusion)

        return self._insist(situation, write)

    def _insist(self, situation: Case, write: Callable[[Case], Case]) -> Case:
        """Record a result, though somebody changed the fulfillment while we were sending."""
        for _ in range(RESULT_TRIES):
            try:
                return write(situation)
            except ConcurrentUpdate:
                situation = self._reloaded(situation)
        return write(situation)

    def _not_sent(self, situation: Case, attempt: Attempt, error: NotSent) -> PublishResult:
        if error.http_status is None:
            self._tally.failures_in_a_row += 1
        situation = self._conclude(situation, attempt, Outcome.NOT_SENT, error)
        return PublishResult(situation=situation, ending=EndState.READ_AGAIN)

    def _unknown(self, situation: Case, attempt: Attempt, error: OutcomeUnknown) -> PublishResult:
        self._tally.failures_in_a_row += 1
        situation = self._conclude(situation, attempt, Outcome.UNKNOWN, error)
        log.warning(
            "carrierflow.unanswered",
            extra={"ref": str(situation.parcel.ref), "to": attempt.status},
        )
        return PublishResult(situation=situation, ending=EndState.WAITING)

    def _refused(self, situation: Case, attempt: Attempt, error: Refused) -> PublishResult:
        """Take a refusal for no more than an answer: a proxy may have said it, before or after."""
        self._tally.refusals_in_a_row += 1
        situation = self._conclude(situation, attempt, Outcome.REFUSED, error)
        log.warning(
            "carrierflow.refused",
            extra={
                "ref": str(situation.parcel.ref),
                "to": attempt.status,
                "http_status": error.http_status,
            },
        )
        return PublishResult(situation=situation, ending=EndState.WAITING)

    def _conclude(
        self,
        situation: Case,
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

        def write(situation: Case) -> Case:
            told = _over(replace(situation, now=now), attempt, unknown=unknown)
            parcel = told.parcel
            later = now + told.policy.settle if unknown else parcel.not_before
            after = replace(parcel, not_before=later)
            writing = FulfillmentUpdate(
                before=parcel,
                after=after,
                now=now,
                publications=(told.track.publications[attempt.machine, attempt.seq],),
                conclusion=conclusion,
            )
            return self._commit(told, writing)

        return self._insist(situation, write)

    def _adopt(self, situation: Case, status: Status) -> bool:
        """Record what the platform shows as history; False if the ledger cannot take it.

        Asked twice, the ledger answers with its first verdict; only where it moved is there
        anything new to decide.
        """
        parcel, seen = situation.parcel, situation.seen
        since = parcel.head(status.machine).since
        date = seen.dates.get(status, seen.updated_at)
        answer = self._ledger.record(
            Event(
                shop=parcel.ref.shop,
                fulfillment_id=parcel.ref.fulfillment_id,
                status=status,
                occurred_at=max(date, since) if since else date,
                key=f"platform:{status}:{seen.updated_at_raw}",
                source=Source.PLATFORM,
                fill_gaps=True,
            )
        )
        self._tally.adopted += answer.verdict is Verdict.ACCEPTED
        moved = answer.carrier_status, answer.cod_status
        if moved != (parcel.delivery.status, parcel.cod.status):
            return True
        finding = Finding(
            kind="diverged",
            sentence=f"The platform shows {status}, and {answer.sentence}"[:512],
            ref=parcel.ref,
            evidence=evidence_of(situation),
            freezes=True,
        )
        after = replace(parcel, frozen=finding.kind)
        writing = FulfillmentUpdate(
            before=parcel, after=after, now=situation.now, findings=(finding,)
        )
        self._commit(situation, writing)
        return False

    def _reloaded(self, situation: Case) -> Case:
        ref = situation.parcel.ref
        found = self._store.parcels_of(self._shop, [ref.order_id])
        parcel = next(p for p in found if p.ref == ref)
        track = self._store.tracks([parcel])[parcel.id]
        return replace(situation, parcel=parcel, track=track)


def _tracking(situation: Case, publication: Publication, attempt: Attempt | None = None) -> Case:
    track = situation.track
    key = (publication.machine, publication.seq)
    attempts = (*track.attempts, attempt) if attempt else track.attempts
    track = replace(track, publications={**track.publications, key: publication}, attempts=attempts)
    return replace(situation, track=track)


def _over(situation: Case, attempt: Attempt, *, unknown: bool = False) -> Case:
    """Mark an attempt as over: as unanswered, or as one that no longer counts.

    A run that stalled may conclude when another has tried again, or knows better, since: then
    the publication is the other one's.
    """
    publication = situation.track.publications[attempt.machine, attempt.seq]
    if publication.attempts != attempt.number or publication.state not in OPEN:
        return situation
    state = PublicationState.UNKNOWN if unknown else PublicationState.TODO
    over = replace(publication, state=state, over_at=situation.now)
    return _tracking(situation, over)
