"""What people decided about incidents and wait to see approved; each call is a transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from carrierflow.domain.approval import CORRECTION, REJECTED, Proposal
from carrierflow.domain.decision import RESOLVED, DecisionKind
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding, Incident
from carrierflow.errors import ConcurrentUpdate
from carrierflow.storage.decisions import standings_of, write_decision
from carrierflow.storage.incidents import close_incident, open_incident
from carrierflow.storage.store import SqlStore
from carrierflow.storage.tables import incidents


__all__ = ["SqlProposals", "hold"]


class SqlProposals:
    """Decisions that wait: made, approved, and taken away."""

    _store: SqlStore

    def propose(self, incident: Incident, proposal: Proposal) -> None:
        """Write a decision down that others have to approve."""

        def work(connection: Connection) -> None:
            hold(connection, incident)
            _propose(connection, int(incident.id), proposal)

        self._store.transact(work)

    def propose_correction(
        self, parcel: Fulfillment, finding: Finding, proposal: Proposal
    ) -> str | None:
        """Open the incident that a correction is while it waits, and return its id.

        None if another one of the same fulfillment waits already.
        """

        def work(connection: Connection) -> str | None:
            i = incidents.c
            same = (i.shop == parcel.shop_id, i.fulfillment == parcel.id, i.kind == finding.kind)
            waiting = select(i.id).where(*same, i.state != RESOLVED).with_for_update()
            if connection.execute(waiting).first() is not None:
                return None
            at = proposal.proposed_at
            open_incident(connection, parcel.shop_id, parcel.id, finding, at)
            own = select(i.id).where(*same, i.evidence_digest == finding.digest)
            number: int = connection.execute(own).scalar_one()
            _propose(connection, number, proposal)
            return str(number)

        return self._store.transact(work)

    def approve(self, incident: Incident, approver: str, *, now: datetime) -> None:
        """Write that one more person approves, where that is not enough yet."""
        waits = _waiting(incident)

        def work(connection: Connection) -> None:
            hold(connection, incident)
            told = {"action": waits.action, "reason": waits.reason, "approved_by": approver}
            kind = DecisionKind.APPROVED
            write_decision(connection, int(incident.id), kind, actor=waits.actor, now=now, **told)

        self._store.transact(work)

    def reject(self, incident: Incident, *, actor: str, reason: str, now: datetime) -> None:
        """Write that what was proposed is not done; with a correction its incident ends."""
        waits = _waiting(incident)

        def work(connection: Connection) -> None:
            hold(connection, incident)
            told = {"action": waits.action, "reason": reason}
            kind = DecisionKind.REJECTED
            write_decision(connection, int(incident.id), kind, actor=actor, now=now, **told)
            if incident.kind == CORRECTION:
                ended: dict[str, Any] = {"action": REJECTED, "actor": actor, "reason": reason}
                close_incident(connection, incident, now=now, **ended)

        self._store.transact(work)


def hold(connection: Connection, incident: Incident) -> None:
    """Hold an incident's row until the end of a transaction, as it was when it was looked at.

    Raises:
        ConcurrentUpdate: if it was decided about meanwhile.
    """
    number = int(incident.id)
    query = select(incidents.c.state).where(incidents.c.id == number).with_for_update()
    state = connection.execute(query).scalar_one_or_none()
    standing = standings_of(connection, [number]).get(number)
    if state != incident.state or (standing and standing.proposal) != incident.proposal:
        raise ConcurrentUpdate(f"Incident {incident.id}")


def _propose(connection: Connection, number: int, proposal: Proposal) -> None:
    told = {
        "action": proposal.action,
        "reason": proposal.reason,
        "facts_digest": proposal.facts_digest,
    }
    now, actor = proposal.proposed_at, proposal.actor
    write_decision(connection, number, DecisionKind.PROPOSED, actor=actor, now=now, **told)


def _waiting(incident: Incident) -> Proposal:
    if incident.proposal is None:
        raise ConcurrentUpdate(f"Incident {incident.id}")
    return incident.proposal
