"""What becomes of an event: the pure part of the ledger.

A `Draft` is one parcel in memory. `VerdictRules.decide` gives an event its verdict and changes
the draft; nothing here knows a database. Events are not orderly, so a refused one waits: when a
later one makes it legal, it enters the history after all. That is what makes the final state
of a parcel independent of the order in which its events arrive.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Protocol

from carrierflow.domain.canonical import entry_hash, stamp
from carrierflow.domain.clock import AHEAD
from carrierflow.domain.fulfillment import (
    ABANDONED,
    Change,
    EvidenceEntry,
    Fulfillment,
    MachineHead,
    PastEvents,
    SeenKey,
)
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.model import (
    OVERTURNABLE,
    START,
    HistoryEntry,
    Machine,
    Reason,
    Recorded,
    ResolvedEvent,
    Source,
    Status,
    Verdict,
)
from carrierflow.domain.revision import AgreedTerms
from carrierflow.errors import InvalidInput, KeyReused


__all__ = ["Draft", "Steps", "VerdictRules"]


GIVEN_UP = " A person abandoned this parcel: no platform is told of it."


class Steps(Protocol):
    """Whoever can say that one step is legal: the `transitions` machine or the compiled table."""

    def allows(self, machine: Machine, from_status: str, to_status: str) -> bool:
        """Tell whether one step leads from the one status to the other."""
        ...


@dataclass(frozen=True, slots=True)
class ReasonedVerdict:
    """A verdict and why."""

    verdict: Verdict
    reason: Reason
    sentence: str


@dataclass(kw_only=True, slots=True)
class Draft:
    """One parcel in memory, with everything that is to be written about it."""

    parcel: Fulfillment
    heads: dict[Machine, MachineHead]
    past: PastEvents
    entries: list[HistoryEntry] = field(default_factory=list)
    kept: list[EvidenceEntry] = field(default_factory=list)
    agreed: AgreedTerms | None = None
    """What is agreed about it from now on, where that is something else than before."""

    @classmethod
    def of(cls, parcel: Fulfillment, past: PastEvents) -> Draft:
        """Take a parcel from what was read of it."""
        return cls(
            parcel=parcel,
            heads={Machine.DELIVERY: parcel.delivery, Machine.COD: parcel.cod},
            past=past,
        )

    @property
    def is_new(self) -> bool:
        """Tell whether this parcel has no history yet."""
        return self.heads[Machine.DELIVERY].status == START

    @property
    def _is_open(self) -> bool:
        """Tell whether runs look after it: whatever moved is looked at, unless it was given up."""
        moved = bool(self.entries) and self.parcel.frozen != ABANDONED
        return self.parcel.open or moved

    @property
    def _entered_at(self) -> datetime | None:
        """When the parcel came to where it stands; its cash does not move it."""
        moved = (e.occurred_at for e in reversed(self.entries) if e.machine is Machine.DELIVERY)
        return next(moved, self.parcel.entered_at)

    def change(self) -> Change | None:
        """Return what must be written, or None where nothing happened."""
        if not self.entries and not self.kept and self.agreed is None:
            return None
        terms = self.agreed.terms if self.agreed else self.parcel
        after = replace(
            self.parcel,
            cod_amount=terms.cod_amount,
            tracking_number=terms.tracking_number,
            delivery=self.heads[Machine.DELIVERY],
            cod=self.heads[Machine.COD],
            entered_at=self._entered_at,
            version=self.parcel.version + 1,
            held=len(self.past.waiting),
            open=self._is_open,
            settled_at=None if self.entries else self.parcel.settled_at,
        )
        return Change(
            before=self.parcel,
            after=after,
            entries=tuple(self.entries),
            kept=tuple(self.kept),
            agreed=self.agreed,
        )


class VerdictRules:
    """Applies events to drafts under one lifecycle."""

    def __init__(self, lifecycle: Lifecycle, steps: Steps) -> None:
        self._lifecycle = lifecycle
        self._steps = steps

    def open(self, draft: Draft, *, at: datetime, now: datetime) -> None:
        """Write the first entry of both machines of a parcel that has none."""
        for status in _firsts(draft):
            self._by_rule(draft, status, occurred_at=at, now=now)

    def begin(
        self, draft: Draft, resolved: ResolvedEvent, *, at: datetime | None, now: datetime
    ) -> Recorded:
        """Open a parcel that has no history by the first event about it, and decide that.

        An event of what an opening stands for is its first entry. By any other the parcel is only
        known to have been taken up no later, unless `at` says when.
        """
        firsts = _firsts(draft)
        inferred = resolved.inferred or (at is None and resolved.status not in firsts)
        for status in firsts:
            if status is resolved.status:
                self._append(draft, resolved, now=now, inferred=resolved.inferred)
                _remember(draft, resolved, Verdict.ACCEPTED)
            else:
                moment = at or resolved.occurred_at
                self._by_rule(draft, status, occurred_at=moment, now=now, inferred=inferred)
        if resolved.status not in firsts:
            return self.decide(draft, resolved, now=now)
        (entry,) = (each for each in draft.entries if each.key == resolved.key)
        return _answer(draft, _legal_step(START, resolved.status), (entry,))

    def decide(self, draft: Draft, resolved: ResolvedEvent, *, now: datetime) -> Recorded:
        """Give an event its verdict and write it into the draft.

        Raises:
            KeyReused: if its key stands for another event of this fulfillment.
        """
        known = draft.past.keys.get(resolved.key)
        if known is not None:
            return _again(draft, resolved, known)
        self._set_late_aside(draft)
        weighed = self._decide(draft, resolved)
        written = len(draft.entries)
        if weighed.verdict is Verdict.ACCEPTED:
            self._enter(draft, resolved, now=now)
            self._retry_waiting(draft, now=now)
        else:
            _keep(draft, resolved, weighed, now=now)
        if weighed.verdict is Verdict.LATE:
            self._pass_late(draft, resolved, now=now)
            self._retry_waiting(draft, now=now)
        _remember(draft, resolved, weighed.verdict)
        return _answer(draft, weighed, tuple(draft.entries[written:]))

    def amend(self, draft: Draft, resolved: ResolvedEvent, *, now: datetime) -> Recorded:
        """Correct a machine's status by a new entry, which needs no edge.

        Raises:
            InvalidInput: if it says no more than what stands there.
        """
        known = draft.past.keys.get(resolved.key)
        if known is not None:
            return _again(draft, resolved, known)
        head = draft.heads[resolved.status.machine]
        same_time = not resolved.timed or resolved.occurred_at == head.since
        if head.status == resolved.status and same_time:
            raise InvalidInput(
                f"The parcel stands at {resolved.status} already; there is nothing to correct."
            )
        amended = head.seq
        self._append(draft, resolved, now=now, amends=amended)
        _remember(draft, resolved, Verdict.ACCEPTED)
        sentence = f"Entry {amended} is corrected: the parcel is {resolved.status}."
        weighed = ReasonedVerdict(Verdict.ACCEPTED, Reason.AMENDED, sentence)
        return _answer(draft, weighed, (draft.entries[-1],))

    def _decide(self, draft: Draft, resolved: ResolvedEvent) -> ReasonedVerdict:
        status, head = resolved.status, draft.heads[resolved.status.machine]
        if self._lifecycle.never_written(status):
            sentence = f"{status} is read from platforms and never recorded."
            return ReasonedVerdict(Verdict.REFUSED, Reason.NEVER_WRITTEN, sentence)
        early = _before_opening(draft, resolved) or _before_collection(draft, resolved)
        if early is not None:
            return early
        if status == head.status and draft.past.inferred.get(status) == head.seq:
            sentence = f"The parcel stands at {status} already; this confirms it."
            return ReasonedVerdict(Verdict.LATE, Reason.CONFIRMS_INFERRED, sentence)
        if head.since is not None and resolved.occurred_at < head.since:
            sentence = (
                f"{status} at {stamp(resolved.occurred_at)} is older than {head.status} at "
                f"{stamp(head.since)}; it is kept as evidence."
            )
            return ReasonedVerdict(Verdict.LATE, Reason.OLDER_THAN_STATE, sentence)
        return self._decide_coupling(draft, status) or self._decide_step(draft, resolved, head)

    def _decide_coupling(self, draft: Draft, status: Status) -> ReasonedVerdict | None:
        needs = self._lifecycle.needs(status)
        if needs is None or self._has_passed(draft, needs):
            return None
        sentence = f"{status} needs {needs}, and the parcel is {draft.heads[needs.machine].status}."
        return ReasonedVerdict(Verdict.REFUSED, Reason.COUPLING, sentence)

    def _has_passed(self, draft: Draft, status: Status) -> bool:
        """Tell whether the parcel was at a status once, or must have been on its way further."""
        here = draft.heads[status.machine].status
        too_late = status in draft.past.late and self._lifecycle.reaches(status, Status(here))
        return too_late or status in draft.past.passed

    def _decide_step(
        self, draft: Draft, resolved: ResolvedEvent, head: MachineHead
    ) -> ReasonedVerdict:
        status = resolved.status
        if self._steps.allows(status.machine, head.status, status):
            return _legal_step(head.status, status)
        if head.status == status:
            sentence = f"The parcel is {status} already."
            return ReasonedVerdict(Verdict.REFUSED, Reason.SAME_STATUS, sentence)
        if resolved.fill_gaps and self._lifecycle.reaches(head.status, status):
            return self._decide_road(draft, head, status)
        return self._refuse(head, status)

    def _decide_road(self, draft: Draft, head: MachineHead, status: Status) -> ReasonedVerdict:
        road = self._lifecycle.road(head.status, status)
        for step in road:
            coupled = self._decide_coupling(draft, step)
            if coupled is not None:
                return coupled
        sentence = f"{head.status} → {' → '.join(road)}; the steps before {status} are inferred."
        return ReasonedVerdict(Verdict.ACCEPTED, Reason.GAP_FILLED, sentence)

    def _refuse(self, head: MachineHead, status: Status) -> ReasonedVerdict:
        allowed = self._lifecycle.allowed(status.machine, head.status)
        if not allowed:
            sentence = f"{status} cannot follow {head.status}, which is final."
            return ReasonedVerdict(Verdict.REFUSED, Reason.FINAL_STATUS, sentence)
        sentence = f"{status} cannot follow {head.status}; allowed are {', '.join(allowed)}."
        return ReasonedVerdict(Verdict.REFUSED, Reason.ILLEGAL_STEP, sentence)

    def _enter(self, draft: Draft, resolved: ResolvedEvent, *, now: datetime) -> None:
        place = draft.heads[resolved.status.machine].status
        for status in self._lifecycle.road(place, resolved.status)[:-1]:
            step = replace(resolved, status=status, key="", note_digest=None)
            self._append(draft, step, now=now, inferred=True)
        self._append(draft, resolved, now=now, inferred=resolved.inferred)
        cause = f"{resolved.status.machine}:{draft.entries[-1].seq}"
        self._follow(draft, resolved, cause=cause, now=now)

    def _follow(
        self, draft: Draft, resolved: ResolvedEvent, *, cause: str | None, now: datetime
    ) -> None:
        """Record the cash status that this one brings with it, where it is the next step."""
        follower = self._lifecycle.follower(resolved.status)
        if follower is None:
            return
        place = draft.heads[follower.machine].status
        if self._steps.allows(follower.machine, place, follower):
            self._by_rule(draft, follower, occurred_at=resolved.occurred_at, now=now, cause=cause)

    def _pass_late(self, draft: Draft, resolved: ResolvedEvent, *, now: datetime) -> None:
        """Let the other machine have what waits for a late status: it moves nothing of its own.

        Only a status counts from which the parcel could have come to where it stands.
        """
        draft.past.add_late(resolved.status, resolved.occurred_at)
        if self._has_passed(draft, resolved.status):
            inferred = draft.past.inferred.get(resolved.status)
            cause = f"{resolved.status.machine}:{inferred}" if inferred else None
            self._follow(draft, resolved, cause=cause, now=now)

    def _retry_waiting(self, draft: Draft, *, now: datetime) -> None:
        while draft.past.waiting:
            for resolved in self._set_late_aside(draft):
                self._pass_late(draft, resolved, now=now)
            legal = [
                resolved
                for resolved in draft.past.waiting.values()
                if self._decide(draft, resolved).verdict is Verdict.ACCEPTED
            ]
            if not legal:
                return
            first = min(legal, key=lambda resolved: resolved.occurred_at)
            del draft.past.waiting[first.key]
            self._enter(draft, first, now=now)
            _remember(draft, first, Verdict.ACCEPTED)

    def _set_late_aside(self, draft: Draft) -> list[ResolvedEvent]:
        """Take out of the waiting events those that the parcel has overtaken."""
        late = [
            c for c in draft.past.waiting.values() if self._decide(draft, c).verdict is Verdict.LATE
        ]
        for resolved in late:
            del draft.past.waiting[resolved.key]
            draft.past.add_late(resolved.status, resolved.occurred_at)
        return late

    def _by_rule(
        self,
        draft: Draft,
        status: Status,
        *,
        occurred_at: datetime,
        now: datetime,
        inferred: bool = False,
        cause: str | None = None,
    ) -> None:
        """Append what nobody told: it did not happen on the road, so it makes no event late."""
        resolved = ResolvedEvent(status=status, occurred_at=occurred_at, key="", source=Source.RULE)
        self._append(draft, resolved, now=now, inferred=inferred, cause=cause)

    def _append(
        self,
        draft: Draft,
        resolved: ResolvedEvent,
        *,
        now: datetime,
        inferred: bool = False,
        cause: str | None = None,
        amends: int | None = None,
    ) -> None:
        status, machine = resolved.status, resolved.status.machine
        head = draft.heads[machine]
        entry = HistoryEntry(
            machine=machine,
            seq=head.seq + 1,
            from_status=head.status,
            to_status=status,
            definition=self._lifecycle.id,
            source=resolved.source,
            actor=resolved.actor,
            reason=resolved.reason,
            key=resolved.key or None,
            occurred_at=resolved.occurred_at,
            recorded_at=now,
            inferred=inferred,
            cause=cause,
            amends=amends,
            note_digest=resolved.note_digest,
            prev_hash=head.hash,
        )
        entry = entry.with_hash(entry_hash(draft.parcel.ref, entry))
        # An opening did not happen on the road, whoever told it: it makes no event late.
        is_told = resolved.source is not Source.RULE and head.status != START
        draft.entries.append(entry)
        untold = inferred or resolved.source is Source.RULE
        draft.past.add_entry(status, entry.seq, occurred_at=entry.occurred_at, untold=untold)
        if head.status == START and machine is Machine.DELIVERY:
            at = resolved.occurred_at
            draft.past.add_opening(at, inferred=inferred, dated=at != now)
        draft.heads[machine] = MachineHead(
            status=status,
            seq=entry.seq,
            since=resolved.occurred_at if is_told else head.since,
            hash=entry.hash,
            confirmed=head.confirmed,
        )


def _firsts(draft: Draft) -> tuple[Status, Status]:
    """Return where both machines of a parcel begin."""
    return Status.READYTOPICK, Status.CODPENDING if draft.parcel.cod_amount else Status.NONE


def _before_opening(draft: Draft, resolved: ResolvedEvent) -> ReasonedVerdict | None:
    """Refuse what the carrier dates before it had the parcel, by more than a clock may be wrong.

    A platform's dates are not the carrier's.
    """
    opened_at = draft.past.opened_at
    if opened_at is None or resolved.source is Source.PLATFORM:
        return None
    if opened_at - resolved.occurred_at <= AHEAD:
        return None
    sentence = (
        f"{resolved.status} at {stamp(resolved.occurred_at)} lies more than a day before the "
        f"parcel was taken up, at {stamp(opened_at)}."
    )
    return ReasonedVerdict(Verdict.REFUSED, Reason.BEFORE_OPENING, sentence)


def _before_collection(draft: Draft, resolved: ResolvedEvent) -> ReasonedVerdict | None:
    """Refuse what says that cash was handed over before anybody had it.

    A platform's dates are not the carrier's.
    """
    at = draft.past.collected_at
    if resolved.status is not Status.CODRECEIPT or resolved.source is Source.PLATFORM:
        return None
    if at is None or resolved.occurred_at >= at:
        return None
    sentence = (
        f"{resolved.status} at {stamp(resolved.occurred_at)} lies before the cash was collected, "
        f"at {stamp(at)}."
    )
    return ReasonedVerdict(Verdict.REFUSED, Reason.BEFORE_COLLECTION, sentence)


@cache
def _legal_step(from_status: str, status: Status) -> ReasonedVerdict:
    return ReasonedVerdict(Verdict.ACCEPTED, Reason.LEGAL_STEP, f"{from_status} → {status}.")


def _again(draft: Draft, resolved: ResolvedEvent, known: SeenKey) -> Recorded:
    if resolved.status is not known.status or (
        resolved.timed and resolved.occurred_at != known.occurred_at
    ):
        raise KeyReused(
            known.key,
            first=f"{known.status} at {stamp(known.occurred_at)}",
            now=f"{resolved.status} at {stamp(resolved.occurred_at)}",
        )
    sentence = f"This event was recorded before; it was {known.verdict} then."
    weighed = ReasonedVerdict(Verdict.DUPLICATE, Reason.KEY_SEEN, sentence)
    return replace(_answer(draft, weighed, ()), first=known.verdict)


def _keep(
    draft: Draft, resolved: ResolvedEvent, weighed: ReasonedVerdict, *, now: datetime
) -> None:
    draft.kept.append(
        EvidenceEntry(
            resolved=resolved,
            verdict=weighed.verdict,
            reason=weighed.reason,
            sentence=weighed.sentence,
            recorded_at=now,
            confirms=draft.past.inferred.get(resolved.status)
            if weighed.verdict is Verdict.LATE
            else None,
        )
    )
    if weighed.reason in OVERTURNABLE:
        draft.past.waiting[resolved.key] = resolved


def _remember(draft: Draft, resolved: ResolvedEvent, verdict: Verdict) -> None:
    draft.past.add_key(resolved.key, verdict, resolved.status, resolved.occurred_at)


def _answer(draft: Draft, weighed: ReasonedVerdict, entries: tuple[HistoryEntry, ...]) -> Recorded:
    return Recorded(
        ref=draft.parcel.ref,
        verdict=weighed.verdict,
        reason=weighed.reason,
        sentence=weighed.sentence + (GIVEN_UP if draft.parcel.frozen == ABANDONED else ""),
        carrier_status=Status(draft.heads[Machine.DELIVERY].status),
        cod_status=Status(draft.heads[Machine.COD].status),
        entries=entries,
    )
