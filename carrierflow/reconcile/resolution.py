"""Where a person decides: incidents, and what their resolution changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from carrierflow.domain import limits
from carrierflow.domain.clock import Clock
from carrierflow.domain.fulfillment import ABANDONED, Fulfillment, RemoteSnapshot
from carrierflow.domain.incident import Incident, OpenIncidents, ResolveAction
from carrierflow.domain.model import Event, Machine, RemoteWord, Source, Status, Verdict
from carrierflow.domain.typecheck import check_text, guarded_methods
from carrierflow.errors import InvalidInput
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile.ports import FulfillmentUpdate, ReconcileStore
from carrierflow.reconcile.projection import Projection
from carrierflow.reconcile.rehearsal import RehearsedLedger, ResolutionPreview, told_after


__all__ = ["IncidentResolver"]

REHEARSING = "rehearsal"
"""Who decides, and why, where nothing is written."""

SHOP_ACTIONS = frozenset({ResolveAction.UNFREEZE, ResolveAction.ABANDON})


@guarded_methods
class IncidentResolver:
    """Lists incidents and carries out what a person decides about them.

    `projection_of` says of a shop what its platform can show of a status, and be told.
    """

    def __init__(
        self,
        store: ReconcileStore,
        ledger: Ledger,
        *,
        clock: Clock,
        projection_of: Callable[[str], Projection],
    ) -> None:
        self._projection_of = projection_of
        self._store = store
        self._ledger = ledger
        self._clock = clock

    def all(self, *, shop: str | None = None, state: str | None = "open") -> list[Incident]:
        """Return incidents, oldest first; `state` None returns resolved ones too."""
        return self._store.incidents(shop=shop, state=state)

    def by_kind(self) -> list[OpenIncidents]:
        """Return how many are open of each kind in each shop, oldest first."""
        return self._store.open_by_kind()

    def get(self, incident_id: str) -> Incident:
        """Return one incident; raises `UnknownIncident`."""
        return self._store.incident(incident_id)

    def assign(self, incident_id: str, owner: str) -> Incident:
        """Write who looks after an incident; raises `UnknownIncident`, `InvalidInput`."""
        if not owner.strip():
            raise InvalidInput("An incident is assigned to somebody; give a code of your own.")
        check_text("owner", owner, limits.ACTOR)
        incident = self.get(incident_id)
        self._store.assign_incident(incident.id, owner, now=self._clock())
        return self.get(incident_id)

    def preview(self, incident_id: str, action: ResolveAction) -> ResolutionPreview:
        """Say what `resolve` would write to the ledger and have told; nothing is written.

        Raises:
            UnknownIncident: if there is none of that number.
        """
        incident, ledger = self.get(incident_id), RehearsedLedger(self._ledger)
        try:
            writing = self._decided(incident, action, ledger, actor=REHEARSING, reason=REHEARSING)
        except InvalidInput as error:
            return ResolutionPreview(incident=incident.id, action=action, refused=str(error))
        tells: tuple[str, ...] = ()
        if writing is not None:
            log = self._store.publication_logs([writing.before])[writing.before.id]
            projection = self._projection_of(incident.shop)
            tells = tuple(told_after(writing, log, projection))
        return ResolutionPreview(
            incident=incident.id, action=action, writes=tuple(ledger.writes), tells=tells
        )

    def resolve(
        self, incident_id: str, action: ResolveAction, *, actor: str, reason: str
    ) -> Incident:
        """Carry out a person's decision; who decided and why is kept for ever.

        The fulfillment is free and its incident closed in one moment: a run that came between
        would freeze it again, and the incident that says so would then be closed.

        Raises:
            UnknownIncident: if there is none of that number.
            InvalidInput: if it is resolved already, or the action does not fit it.
            ConcurrentUpdate: if the fulfillment was changed meanwhile; look at it again.
        """
        incident = self.get(incident_id)
        writing = self._decided(incident, action, self._ledger, actor=actor, reason=reason)
        self._store.resolve(
            incident, writing, action=action, actor=actor, reason=reason, now=self._clock()
        )
        return self.get(incident_id)

    def _decided(
        self,
        incident: Incident,
        action: ResolveAction,
        ledger: Ledger | RehearsedLedger,
        *,
        actor: str,
        reason: str,
    ) -> FulfillmentUpdate | None:
        """Return what an action makes of the incident's fulfillment, once adopting is recorded.

        None where the incident concerns none.
        """
        _check(incident, action, actor=actor, reason=reason)
        if incident.order_id is None or incident.fulfillment_id is None:
            return None
        parcel = self._parcel(incident)
        match action:
            case ResolveAction.UNFREEZE:
                return self._freed(parcel, parcel)
            case ResolveAction.ADOPT:
                corrected = self._adopt(parcel, incident, ledger, actor=actor, reason=reason)
                parcel = self._parcel(incident)
                return self._freed(parcel, _showing(parcel, corrected))
            case ResolveAction.REASSERT:
                projection = self._projection_of(parcel.ref.shop)
                return self._freed(parcel, _reasserting(parcel, projection))
            case ResolveAction.ABANDON:
                after = replace(parcel, frozen=ABANDONED, open=False)
                return FulfillmentUpdate(before=parcel, after=after, now=self._clock())
            case ResolveAction.RESUME:
                if parcel.frozen != ABANDONED:
                    raise InvalidInput(f"Fulfillment {parcel.ref.fulfillment_id} is looked after.")
                return self._freed(parcel, replace(parcel, open=True, settled_at=None))

    def _adopt(
        self,
        parcel: Fulfillment,
        incident: Incident,
        ledger: Ledger | RehearsedLedger,
        *,
        actor: str,
        reason: str,
    ) -> list[Machine]:
        """Make the ledger say what the platform shows: by legal steps, or by a correction.

        Return what had to be corrected.
        """
        remote = _known(parcel.remote)
        adopted = _adoptable(remote.carrier), _adoptable(remote.cod)
        corrected = []
        shows_of = self._projection_of(parcel.ref.shop).shows_of
        for status, shown in zip(adopted, shows_of(parcel), strict=True):
            if shown is status or not _concerns(incident, status.machine):
                continue
            event = Event(
                shop=parcel.ref.shop,
                fulfillment_id=parcel.ref.fulfillment_id,
                status=status,
                key=f"incident:{incident.id}:{incident.times_seen}:{status}",
                actor=actor,
                reason=reason,
                source=Source.OPERATOR,
                fill_gaps=True,
            )
            if ledger.probe(event).verdict is Verdict.ACCEPTED:
                ledger.record(event)
            else:
                ledger.amend(event)
            corrected.append(status.machine)
        return corrected

    def _freed(self, before: Fulfillment, after: Fulfillment) -> FulfillmentUpdate:
        """Let runs decide about a fulfillment again, at once, if nobody changed it meanwhile."""
        publication_log = self._store.publication_logs([before])[before.id]
        excused = tuple(
            replace(p, excused=p.attempts)
            for p in publication_log.publications.values()
            if p.attempts
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
            before=before, after=after, now=self._clock(), publications=excused
        )

    def _parcel(self, incident: Incident) -> Fulfillment:
        return self._store.parcel(incident.shop, incident.fulfillment_id or "")


def _check(incident: Incident, action: ResolveAction, *, actor: str, reason: str) -> None:
    _check_state(incident, action)
    if not actor.strip() or not reason.strip():
        raise InvalidInput("A resolution needs an actor and a reason.")
    check_text("actor", actor, limits.ACTOR)
    check_text("reason", reason, limits.REASON)
    if incident.order_id is None and action not in SHOP_ACTIONS:
        raise InvalidInput(
            f"Incident {incident.id} concerns no fulfillment of the ledger; "
            "it can only be closed, with --action unfreeze."
        )


def _check_state(incident: Incident, action: ResolveAction) -> None:
    if action is ResolveAction.RESUME:
        if incident.action != ResolveAction.ABANDON:
            raise InvalidInput(f"Incident {incident.id} was not abandoned; nothing is taken back.")
    elif incident.state != "open":
        raise InvalidInput(f"Incident {incident.id} is resolved already.")


def _concerns(incident: Incident, machine: Machine) -> bool:
    """Tell whether an incident is about a machine: one about cash never moves a delivery."""
    return machine is Machine.COD or incident.evidence.get("machine") != Machine.COD


def _showing(parcel: Fulfillment, machines: Sequence[Machine]) -> Fulfillment:
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
    told in their order. Where it shows both statuses already, nothing is to be told again.
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
    if shown is not None and not projection.plan(shown, Status(head.status)):
        raise InvalidInput(f"The platform shows {shown} and cannot be told {head.status} any more.")
    again = replace(head, confirmed=min(head.confirmed, head.seq - 1))
    return parcel.with_head(machine, again)
