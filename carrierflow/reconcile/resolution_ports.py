"""What the resolution of incidents asks of its store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Protocol

from carrierflow.domain.approval import Proposal
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding, Incident, OpenIncidents
from carrierflow.domain.listing import IncidentQuestion, ListedIncidents
from carrierflow.domain.publication import PublicationLog
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.reconcile.ports import FulfillmentUpdate


__all__ = ["ResolutionStore"]


class ResolutionStore(Protocol):
    """What a person's decisions read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`; whatever writes about an incident raises
    `ConcurrentUpdate` if it was decided about since it was read.
    """

    def incidents(self, *, shop: str | None = None, state: str | None = "open") -> list[Incident]:
        """Return incidents, oldest first; `state` None returns resolved ones too."""
        ...

    def incident_page(
        self, question: IncidentQuestion, *, after: str | None, limit: int
    ) -> ListedIncidents:
        """Return some of the incidents asked for, oldest first; raises `InvalidInput`."""
        ...

    def open_by_kind(self) -> list[OpenIncidents]:
        """Return what is open, by shop and kind, oldest first."""
        ...

    def incident(self, incident_id: str) -> Incident:
        """Return one incident; raises `UnknownIncident`."""
        ...

    def proposed(self, *, shop: str | None = None) -> list[Incident]:
        """Return the open incidents about which a decision waits for approval, oldest first."""
        ...

    def parcel(self, shop: str, fulfillment_id: str) -> Fulfillment:
        """Return one fulfillment; raises `UnknownShop`, `UnknownFulfillment`."""
        ...

    def publication_logs(self, parcels: Collection[Fulfillment]) -> dict[int, PublicationLog]:
        """Return what was recorded and tried for some fulfillments, by their own ids."""
        ...

    def assign_incident(self, incident_id: str, owner: str, *, actor: str, now: datetime) -> None:
        """Write who looks after an incident, and who says so."""
        ...

    def resolve(
        self,
        incident: Incident,
        make: Callable[[LedgerTransaction], FulfillmentUpdate | None],
        *,
        action: str,
        actor: str,
        reason: str,
        now: datetime,
        approved_by: str | None = None,
    ) -> None:
        """Write what a person's decision changes and close its incident, in one moment.

        `make` enters into the ledger what has to be, and returns what else there is to write.
        """
        ...

    def propose(self, incident: Incident, proposal: Proposal) -> None:
        """Write a decision down that others have to approve."""
        ...

    def propose_correction(
        self, parcel: Fulfillment, finding: Finding, proposal: Proposal
    ) -> str | None:
        """Open the incident that a correction is while it waits, and return its id.

        None if another one of the same fulfillment waits already.
        """
        ...

    def approve(self, incident: Incident, approver: str, *, now: datetime) -> None:
        """Write that one more person approves, where that is not enough yet."""
        ...

    def reject(self, incident: Incident, *, actor: str, reason: str, now: datetime) -> None:
        """Write that what was proposed is not done; with a correction its incident ends."""
        ...
