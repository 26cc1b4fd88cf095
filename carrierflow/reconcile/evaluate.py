"""One turn at one fulfillment: all that can be decided without the network, as a value.

`evaluate` looks both machines up in the decision table, applies what needs no write in memory,
and stops at the first write that is wanted. Nothing is written here: runs write what a turn
says, plans print it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import ABANDONED, Fulfillment, MachineHead, RemoteSnapshot
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Machine, Observation, Source, Status
from carrierflow.domain.publication import Publication, PublicationState, PublishableStep
from carrierflow.reconcile.actions import (
    Adopt,
    Await,
    Confirm,
    Decision,
    Discard,
    Freeze,
    InSync,
    OpenIncident,
    ReadAgain,
    Rewind,
    Wait,
    Write,
)
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.decision_table import OrderCase, decide
from carrierflow.reconcile.orders import evaluate_order


__all__ = ["OVER", "Evaluation", "evaluate", "is_over"]

SETTLED_COD = (Status.NONE, Status.CODRECEIPT)
NEVER_DELIVERED = (Status.RETURN, Status.CANCEL)

OVER = frozenset(
    {
        *product((Status.DELIVERED,), SETTLED_COD),
        *product(NEVER_DELIVERED, (*SETTLED_COD, Status.CODPENDING)),
    }
)
"""The delivery and the cash of a parcel with which nothing more can happen.

One that came back or was cancelled never brings its cash, so pending cash is no reason to wait
for it; collected cash is, until it is remitted.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What was decided, and what has to be written for it."""

    case: Case
    """As it is once the turn is written."""
    before: Fulfillment
    decisions: tuple[tuple[Machine, Decision], ...]
    publications: tuple[Publication, ...] = ()
    findings: tuple[Finding, ...] = ()
    write: Write | None = None
    """What the platform is to be told."""
    adopt: Status | None = None
    wait_until: datetime | None = None
    discarded: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The numbers of the rows that decided."""
        return tuple(decision.row for _, decision in self.decisions)

    @property
    def froze(self) -> str | None:
        """Return the kind of incident that the turn freezes its fulfillment with."""
        return None if self.before.frozen else self.case.parcel.frozen

    @property
    def over(self) -> frozenset[str]:
        """Return the kind of incident whose cause is gone: it froze what both sides agree on."""
        kind = None if self.case.parcel.frozen else self.before.frozen
        return frozenset({kind}) if kind else frozenset()

    @property
    def in_sync(self) -> bool:
        """Tell whether both machines agree with the platform."""
        last = dict(self.decisions)
        return len(last) == len(Machine) and all(
            isinstance(decision.action, InSync) for decision in last.values()
        )

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing is to be told, and nothing to be recorded in the ledger."""
        return self.write is None and self.adopt is None

    @property
    def awaits(self) -> bool:
        """Tell whether what is unpublished is no work of ours: nothing may be told now."""
        last = [decision.action for decision in dict(self.decisions).values()]
        return any(
            isinstance(it, Await) or (isinstance(it, OpenIncident) and it.awaits) for it in last
        )

    @property
    def must_read_again(self) -> bool:
        """Tell whether the observation was too old for what is wanted."""
        return any(isinstance(d.action, ReadAgain) for _, d in self.decisions)


@dataclass(slots=True)
class _Draft:
    """A turn while it is being made."""

    case: Case
    word: RemoteSnapshot
    """What was seen, as the platform's word."""
    decisions: list[tuple[Machine, Decision]]
    publications: dict[tuple[Machine, int], Publication]
    findings: list[Finding]
    write: Write | None = None
    adopt: Status | None = None
    wait_until: datetime | None = None
    discarded: bool = False
    moved: bool = False
    """Whether the publication cursor of a machine was moved."""


def evaluate(case: Case) -> Evaluation:
    """Decide everything about one fulfillment that can be decided from one observation.

    One that is frozen is free again where both sides agree: nothing is left to be told, and
    nothing for a person to decide. What a person gave up stays so.
    """
    if case.parcel.frozen in {None, ABANDONED}:
        return _evaluate(case)
    free = _evaluate(replace(case, parcel=replace(case.parcel, frozen=None)))
    return replace(free, before=case.parcel) if free.in_sync else _evaluate(case)


