"""One machine of one fulfillment, as the decision table looks at it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.model import Machine, Observation, Status
from carrierflow.domain.publication import (
    Attempt,
    Outcome,
    PlatformWrite,
    Publication,
    PublicationLog,
    PublicationState,
    PublishableStep,
)
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.projection import Leader, Projection


__all__ = ["Case", "MachineCase", "rounded"]

ROUNDING = timedelta(milliseconds=1)
"""How far two prints of one `updated_at` lie apart: of ticks at first, of milliseconds later."""

SKEW = timedelta(seconds=1)
"""How far a printed date may lie before the moment that it stands for."""

OPEN = frozenset({PublicationState.SENT, PublicationState.UNKNOWN})

TURNED_AWAY = frozenset({Outcome.NOT_SENT, Outcome.ACCESS_DENIED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Everything that a decision about one fulfillment is made from; plain values, no I/O."""

    parcel: Fulfillment
    publication_log: PublicationLog
    seen: Observation
    now: datetime
    lifecycle: Lifecycle
    projection: Projection
    policy: Policy

    def on(self, machine: Machine) -> MachineCase:
        """Return what concerns one machine."""
        head = self.parcel.head(machine)
        path = tuple(
            s for s in self.publication_log.steps if s.machine is machine and s.seq > head.confirmed
        )
        before = Status(path[0].from_status) if path and head.confirmed else None
        sent = next((s for s in path if self._is_open(s)), None)
        word = self.seen.carrier if machine is Machine.DELIVERY else self.seen.cod
        return MachineCase(
            whole=self,
            machine=machine,
            obs=word.status,
            raw=word.raw,
            head=Status(head.status),
            base=before if path else Status(head.status),
            path=path,
            sent=sent,
            attempt=self.publication_log.publications[machine, sent.seq] if sent else None,
        )

    def excusing(self) -> Case:
        """Return the same, as if nothing had been tried in vain."""
        excused = {
            key: replace(publication, excused=publication.attempts)
            for key, publication in self.publication_log.publications.items()
        }
        return replace(self, publication_log=replace(self.publication_log, publications=excused))

    def _is_open(self, step: PublishableStep) -> bool:
        publication = self.publication_log.publications.get((step.machine, step.seq))
        return publication is not None and publication.state in OPEN


