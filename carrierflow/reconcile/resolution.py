"""Where people decide: incidents, and what their resolution changes.

A decision that takes more people than one waits, as a proposal, until others approve it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from carrierflow.domain import limits
from carrierflow.domain.approval import (
    AMEND,
    BOOKS_CASH,
    CORRECTION,
    ApprovalPolicy,
    Proposal,
    same_person,
)
from carrierflow.domain.clock import Clock
from carrierflow.domain.decision import OPEN
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Finding, Incident, OpenIncidents, ResolveAction
from carrierflow.domain.listing import IncidentQuestion, ListedIncidents, check_limit
from carrierflow.domain.model import Event, FulfillmentRef, Recorded, Verdict
from carrierflow.domain.revision import Revised, Revision
from carrierflow.domain.typecheck import check_text, guarded_methods
from carrierflow.errors import InvalidInput
from carrierflow.ledger.ledger import Ledger
from carrierflow.ledger.ports import LedgerTransaction
from carrierflow.reconcile.correction_proposal import (
    correction_finding,
    proposed_event,
    proposed_revision,
    revision_finding,
)
from carrierflow.reconcile.decided import Resolution, WrittenLedger
from carrierflow.reconcile.facts import facts_of
from carrierflow.reconcile.ports import FulfillmentUpdate
from carrierflow.reconcile.projection import Projection
from carrierflow.reconcile.rehearsal import RehearsedLedger, ResolutionPreview, told_after
from carrierflow.reconcile.resolution_ports import ResolutionStore


__all__ = ["IncidentResolver"]

REHEARSING = "rehearsal"
"""Who decides, and why, where nothing is written."""

SHOP_ACTIONS = frozenset({ResolveAction.UNFREEZE, ResolveAction.ABANDON})

Made = Callable[[LedgerTransaction], FulfillmentUpdate | None]


@guarded_methods
class IncidentResolver:
    """Lists incidents and carries out what people decide about them.

    `projection_of` says of a shop what its platform can show of a status, and be told; `policy`,
    how many people a decision takes.
    """

    def __init__(
        self,
        store: ResolutionStore,
        ledger: Ledger,
        *,
        clock: Clock,
        projection_of: Callable[[str], Projection],
        policy: ApprovalPolicy | None = None,
    ) -> None:
        self._projection_of = projection_of
        self._store = store
        self._ledger = ledger
        self._clock = clock
        self._policy = policy or ApprovalPolicy()

    def all(self, *, shop: str | None = None, state: str | None = OPEN) -> list[Incident]:
        """Return incidents, oldest first; `state` None returns resolved ones too."""
        return self._store.incidents(shop=shop, state=state)

    def page(
        self,
        *,
        shop: str | None = None,
        state: str | None = OPEN,
        kind: str | None = None,
        opened_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> ListedIncidents:
        """Return some incidents, oldest first; `after` is the `next` of the page before.

        One that is among those asked for from the first page to the last comes once.
        `opened_before` leaves those that were opened then, or earlier.

        Raises:
            InvalidInput: if the cursor is none or of other incidents, or the limit is none.
        """
        check_limit(limit)
        question = IncidentQuestion(shop=shop, state=state, kind=kind, opened_before=opened_before)
        return self._store.incident_page(question, after=after, limit=limit)

    def proposed(self, *, shop: str | None = None) -> list[Incident]:
        """Return the open incidents about which a decision waits for approval, oldest first."""
        return self._store.proposed(shop=shop)

    def by_kind(self) -> list[OpenIncidents]:
        """Return how many are open of each kind in each shop, oldest first."""
        return self._store.open_by_kind()

    def get(self, incident_id: str) -> Incident:
        """Return one incident; raises `UnknownIncident`."""
        return self._store.incident(incident_id)

    def assign(self, incident_id: str, owner: str, *, actor: str) -> Incident:
        """Write who looks after an incident; raises `UnknownIncident`, `InvalidInput`."""
        if not owner.strip():
            raise InvalidInput("An incident is assigned to somebody; give a code of your own.")
        check_text("owner", owner, limits.ACTOR)
        _check_actor(actor)
        incident = self.get(incident_id)
        self._store.assign_incident(incident.id, owner, actor=actor, now=self._clock())
        return self.get(incident_id)

    def preview(self, incident_id: str, action: ResolveAction) -> ResolutionPreview:
        """Say what `resolve` would write to the ledger and have told; nothing is written.

        Raises:
            UnknownIncident: if there is none of that number.
        """
        incident = self.get(incident_id)
        try:
            _check(incident, action, actor=REHEARSING, reason=REHEARSING)
            return self._previewed(incident, action)
        except InvalidInput as error:
            return ResolutionPreview(incident=incident.id, action=action, refused=str(error))

    def resolve(
        self, incident_id: str, action: ResolveAction, *, actor: str, reason: str
    ) -> Incident:
        """Carry out a person's decision, or propose it; who decided and why is kept for ever.

        The fulfillment is free and its incident closed in one moment: a run that came between
        would freeze it again, and the incident that says so would then be closed. Where it takes
        more people, the incident stays open and bears the proposal.

        Raises:
            UnknownIncident: if there is none of that number.
            InvalidInput: if it is resolved already, or the action does not fit it.
            ConcurrentUpdate: if the fulfillment was changed meanwhile; look at it again.
        """
        incident = self.get(incident_id)
        _check(incident, action, actor=actor, reason=reason)
        if self._previewed(incident, action).people > 1:
            parcel = self._parcel(incident)
            facts = facts_of(action, incident, parcel)
            self._store.propose(incident, self._proposal(action, actor, reason, facts))
        else:
            made = self._made(incident, action, actor=actor, reason=reason)
            decided = {"action": action, "actor": actor, "reason": reason}
            self._store.resolve(incident, made, now=self._clock(), **decided)
        return self.get(incident_id)

    def amend(self, event: Event) -> Recorded | Incident:
        """Correct where a parcel stands; or propose it, and return the incident that waits.

        Raises:
            As `Ledger.amend`.
            InvalidInput: also if a correction of the fulfillment waits already, or one that
                waits has a note.
        """
        if self._policy.amends_alone:
            return self._ledger.amend(event)
        if event.note:
            raise InvalidInput("A correction that waits for approval takes no note.")
        answer = self._ledger.check_amendment(event)
        if answer.verdict is Verdict.DUPLICATE:
            return answer
        finding = correction_finding(event, answer, now=self._clock())
        return self._propose_correction(answer.ref, finding)

    def revise(self, revision: Revision) -> Revised | Incident:
        """Change what was agreed; or propose it, where that is a correction, and return what waits.

        Raises:
            As `Ledger.revise`.
            InvalidInput: also if a correction of the fulfillment waits already.
        """
        if not self._policy.amends_alone:
            answer = self._ledger.check_revision(revision)
            if answer.corrects:
                finding = revision_finding(revision, answer, now=self._clock())
                return self._propose_correction(answer.ref, finding)
        return self._ledger.revise(
            revision.ref,
            cod_amount=revision.cod_amount,
            tracking_number=revision.tracking_number,
            actor=revision.actor,
            reason=revision.reason,
            correction=revision.correction,
        )

    def approve(self, incident_id: str, *, actor: str) -> Incident:
        """Approve what was proposed about an incident; the last who has to has it carried out.

        Raises:
            UnknownIncident: if there is none of that number.
            InvalidInput: if nothing waits, if the actor stands behind it already, or if what it
                rests on has changed since.
            ConcurrentUpdate: if it was decided about meanwhile; look at it again.
        """
        _check_actor(actor)
        incident = self.get(incident_id)
        waits = _waiting(incident)
        if any(same_person(actor, other) for other in waits.people):
            raise InvalidInput(
                f"{actor} stands behind this already; somebody else has to approve it."
            )
        _check_facts(incident, waits, self._parcel(incident))
        people = [*waits.people, actor]
        if len(people) < self._needed(incident, waits.action):
            self._store.approve(incident, actor, now=self._clock())
        else:
            made = self._approved(incident, waits)
            decided = {"action": waits.action, "actor": waits.actor, "reason": waits.reason}
            self._store.resolve(incident, made, now=self._clock(), approved_by=actor, **decided)
        return self.get(incident_id)

    def reject(self, incident_id: str, *, actor: str, reason: str) -> Incident:
        """Take away what was proposed about an incident; its author may do so, too.

        Raises:
            UnknownIncident: if there is none of that number.
            InvalidInput: if nothing waits.
            ConcurrentUpdate: if it was decided about meanwhile; look at it again.
        """
        _check_who(actor, reason)
        incident = self.get(incident_id)
        _waiting(incident)
        self._store.reject(incident, actor=actor, reason=reason, now=self._clock())
        return self.get(incident_id)

    def _propose_correction(self, ref: FulfillmentRef, finding: Finding) -> Incident:
        parcel = self._store.parcel(ref.shop, ref.fulfillment_id)
        facts = facts_of(AMEND, finding, parcel)
        said = finding.evidence
        proposal = self._proposal(AMEND, said["actor"], said["reason"], facts)
        number = self._store.propose_correction(parcel, finding, proposal)
        if number is None:
            raise InvalidInput(
                f"A correction of fulfillment {parcel.ref.fulfillment_id} waits for approval "
                "already; approve or reject that one first."
            )
        return self.get(number)

    def _proposal(self, action: str, actor: str, reason: str, facts: str) -> Proposal:
        return Proposal(
            action=action,
            actor=actor,
            reason=reason,
            proposed_at=self._clock(),
            facts_digest=facts,
        )

    def _previewed(self, incident: Incident, action: ResolveAction) -> ResolutionPreview:
        decision = self._decision(incident, action, actor=REHEARSING, reason=REHEARSING)
        found = ResolutionPreview(incident=incident.id, action=action)
        parcel = self._parcel(incident)
        if decision is not None and parcel is not None:
            ledger = RehearsedLedger(self._ledger, parcel)
            writing = decision.carry_out(ledger)
            tells = tuple(told_after(writing, decision.log, decision.projection))
            found = replace(found, writes=tuple(ledger.writes), tells=tells)
        people = self._policy.needed(
            action,
            corrects=any(step.correction for step in found.writes),
            books_cash=any(
                not BOOKS_CASH.isdisjoint((step.from_status, step.to_status))
                for step in found.writes
            ),
        )
        return replace(found, people=people)

    def _needed(self, incident: Incident, action: str) -> int:
        if incident.kind == CORRECTION:
            return self._policy.needed(action)
        return self._previewed(incident, ResolveAction(action)).people

    def _approved(self, incident: Incident, waits: Proposal) -> Made:
        """Return what carries a proposal out, if what it rests on is still so in that moment."""
        if incident.kind == CORRECTION:
            return partial(self._amended, incident, waits)
        action = ResolveAction(waits.action)
        return self._made(incident, action, actor=waits.actor, reason=waits.reason, waits=waits)

    def _amended(self, incident: Incident, waits: Proposal, tx: LedgerTransaction) -> None:
        name = incident.fulfillment_id or ""
        _check_facts(incident, waits, tx.parcels(incident.shop, [name])[name])
        revision = proposed_revision(incident)
        if revision is None:
            self._ledger.amend_within(tx, proposed_event(incident))
        else:
            self._ledger.revise_within(tx, revision)

    def _made(
        self,
        incident: Incident,
        action: ResolveAction,
        *,
        actor: str,
        reason: str,
        waits: Proposal | None = None,
    ) -> Made:
        decision = self._decision(incident, action, actor=actor, reason=reason)
        seen = self._parcel(incident)

        def work(tx: LedgerTransaction) -> FulfillmentUpdate | None:
            if decision is None or seen is None:
                return None
            ledger = WrittenLedger(self._ledger, tx, seen)
            if waits is not None:
                _check_facts(incident, waits, ledger.parcel())
            return decision.carry_out(ledger)

        return work

    def _decision(
        self, incident: Incident, action: ResolveAction, *, actor: str, reason: str
    ) -> Resolution | None:
        """Return a decision about an incident's fulfillment; None where it concerns none."""
        parcel = self._parcel(incident)
        if parcel is None:
            return None
        return Resolution(
            incident=incident,
            action=action,
            actor=actor,
            reason=reason,
            log=self._store.publication_logs([parcel])[parcel.id],
            projection=self._projection_of(parcel.ref.shop),
            now=self._clock(),
        )

    def _parcel(self, incident: Incident) -> Fulfillment | None:
        if incident.order_id is None or incident.fulfillment_id is None:
            return None
        return self._store.parcel(incident.shop, incident.fulfillment_id)


