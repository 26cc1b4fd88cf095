"""One turn at one fulfillment: all that can be decided without the network, as a value.

`take_turn` looks both machines up in the decision table, applies what needs no PUT in memory,
and stops at the first PUT that is wanted. Nothing is written here: runs write what a turn
says, plans print it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import Fulfillment, MachineHead, RemoteSnapshot
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import Machine, Observation, Source, Status
from carrierflow.domain.publication import Publication, PublicationState, PublishableStep
from carrierflow.reconcile.actions import (
    Adopt,
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


__all__ = ["Evaluation", "evaluate"]

SETTLED_COD = frozenset({Status.NONE, Status.CODRECEIPT})
NEVER_DELIVERED = frozenset({Status.RETURN, Status.CANCEL})


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What was decided, and what has to be written for it."""

    situation: Case
    """As it is once the turn is written."""
    before: Fulfillment
    decisions: tuple[tuple[Machine, Decision], ...]
    publications: tuple[Publication, ...] = ()
    findings: tuple[Finding, ...] = ()
    put: PublishableStep | None = None
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
        return None if self.before.frozen else self.situation.parcel.frozen

    @property
    def in_sync(self) -> bool:
        """Tell whether both machines agree with the platform."""
        last = dict(self.decisions)
        return len(last) == len(Machine) and all(
            isinstance(decision.action, InSync) for decision in last.values()
        )

    @property
    def must_read_again(self) -> bool:
        """Tell whether the observation was too old for what is wanted."""
        return any(isinstance(d.action, ReadAgain) for _, d in self.decisions)


@dataclass(slots=True)
class _Draft:
    """A turn while it is being made."""

    situation: Case
    decisions: list[tuple[Machine, Decision]]
    publications: dict[tuple[Machine, int], Publication]
    findings: list[Finding]
    put: PublishableStep | None = None
    adopt: Status | None = None
    wait_until: datetime | None = None
    discarded: bool = False
    moved: bool = False
    """Whether the publication cursor of a machine was moved."""


def evaluate(situation: Case) -> Evaluation:
    """Decide everything about one fulfillment that can be decided from one observation."""
    making = _Draft(situation, [], {}, [])
    for machine in Machine:
        _set_parcel(making, remote=situation.parcel.remote)
        _decide_machine(making, machine)
        if making.discarded:
            break
    if not making.discarded:
        _look_at_order(making)
        making.situation = _looked(making, situation)
    if making.situation.parcel.frozen:
        making.put = making.adopt = None
    return Evaluation(
        situation=making.situation,
        before=situation.parcel,
        decisions=tuple(making.decisions),
        publications=tuple(making.publications.values()),
        findings=tuple(making.findings),
        put=making.put,
        adopt=making.adopt,
        wait_until=making.wait_until,
        discarded=making.discarded,
    )


def _decide_machine(making: _Draft, machine: Machine) -> None:
    """Follow the table until it says something that only I/O can do."""
    while True:
        decision = decide(making.situation, machine)
        making.decisions.append((machine, decision))
        match decision.action:
            case Confirm(step):
                _confirm(making, machine, step)
                continue
            case Rewind() as rewind:
                _rewind(making, machine, rewind)
                continue
            case Freeze(kind):
                _find(making, machine, decision.row, decision.action)
                _set_parcel(making, frozen=kind)
            case OpenIncident():
                _find(making, machine, decision.row, decision.action)
            case Write(step):
                making.put = making.put or step
            case Adopt(status):
                making.adopt = making.adopt or status
            case Wait(until):
                making.wait_until = max(until, making.wait_until or until)
            case Discard():
                making.discarded = True
            case _:
                pass
        return


def _confirm(making: _Draft, machine: Machine, shown: PublishableStep) -> None:
    head = making.situation.parcel.head(machine)
    at = making.situation.seen.seen_at
    passed = (
        PublicationState.ABANDONED if shown.source is Source.PLATFORM else PublicationState.SUBSUMED
    )
    for step in making.situation.track.steps:
        if step.machine is machine and head.confirmed < step.seq <= shown.seq:
            state = PublicationState.CONFIRMED if step == shown else passed
            confirmed_at = at if step == shown else None
            _set_publication(making, step, state=state, confirmed_at=confirmed_at)
    _move(making, machine, shown.seq)


def _rewind(making: _Draft, machine: Machine, rewind: Rewind) -> None:
    head = making.situation.parcel.head(machine)
    for step in making.situation.track.steps:
        if step.machine is machine and rewind.seq < step.seq <= head.confirmed:
            times = _publication(making, step).reasserted + (not rewind.healed)
            _set_publication(making, step, state=PublicationState.TODO, reasserted=times)
    _move(making, machine, rewind.seq)