def _evaluate(case: Case) -> Evaluation:
    draft = _Draft(case, accept(case.seen), [], {}, [])
    for machine in Machine:
        if draft.moved:
            _set_parcel(draft, remote=case.parcel.remote)
        _decide_machine(draft, machine)
        if draft.discarded:
            break
    if not draft.discarded:
        _look_at_order(draft)
        draft.case = _looked(draft, case)
    if draft.case.parcel.frozen:
        draft.write = draft.adopt = None
    return Evaluation(
        case=draft.case,
        before=case.parcel,
        decisions=tuple(draft.decisions),
        publications=tuple(draft.publications.values()),
        findings=tuple(draft.findings),
        write=draft.write,
        adopt=draft.adopt,
        wait_until=draft.wait_until,
        discarded=draft.discarded,
    )


def _decide_machine(draft: _Draft, machine: Machine) -> None:
    """Follow the table until it says something that only I/O can do."""
    while True:
        decision = decide(draft.case, machine)
        draft.decisions.append((machine, decision))
        match decision.action:
            case Confirm(step):
                _confirm(draft, machine, step)
                continue
            case Rewind() as rewind:
                _rewind(draft, machine, rewind)
                continue
            case Freeze(kind):
                _find(draft, machine, decision.row, decision.action)
                _set_parcel(draft, frozen=kind)
            case OpenIncident():
                _find(draft, machine, decision.row, decision.action)
            case Write() as write:
                draft.write = draft.write or write
            case Adopt(status):
                draft.adopt = draft.adopt or status
            case Wait(until):
                draft.wait_until = max(until, draft.wait_until or until)
            case Discard():
                draft.discarded = True
            case _:
                pass
        return


def _confirm(draft: _Draft, machine: Machine, shown: PublishableStep) -> None:
    head = draft.case.parcel.head(machine)
    at = draft.case.seen.seen_at
    passed = (
        PublicationState.ABANDONED if shown.source is Source.PLATFORM else PublicationState.SUBSUMED
    )
    changed = [
        replace(
            _publication(draft, step),
            state=PublicationState.CONFIRMED if step == shown else passed,
            confirmed_at=at if step == shown else None,
        )
        for step in draft.case.publication_log.steps
        if step.machine is machine and head.confirmed < step.seq <= shown.seq
    ]
    _set_publications(draft, changed)
    _move(draft, machine, shown.seq)


def _rewind(draft: _Draft, machine: Machine, rewind: Rewind) -> None:
    head = draft.case.parcel.head(machine)
    confirmed = [
        _publication(draft, step)
        for step in draft.case.publication_log.steps
        if step.machine is machine and rewind.seq < step.seq <= head.confirmed
    ]
    again = [
        replace(it, state=PublicationState.TODO, reasserted=it.reasserted + (not rewind.healed))
        for it in confirmed
    ]
    _set_publications(draft, again)
    _move(draft, machine, rewind.seq)


def _move(draft: _Draft, machine: Machine, seq: int) -> None:
    """Move the cursor of one machine to the entry that the platform shows.

    What was seen is the platform's word from here on. In a redelivery loop the same status
    comes again on the path, and one visit to it must not be taken for two.
    """
    head = draft.case.parcel.head(machine)
    _set_head(draft, machine, replace(head, confirmed=seq), remote=draft.word)
    draft.moved = True


def _publication(draft: _Draft, step: PublishableStep) -> Publication:
    key = (step.machine, step.seq)
    new = Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
    return draft.case.publication_log.publications.get(key, new)


def _set_publications(draft: _Draft, changed: Iterable[Publication]) -> None:
    by_step = {(publication.machine, publication.seq): publication for publication in changed}
    draft.publications |= by_step
    publication_log = draft.case.publication_log
    publication_log = replace(
        publication_log, publications={**publication_log.publications, **by_step}
    )
    draft.case = replace(draft.case, publication_log=publication_log)


