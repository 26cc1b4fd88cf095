"""What a person's decision makes of a fulfillment: entries of history, and how it stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from carrierflow.domain.fulfillment import ABANDONED, Fulfillment, RemoteSnapshot
from carrierflow.domain.incident import Incident, ResolveAction
from carrierflow.domain.incident_kinds import FREEZING
from carrierflow.domain.model import Event, Machine, Recorded, RemoteWord, Source, Status, Verdict
from carrierflow.domain.publication import PublicationLog
from carrierflow.errors import ConcurrentUpdate, InvalidInput
from carrierflow.ledger.ledger import Ledger
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.projection import Projection


__all__ = ["DecidedLedger", "Resolution", "WrittenLedger"]


class DecidedLedger(Protocol):
    """The ledger of one fulfillment, as a decision writes it."""

    def parcel(self) -> Fulfillment:
        """Return the fulfillment as it stands by now."""
        ...

    def enter(self, event: Event) -> Recorded:
        """Record what happened, or correct what stands where no legal step leads there."""
        ...


class WrittenLedger:
    """The ledger within the transaction that a decision is carried out in."""

    def __init__(self, ledger: Ledger, tx: LedgerTransaction, seen: Fulfillment) -> None:
        self._ledger = ledger
        self._tx = tx
        self._ref = seen.ref
        if self.parcel().version != seen.version:
            raise ConcurrentUpdate("A fulfillment")

    def parcel(self) -> Fulfillment:
        """Return the fulfillment as it stands by now, and hold it."""
        name = self._ref.fulfillment_id
        return self._tx.parcels(self._ref.shop, [name])[name]

    def enter(self, event: Event) -> Recorded:
        """Record what happened, or correct what stands where no legal step leads there."""
        if self._ledger.probe_within(self._tx, event).verdict is Verdict.ACCEPTED:
            return self._ledger.record_within(self._tx, event)
        return self._ledger.amend_within(self._tx, event)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolution:
    """What somebody decided about the fulfillment of an incident, and what it rests on."""

    incident: Incident
    action: ResolveAction
    actor: str
    reason: str
    log: PublicationLog
    projection: Projection
    now: datetime

    def carry_out(self, ledger: DecidedLedger) -> FulfillmentUpdate:
        """Enter what is adopted, and return what else becomes of the fulfillment.

        Raises:
            InvalidInput: if the action does not fit it.
        """
        parcel = ledger.parcel()
        match self.action:
            case ResolveAction.UNFREEZE:
                return self._freed(parcel, parcel)
            case ResolveAction.ADOPT:
                adopted = self._adopt(parcel, ledger)
                parcel = ledger.parcel()
                return self._freed(parcel, _showing(parcel, adopted))
            case ResolveAction.REASSERT:
                return self._freed(parcel, _reasserting(parcel, self.projection))
            case ResolveAction.ABANDON:
                after = replace(parcel, frozen=ABANDONED, open=False)
                return FulfillmentUpdate(before=parcel, after=after, now=self.now)
            case ResolveAction.RESUME:
                if parcel.frozen != ABANDONED:
                    raise InvalidInput(f"Fulfillment {parcel.ref.fulfillment_id} is looked after.")
                return self._freed(parcel, replace(parcel, open=True, settled_at=None))

    def _adopt(self, parcel: Fulfillment, ledger: DecidedLedger) -> list[Machine]:
        """Make the ledger say what the platform shows, and nothing that it says already.

        What the delivery is entered as may move the cash by rule, so that is asked for after it.
        Return what says now what the platform shows, and did not before.
        """
        remote = _known(parcel.remote)
        shown = _adoptable(remote.carrier), _adoptable(remote.cod)
        before = {machine: Status(parcel.head(machine).status) for machine in Machine}
        stands = dict(before)
        for status in shown:
            if self._shows(stands, status) or not _concerns(self.incident, status.machine):
                continue
            answer = ledger.enter(self._event(parcel, status))
            stands = {machine: answer.status_of(machine) for machine in Machine}
        return [
            status.machine
            for status in shown
            if self._shows(stands, status) and not self._shows(before, status)
        ]

    def _shows(self, stands: dict[Machine, Status], status: Status) -> bool:
        return self.projection.shows(stands[status.machine]) is status

    def _event(self, parcel: Fulfillment, status: Status) -> Event:
        return Event(
            shop=parcel.ref.shop,
            fulfillment_id=parcel.ref.fulfillment_id,
            status=status,
            key=f"incident:{self.incident.id}:{self.incident.times_seen}:{status}",
            actor=self.actor,
            reason=self.reason,
            source=Source.OPERATOR,
            fill_gaps=True,
        )

    def _freed(self, before: Fulfillment, after: Fulfillment) -> FulfillmentUpdate:
        """Let runs decide about a fulfillment again, at once, if nobody changed it meanwhile.

        What else froze it is over by that, until a run finds its cause again.
        """
        excused = tuple(
            replace(p, excused=p.attempts) for p in self.log.publications.values() if p.attempts
        )
        after = replace(
            after,
            frozen=None,
            not_before=None,
            verified_at=None,
            missing=0,
            missing_since=None,
        )
        return FulfillmentUpdate(
            before=before,
            after=after,
            now=self.now,
            publications=excused,
            over=FREEZING - {self.incident.kind} if before.frozen else frozenset(),
        )


def _concerns(incident: Incident, machine: Machine) -> bool:
    """Tell whether an incident is about a machine: one about cash never moves a delivery."""
    return machine is Machine.COD or incident.evidence.get("machine") != Machine.COD


def _showing(parcel: Fulfillment, machines: Collection[Machine]) -> Fulfillment:
    """Take for published what was adopted: the platform shows it, and nothing is to be told."""
    for machine in machines:
        head = parcel.head(machine)
        parcel = parcel.with_head(machine, replace(head, confirmed=head.seq))
    return parcel


def _known(remote: RemoteSnapshot | None) -> RemoteSnapshot:
    if remote is None:
        raise InvalidInput("The platform's state is not known yet; run reconcile first.")
    return remote


def _adoptable(word: RemoteWord) -> Status:
    """Return what a platform's word was read as, however it is spelled."""
    if word.status is None:
        raise InvalidInput(
            f"The platform's word {word.raw!r} stands for no status here, and cannot be adopted."
        )
    return word.status


def _reasserting(parcel: Fulfillment, projection: Projection) -> Fulfillment:
    """Make the ledger's status unpublished again, against what the platform shows now.

    Steps that were not told yet stay so: if the platform shows something else by then, they are
    told in their order. Where it shows both statuses already, nothing is to be told again; and
    over a word that nobody knows nothing is: once it is gone, what was told may stand there still.
    """
    remote = _known(parcel.remote)
    if remote.carrier.status is Status.CANCEL:
        raise InvalidInput("The platform cancelled this parcel, and that is final there.")
    parcel = replace(parcel, reassert=remote.digest)
    ours = projection.shows_of(parcel)
    if remote.statuses == ours:
        return parcel
    machine = Machine.COD if remote.carrier.status is ours[0] else Machine.DELIVERY
    head = parcel.head(machine)
    if head.seq == 1:
        raise InvalidInput("The platform cannot be told the first status of a parcel.")
    shown = remote.word(machine).status
    if shown is None:
        return parcel
    if not projection.plan(shown, Status(head.status)):
        raise InvalidInput(f"The platform shows {shown} and cannot be told {head.status} any more.")
    again = replace(head, confirmed=min(head.confirmed, head.seq - 1))
    return parcel.with_head(machine, again)