def _move(making: _Draft, machine: Machine, seq: int) -> None:
    """Move the cursor of one machine to the entry that the platform shows.

    What was seen is the platform's word from here on. In a redelivery loop the same status
    comes again on the path, and one visit to it must not be taken for two.
    """
    head = making.situation.parcel.head(machine)
    _set_head(making, machine, replace(head, confirmed=seq))
    _set_parcel(making, remote=accept(making.situation.seen))
    making.moved = True


def _publication(making: _Draft, step: PublishableStep) -> Publication:
    key = (step.machine, step.seq)
    new = Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
    return making.situation.track.publications.get(key, new)


def _set_publication(making: _Draft, step: PublishableStep, **changes: Any) -> None:
    changed = replace(_publication(making, step), **changes)
    key = (step.machine, step.seq)
    making.publications[key] = changed
    track = making.situation.track
    track = replace(track, publications={**track.publications, key: changed})
    making.situation = replace(making.situation, track=track)


def _set_head(making: _Draft, machine: Machine, head: MachineHead) -> None:
    parcel = making.situation.parcel.with_head(machine, head)
    making.situation = replace(making.situation, parcel=parcel)


def _set_parcel(making: _Draft, **changes: Any) -> None:
    parcel = replace(making.situation.parcel, **changes)
    making.situation = replace(making.situation, parcel=parcel)


def _find(making: _Draft, machine: Machine, row: str, action: Freeze | OpenIncident) -> None:
    evidence = {**evidence_of(making.situation), "machine": machine, "row": row}
    making.findings.append(
        Finding(
            kind=action.kind,
            sentence=action.sentence,
            ref=making.situation.parcel.ref,
            evidence=evidence,
            about=action.about if isinstance(action, Freeze) else None,
            freezes=isinstance(action, Freeze),
        )
    )


def _look_at_order(making: _Draft) -> None:
    situation = making.situation
    case = OrderCase(
        parcel=situation.parcel,
        seen=situation.seen,
        asked_alone=False,
        now=situation.now,
        policy=situation.policy,
        steps=situation.track.steps,
    )
    making.findings.extend(evaluate_order(case).findings)


def _looked(making: _Draft, read: Case) -> Case:
    """Take the observation for true, and note that the parcel was looked at."""
    situation, seen = making.situation, read.seen
    parcel = replace(
        situation.parcel,
        seen_at=seen.seen_at,
        verified_at=seen.asked_at,
        not_before=making.wait_until,
        missing=0,
        missing_since=None,
    )
    if making.moved or parcel.frozen or not _is_too_early(making):
        parcel = replace(parcel, remote=accept(seen))
    if making.put is None and making.adopt is None:
        parcel = _settled(parcel, situation.now, situation.policy.grace)
    return replace(situation, parcel=parcel)


def _is_too_early(making: _Draft) -> bool:
    """Tell whether nothing may be concluded yet from what was seen."""
    return any(making.situation.view(machine).is_settling for machine in Machine) or any(
        isinstance(decision.action, ReadAgain) for _, decision in making.decisions
    )


def _settled(parcel: Fulfillment, now: datetime, grace: timedelta) -> Fulfillment:
    if parcel.frozen or parcel.unpublished or not is_over(parcel):
        return replace(parcel, settled_at=None)
    settled_at = parcel.settled_at or now
    return replace(parcel, settled_at=settled_at, open=now - settled_at < grace)


def is_over(parcel: Fulfillment) -> bool:
    """Tell whether nothing more can happen to a parcel or to its cash.

    A parcel that came back or was cancelled never brings its cash, so pending cash is no
    reason to wait for it; collected cash is, until it is remitted.
    """
    delivery, cod = Status(parcel.delivery.status), Status(parcel.cod.status)
    if delivery in NEVER_DELIVERED:
        return cod in SETTLED_COD or cod is Status.CODPENDING
    return delivery is Status.DELIVERED and cod in SETTLED_COD


def accept(seen: Observation) -> RemoteSnapshot:
    """Return an observation as the platform's word that later ones are compared with."""
    return RemoteSnapshot(
        carrier=seen.carrier.raw,
        cod=seen.cod.raw,
        updated_at=seen.updated_at,
        dates=seen.dates,
        digest=observation_digest(seen),
    )


def evidence_of(situation: Case) -> Mapping[str, Any]:
    """Return what both sides say, in a form without times of ours and personal data."""
    seen = situation.seen
    return {
        "ledger": {
            machine: [
                f"{step.seq}:{step.to_status}"
                for step in situation.track.steps
                if step.machine is machine
            ]
            for machine in Machine
        },
        "confirmed": {machine: situation.parcel.head(machine).confirmed for machine in Machine},
        "platform": {
            "carrier": seen.carrier.raw,
            "cod": seen.cod.raw,
            "updated_at": seen.updated_at_raw,
            "dates": dict(sorted(seen.dates_raw.items())),
            "order_cancelled": seen.order_cancelled,
        },
    }
