"""What a decision would do, found out by making it on a ledger that only says what it would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from carrierflow.domain.incident import ResolveAction
from carrierflow.domain.model import Event, Machine, Recorded, Status, Verdict
from carrierflow.domain.publication import PublicationLog
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
    tells: tuple[str, ...] = ()
    """The statuses that the next run may write, in their order, unless the platform shows them."""


class RehearsedLedger:
    """A ledger that notes what it was asked to write."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.writes: list[LedgerStep] = []

    def probe(self, event: Event) -> Recorded:
        """Say what `record` would answer."""
        return self._ledger.probe(event)

    def record(self, event: Event) -> None:
        """Note the steps that an event would be."""
        answer = self._ledger.probe(event)
        if answer.verdict is Verdict.ACCEPTED:
            self.writes += [
                LedgerStep(
                    machine=entry.machine,
                    from_status=entry.from_status,
                    to_status=entry.to_status,
                    correction=False,
                )
                for entry in answer.entries
            ]

    def amend(self, event: Event) -> None:
        """Note a correction."""
        machine, answer = event.status.machine, self._ledger.probe(event)
        stands = answer.carrier_status if machine is Machine.DELIVERY else answer.cod_status
        step = LedgerStep(
            machine=machine, from_status=stands, to_status=event.status, correction=True
        )
        self.writes.append(step)


def told_after(
    writing: FulfillmentUpdate, log: PublicationLog, projection: Projection
) -> Iterator[str]:
    """Yield what is left to be told of a fulfillment once a decision is written.

    Left out is what no write leads to from what the platform shows, and a cancel of what is at an
    end there, unless the person insists on it.
    """
    after = writing.after
    if after.frozen is not None or not after.open:
        return
    insists = after.reassert is not None and after.reassert != writing.before.reassert
    for step in log.steps:
        if after.head(step.machine).confirmed < step.seq:
            shown = after.remote.word(step.machine).status if after.remote else None
            conflicts = step.to_status is Status.CANCEL and shown in AT_AN_END and not insists
            if shown is None or (projection.plan(shown, step.to_status) and not conflicts):
                yield step.to_status