@dataclass(frozen=True, kw_only=True)
class MachineCase:
    """The words of the decision table: head, base, path, att and obs of one machine.

    What several rows ask for is worked out once.
    """

    whole: Case
    machine: Machine
    obs: Status | None
    """What the platform said; None for a word that we do not know."""
    raw: str
    """What the platform said, in its own spelling."""
    head: Status
    """The ledger's status."""
    base: Status | None
    """The status that the platform is known to show; None before the first look."""
    path: tuple[PublishableStep, ...]
    """The recorded steps that the platform is not known to show, oldest first: s1…sk."""
    sent: PublishableStep | None
    """The step of the path that an attempt with unknown outcome was about."""
    attempt: Publication | None
    """That attempt."""

    @property
    def lifecycle(self) -> Lifecycle:
        """The lifecycle that this carrier records under."""
        return self.whole.lifecycle

    @property
    def policy(self) -> Policy:
        """The carrier's choices and spans."""
        return self.whole.policy

    @property
    def projection(self) -> Projection:
        """What the platform can show, and what it can be told."""
        return self.whole.projection

    @property
    def shown_head(self) -> Status:
        """What the platform shows where it shows the ledger's status."""
        return self.projection.shows(self.head)

    @property
    def shown_base(self) -> Status | None:
        """What the platform showed when it was last known; None before the first look."""
        return None if self.base is None else self.projection.shows(self.base)

    @property
    def date(self) -> datetime | None:
        """When the platform says that the status it shows was entered."""
        return None if self.obs is None else self.whole.seen.dates.get(self.obs)

    @property
    def outdated(self) -> bool:
        """Tell whether the platform showed something newer before: a stale read."""
        remote = self.whole.parcel.remote
        return remote is not None and self.whole.seen.updated_at < remote.updated_at - ROUNDING

    @property
    def changed(self) -> bool:
        """Tell whether the platform changed the fulfillment since we last took its word."""
        remote = self.whole.parcel.remote
        return remote is None or self.whole.seen.updated_at > remote.updated_at + ROUNDING

    @property
    def revisited(self) -> bool:
        """Tell whether the status shown was entered again since we last took its date.

        Dates are read back rounded half up to whole seconds, so they are compared so.
        """
        remote = self.whole.parcel.remote
        if self.date is None or remote is None or self.obs is None:
            return False
        before = remote.dates.get(self.obs)
        return before is None or rounded(self.date) > rounded(before)

    @cached_property
    def at_base(self) -> bool:
        """Tell whether the platform still stands where we know it to have stood.

        In a redelivery loop the same status comes again on the path; then only its date tells
        the two visits apart. Before the first look, the platform may stand one step before s1.
        """
        if self.base is None:
            first = self.path[0].to_status if self.path else None
            return (
                first is not None
                and self.obs is not None
                and any(self.lifecycle.allows(self.machine, it, first) for it in self._may_be)
                and self.reached is None
            )
        return self.reached is None and (self.obs is self.shown_base or self._is_underway)

    @property
    def _is_underway(self) -> bool:
        """Tell whether the platform stands between base and the next step that it can be told.

        Writes of ours lead there, or, where the platform leads, its own way does.
        """
        if self.base is None or self.obs is None or not self.path:
            return False
        if self.projection.leader is Leader.PLATFORM:
            goal = self.path[-1].to_status
            reaches = self.lifecycle.reaches
            return reaches(self.base, self.obs) and reaches(self.obs, goal)
        step = self.next_told
        ways = self.projection.plan(self.shown_base, step.to_status) if step else ()
        return self.obs in {write.to for write in ways[:-1]}

    @cached_property
    def reached(self) -> PublishableStep | None:
        """Return the first step of the path that the platform can stand on.

        Of a status that comes twice, the first visit is ruled out where the platform entered
        a status of between the two before the one that it shows. A status shown before counts
        only if it was entered again since: what is left of one visit is not the next one.
        """
        if not self._is_entered_anew:
            return None
        for index, step in enumerate(self.path):
            if self._shown(step) is self.obs and not self._went_beyond(index):
                return step
        return None

    @property
    def shows_sent(self) -> bool:
        """Tell whether the platform shows the step that an attempt was about."""
        return self.sent is not None and self._shown(self.sent) is self.obs

    @property
    def _may_be(self) -> list[Status]:
        """What the parcel may be, by what the platform shows."""
        return [] if self.obs is None else self.projection.looking_as(self.obs)

    def _shown(self, step: PublishableStep) -> Status:
        return self.projection.shows(step.to_status)

    @property
    def _is_entered_anew(self) -> bool:
        if self.shown_before is None or self.revisited:
            return True
        return self.obs is not self.shown_base and (self.changed or self._dated_since_intent)

    @property
    def _dated_since_intent(self) -> bool:
        """Tell whether the status shown is the one last sent, and was entered after that."""
        if self.attempt is None or self.sent is None or self._shown(self.sent) is not self.obs:
            return False
        sent_at = self.attempt.sent_at
        return self.date is not None and sent_at is not None and self.date >= sent_at - SKEW

    def _went_beyond(self, index: int) -> bool:
        before = {self._shown(step) for step in self.path[: index + 1]}
        rest = [self._shown(step) for step in self.path[index + 1 :]]
        if self.obs not in rest or self.date is None:
            return False
        between = set(rest[: rest.index(self.obs)]) - before
        return any(self._entered_since(s, not_after=self.date) for s in between)

    def _entered_since(self, status: Status, *, not_after: datetime) -> bool:
        """Tell whether the platform entered a status since we last took its word."""
        remote, date = self.whole.parcel.remote, self.whole.seen.dates.get(status)
        if date is None or rounded(date) > rounded(not_after):
            return False
        before = remote.dates.get(status) if remote else None
        return before is None or rounded(date) > rounded(before)

    @property
    def next_told(self) -> PublishableStep | None:
        """Return the first step that the platform can be told; those before it go with it."""
        return next((step for step in self.path if self.write_towards(step) is not None), None)

    @property
    def same_looking(self) -> PublishableStep | None:
        """Return the next step, if the platform shows it as it shows what it stands on.

        Steps before it that the platform cannot be told now go with it.
        """
        for step in self.path:
            if self.write_towards(step) is not None:
                return None
            if self._shown(step) is self.obs:
                return step
        return None

    def write_towards(self, step: PublishableStep) -> PlatformWrite | None:
        """Return the write by which the platform is led on to a step; None if none may be made."""
        if step.to_status in self.policy.held:
            return None
        plan = self.projection.plan(self.obs, step.to_status)
        return plan[0] if plan else None

    def attempts_at(self, step: PublishableStep) -> int:
        """Return how often we tried to show a step since a person last let it pass.

        What was turned away at the door, or never left, was no try.
        """
        publication = self.whole.publication_log.publications.get((self.machine, step.seq))
        made = publication.attempts - publication.excused if publication else 0
        return made - len(self._attempts_of(step, TURNED_AWAY))

    def refusals_of(self, step: PublishableStep) -> list[Attempt]:
        """Return the attempts at a step that were refused since a person last let it pass."""
        return self._attempts_of(step, {Outcome.REFUSED})

    def _attempts_of(self, step: PublishableStep, outcomes: Collection[Outcome]) -> list[Attempt]:
        publication = self.whole.publication_log.publications.get((self.machine, step.seq))
        excused = publication.excused if publication else 0
        return [
            attempt
            for attempt in self.whole.publication_log.attempts
            if (attempt.machine, attempt.seq) == (self.machine, step.seq)
            and attempt.outcome in outcomes
            and attempt.number > excused
        ]

    @property
    def settles_at(self) -> datetime | None:
        """When no unanswered attempt can take effect any more; None while nothing is to be told.

        One whose step is no longer on the path counts too: a person may have corrected the ledger
        while the request was under way.
        """
        if not self.path:
            return None
        ends = [
            publication.ended_at
            for (machine, _), publication in self.whole.publication_log.publications.items()
            if machine is self.machine
            and publication.state in OPEN
            and publication.ended_at is not None
        ]
        return max(ends) + self.policy.settle if ends else None

    @property
    def is_settling(self) -> bool:
        """Tell whether the unanswered attempt may have taken effect after we asked."""
        settles_at = self.settles_at
        return settles_at is not None and self.whole.seen.asked_at < settles_at

    @property
    def is_fresh(self) -> bool:
        """Tell whether the observation is young enough to be acted on."""
        return self.whole.now - self.whole.seen.asked_at < self.policy.freshness

    @property
    def own_late_put(self) -> Attempt | None:
        """Return the attempt of ours that made the platform stand where it stands."""
        if self.date is None:
            return None
        for attempt in reversed(self.whole.publication_log.attempts):
            until = attempt.send_deadline + self.policy.request_timeout + self.policy.settle
            earliest = attempt.intent_at - SKEW
            if attempt.expects is self.obs and earliest <= self.date <= until:
                return attempt
        return None

    @property
    def is_behind(self) -> bool:
        """Tell whether the platform went back to a status that comes before the known one."""
        return (
            self.base is not None
            and self.obs is not None
            and self.lifecycle.reaches(self.obs, self.base)
            and self.changed
        )

    @property
    def overruled(self) -> bool:
        """Tell whether a person decided that what the platform shows is to be overruled."""
        decided = self.whole.parcel.reassert
        return decided is not None and decided == observation_digest(self.whole.seen)

    @cached_property
    def shown_before(self) -> PublishableStep | None:
        """Return our last published step of the status that the platform shows."""
        confirmed = self.whole.parcel.head(self.machine).confirmed
        shown = [
            step
            for step in self.whole.publication_log.steps
            if step.machine is self.machine
            and step.seq <= confirmed
            and self._shown(step) is self.obs
        ]
        return shown[-1] if shown else None

    @property
    def reasserted(self) -> bool:
        """Tell whether we moved the platform forward again once already."""
        return any(
            publication.reasserted
            for (machine, _), publication in self.whole.publication_log.publications.items()
            if machine is self.machine
        )

    @property
    def delivered_at(self) -> datetime | None:
        """When the platform was seen to show this parcel delivered, or further; None if never."""
        parcel, publication_log = self.whole.parcel, self.whole.publication_log
        shown = [seq for seq in self._deliveries if seq <= parcel.delivery.confirmed]
        if not shown:
            return None
        times = [
            publication.confirmed_at
            for (machine, seq), publication in publication_log.publications.items()
            if machine is Machine.DELIVERY
            and shown[-1] <= seq <= parcel.delivery.confirmed
            and publication.confirmed_at is not None
        ]
        return min(times, default=parcel.seen_at or self.whole.seen.seen_at)

    @property
    def awaits_delivered(self) -> bool:
        """Tell whether a recorded delivery is still to be shown before the cash may be."""
        return bool(self._deliveries) and self.delivered_at is None

    @property
    def _deliveries(self) -> list[int]:
        """The entries by which the parcel was delivered; more than one if it came back."""
        return [s.seq for s in self.whole.publication_log.steps if s.to_status is Status.DELIVERED]


def rounded(moment: datetime) -> datetime:
    """Return a printed date as it is read back later: rounded half up to whole seconds."""
    return (moment + timedelta(milliseconds=500)).replace(microsecond=0)