def _set_head(draft: _Draft, machine: Machine, head: MachineHead, **changes: Any) -> None:
    parcel = draft.case.parcel.with_head(machine, head, **changes)
    draft.case = replace(draft.case, parcel=parcel)


def _set_parcel(draft: _Draft, **changes: Any) -> None:
    parcel = replace(draft.case.parcel, **changes)
    draft.case = replace(draft.case, parcel=parcel)


def _find(draft: _Draft, machine: Machine, row: str, action: Freeze | OpenIncident) -> None:
    whole = evidence_of(draft.case)
    cause = action.evidence if isinstance(action, OpenIncident) else {}
    evidence = {**(cause or whole), "machine": machine, "row": row}
    draft.findings.append(
        Finding(
            kind=action.kind,
            sentence=action.sentence,
            ref=draft.case.parcel.ref,
            evidence=evidence,
            detail=whole if cause else {},
            about=action.about if isinstance(action, Freeze) else None,
            freezes=isinstance(action, Freeze),
        )
    )


def _look_at_order(draft: _Draft) -> None:
    case = draft.case
    whole = OrderCase(
        parcel=case.parcel,
        seen=case.seen,
        asked_alone=False,
        now=case.now,
        policy=case.policy,
        steps=case.publication_log.steps,
    )
    draft.findings.extend(evaluate_order(whole).findings)


def _looked(draft: _Draft, read: Case) -> Case:
    """Take the observation for true, and note that the parcel was looked at."""
    case, seen, parcel = draft.case, read.seen, draft.case.parcel
    believed = draft.moved or parcel.frozen or not _is_too_early(draft)
    parcel = replace(
        parcel,
        remote=draft.word if believed else parcel.remote,
        seen_at=seen.seen_at,
        verified_at=seen.asked_at,
        not_before=draft.wait_until,
        missing=0,
        missing_since=None,
    )
    if draft.write is None and draft.adopt is None:
        parcel = _settled(parcel, case.now, case.policy.grace)
    return replace(case, parcel=parcel)


def _is_too_early(draft: _Draft) -> bool:
    """Tell whether nothing may be concluded yet from what was seen."""
    return any(draft.case.on(machine).is_settling for machine in Machine) or any(
        isinstance(decision.action, ReadAgain) for _, decision in draft.decisions
    )


def _settled(parcel: Fulfillment, now: datetime, grace: timedelta) -> Fulfillment:
    if parcel.frozen or parcel.unpublished or not is_over(parcel):
        return parcel if parcel.settled_at is None else replace(parcel, settled_at=None)
    settled_at = parcel.settled_at or now
    return replace(parcel, settled_at=settled_at, open=now - settled_at < grace)


def is_over(parcel: Fulfillment) -> bool:
    """Tell whether nothing more can happen to a parcel or to its cash."""
    return (parcel.delivery.status, parcel.cod.status) in OVER


def accept(seen: Observation) -> RemoteSnapshot:
    """Return an observation as the platform's word that later ones are compared with."""
    return RemoteSnapshot(
        carrier=seen.carrier,
        cod=seen.cod,
        updated_at=seen.updated_at,
        dates=seen.dates,
        digest=observation_digest(seen),
    )


def evidence_of(case: Case) -> Mapping[str, Any]:
    """Return what both sides say, in a form without times of ours and personal data."""
    seen = case.seen
    return {
        "ledger": {
            machine: [
                f"{step.seq}:{step.to_status}"
                for step in case.publication_log.steps
                if step.machine is machine
            ]
            for machine in Machine
        },
        "confirmed": {machine: case.parcel.head(machine).confirmed for machine in Machine},
        "platform": {
            "carrier": seen.carrier.raw,
            "cod": seen.cod.raw,
            "updated_at": seen.updated_at_raw,
            "dates": dict(sorted(seen.dates_raw.items())),
            "order_cancelled": seen.order_cancelled,
        },
    }