def _waiting(incident: Incident) -> Proposal:
    _check_open(incident)
    if incident.proposal is None:
        raise InvalidInput(f"Nothing about incident {incident.id} waits for approval.")
    return incident.proposal


def _check_facts(incident: Incident, waits: Proposal, parcel: Fulfillment | None) -> None:
    if facts_of(waits.action, incident, parcel) != waits.facts_digest:
        raise InvalidInput(
            f"What the proposal about incident {incident.id} rests on has changed since it was "
            "made; reject it, and decide anew about what is so now."
        )


def _check(incident: Incident, action: ResolveAction, *, actor: str, reason: str) -> None:
    _check_state(incident, action)
    _check_who(actor, reason)
    if incident.order_id is None and action not in SHOP_ACTIONS:
        raise InvalidInput(
            f"Incident {incident.id} concerns no fulfillment of the ledger; "
            "it can only be closed, with --action unfreeze."
        )


def _check_state(incident: Incident, action: ResolveAction) -> None:
    if action is ResolveAction.RESUME:
        if incident.action != ResolveAction.ABANDON:
            raise InvalidInput(f"Incident {incident.id} was not abandoned; nothing is taken back.")
    else:
        _check_open(incident)
    if incident.proposal is not None:
        raise InvalidInput(
            f"What {incident.proposal.actor} proposed about incident {incident.id}, "
            f"{incident.proposal.action}, waits for approval; approve or reject it."
        )


def _check_open(incident: Incident) -> None:
    if incident.state != OPEN:
        raise InvalidInput(f"Incident {incident.id} is resolved already.")


def _check_who(actor: str, reason: str) -> None:
    if not actor.strip() or not reason.strip():
        raise InvalidInput("A resolution needs an actor and a reason.")
    check_text("actor", actor, limits.ACTOR)
    check_text("reason", reason, limits.REASON)


def _check_actor(actor: str) -> None:
    if not actor.strip():
        raise InvalidInput("It needs an actor: a code of your own for who does this.")
    check_text("actor", actor, limits.ACTOR)
