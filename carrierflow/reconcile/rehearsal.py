"""What a decision would do, found out by making it on a ledger that only says what it would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import ResolveAction
from carrierflow.domain.model import Event, Machine, Recorded, Status, Verdict
from carrierflow.domain.publication import PublicationLog, PublishableStep
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.projection import Projection


__all__ = ["LedgerStep", "RehearsedLedger", "ResolutionPreview", "told_after"]

AT_AN_END = frozenset({Status.DELIVERED, Status.RETURN})
"""What a cancel is not told to by itself: row 12."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerStep:
    """One entry that a decision would write."""

    machine: Machine
    from_status: str
    to_status: str
    correction: bool
    """Whether no legal step leads there, so that it would be a correction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolutionPreview:
    """What a decision about an incident would write, and what would be told for it."""

    incident: str
    action: ResolveAction
    refused: str | None = None
    """Why it cannot be decided so; nothing would be done then."""
    writes: tuple[LedgerStep, ...] = ()
    """The entries of history, in their order."""
    people: int = 1
    """How many people it takes, who proposes it among them."""
    tells: tuple[str, ...] = ()
    """The statuses that the next run may write, in their order, unless the platform shows them."""


class RehearsedLedger:
    """A ledger that notes what it was asked to write."""

    def __init__(self, ledger: Ledger, parcel: Fulfillment) -> None:
        self._ledger = ledger
        self._parcel = parcel
        self.writes: list[LedgerStep] = []

    def parcel(self) -> Fulfillment:
        """Return the fulfillment as it stands: nothing is written here."""
        return self._parcel

    def enter(self, event: Event) -> Recorded:
        """Note the steps that an event would be, or the correction."""
        answer = self._ledger.probe(event)
        if answer.verdict is not Verdict.ACCEPTED:
            return self._corrected(event, answer)
        self.writes += [
            LedgerStep(
                machine=entry.machine,
                from_status=entry.from_status,
                to_status=entry.to_status,
                correction=False,
            )
            for entry in answer.entries
        ]
        return answer

    def _corrected(self, event: Event, answer: Recorded) -> Recorded:
        machine, status = event.status.machine, event.status
        stands = answer.status_of(machine)
        step = LedgerStep(machine=machine, from_status=stands, to_status=status, correction=True)
        self.writes.append(step)
        if machine is Machine.DELIVERY:
            return replace(answer, carrier_status=status)
        return replace(answer, cod_status=status)


def told_after(
    writing: FulfillmentUpdate, log: PublicationLog, projection: Projection
) -> Iterator[str]:
    """Yield what the next run tells of a fulfillment once a decision is written.

    That is as far as the platform still shows what it showed last: from where it stood, a run goes
    on; elsewhere it tells nothing, unless the person insists, or a cancel can still be told.
    """
    after = writing.after
    if after.frozen is not None or not after.open:
        return
    insists = after.reassert is not None and after.reassert != writing.before.reassert
    for machine in Machine:
        confirmed = after.head(machine).confirmed
        path = [s for s in log.steps if s.machine is machine and s.seq > confirmed]
        if path and after.remote is None:
            yield from (step.to_status for step in path)
        elif path and after.remote is not None:
            shown = after.remote.word(machine).status
            due = path[-1:] if insists else _due(path, shown, projection)
            told = (s.to_status for s in due if shown is not projection.shows(s.to_status))
            yield from (to for to in told if insists or projection.plan(shown, to))


def _due(
    path: list[PublishableStep], shown: Status | None, projection: Projection
) -> list[PublishableStep]:
    """Return the steps that a run would tell from what is shown."""
    if path[-1].to_status is Status.CANCEL:
        return [] if shown in AT_AN_END else path[-1:]
    if path[0].seq > 1 and shown is projection.shows(Status(path[0].from_status)):
        return path
    passed = [n for n, step in enumerate(path) if projection.shows(step.to_status) is shown]
    return path[passed[-1] + 1 :] if passed else []
