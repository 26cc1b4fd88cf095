"""One moment of everything that is explored, as values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.model import Machine, Observation, Status
from carrierflow.domain.publication import Attempt, PublicationLog
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.projection import Projection

from .making import COD, DELIVERY, POLICY, PROJECTION, REF, T0, at, lifecycle, word_of


HALF_SECOND = timedelta(seconds=0.5)

LONG_AGO = 100.0
"""Longer than any window that decisions are made by."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What was recorded, what is recorded meanwhile, and how much may go wrong."""

    road: str
    confirmed: int
    cash: str = "none"
    cash_confirmed: int = 1
    later: tuple[str, ...] = ()
    """Statuses that are recorded while the workers are at work."""
    workers: int = 1
    faults: int = 2
    """Requests or processes that fail."""
    stale: int = 1
    """Readings that show the platform as it was before its last change."""
    leaps: int = 3
    edits: tuple[str, ...] = ()
    """What a merchant may do, one of these, once."""
    polls: int = 0
    """How often the platform may ask for the details, and take the answer for news."""
    lifts: bool = True
    groups: tuple[str, ...] = ()
    policy: Policy = POLICY
    projection: Projection = PROJECTION
    takes: frozenset[tuple[str, str]] | None = None
    """The steps that the platform lets itself be told, by its documents; None if any."""
    begins: str | None = None
    """What the platform shows at first, where that is not what was confirmed."""
    leads: tuple[str, ...] = ()
    """What the platform comes to by itself, in this order."""

    @property
    def law(self) -> Lifecycle:
        """The lifecycle that the parcel is recorded under."""
        return lifecycle(*self.groups)


@dataclass(frozen=True)
class Platform:
    """The platform's side: words, dates, and what it was told, in order."""

    carrier: str
    cod: str
    dates: tuple[tuple[str, float], ...]
    updated: float
    applied: tuple[str, ...] = ()

    def word(self, machine: Machine) -> str:
        """Return the word of one machine."""
        return self.carrier if machine is DELIVERY else self.cod

    def moved(self, word: str, now: float, *, lifts: bool) -> Platform:
        """Return the platform after a change; the same word again changes nothing."""
        machine = Machine.COD if word in {"codpaid", "codreceipt"} else Machine.DELIVERY
        if self.word(machine) == word:
            return self
        moment = max(now, self.updated) + 0.002
        dates = dict(self.dates) | {word: moment}
        cod = word if machine is COD else self.cod
        if word == Status.DELIVERED and self.cod == Status.CODPENDING and lifts:
            cod, dates[Status.CODPAID] = "codpaid", moment
        carrier = word if machine is DELIVERY else self.carrier
        return replace(
            self, carrier=carrier, cod=cod, dates=tuple(sorted(dates.items())), updated=moment
        )

    def shown(self, now: float, *, read: bool) -> Observation:
        """Return what is shown: rounded in a reading, with all digits in a reply."""
        dates = {Status(s): at(x) for s, x in self.dates if s in set(Status)}
        updated = at(self.updated)
        if read:
            dates = {
                s: (moment + HALF_SECOND).replace(microsecond=0) for s, moment in dates.items()
            }
        return Observation(
            ref=REF,
            asked_at=at(now),
            seen_at=at(now),
            carrier=word_of(self.carrier),
            cod=word_of(self.cod),
            updated_at=updated,
            updated_at_raw=f"{self.updated:.3f}{'' if read else '0001'}",
            dates=dates,
            dates_raw={status: str(moment) for status, moment in dates.items()},
        )


@dataclass(frozen=True)
class Worker:
    """Where one worker is: idle, with a reading, about to send, or with a result."""

    seen: Observation | None = None
    attempt: Attempt | None = None
    result: str | None = None


@dataclass(frozen=True)
class State:
    """One moment of everything."""

    scenario: Scenario
    now: float
    parcel: Fulfillment
    publication_log: PublicationLog
    platform: Platform
    workers: tuple[Worker, ...]
    before: Platform | None = None
    """The platform before its last change: what a stale reading shows."""
    late: tuple[tuple[str, float], ...] = ()
    """Requests that may still take effect, each until a moment."""
    unsure: tuple[tuple[Machine, int, int, float], ...] = ()
    """The attempts without a known outcome: entry, number, and when each must have ended."""
    recorded: int = 0
    faults: int = 0
    stale: int = 0
    leaps: int = 0
    edits: int = 0
    polls: int = 0
    led: int = 0
    findings: frozenset[str] = frozenset()

    def ago(self, moment) -> float:
        """Return how long ago a moment is; beyond every window it is just long ago."""
        if moment is None:
            return -1.0
        seconds = moment if isinstance(moment, float) else (moment - T0).total_seconds()
        return round(min(self.now - seconds, LONG_AGO), 3)

    def standing(self, platform: Platform | None):
        """Return what matters of a platform, seen beside the word that was last taken for true."""
        if platform is None:
            return None
        remote = self.parcel.remote
        dates = dict(platform.dates)
        compared = remote and (
            remote.updated_at <= at(platform.updated),
            [
                _newer(dates.get(word), remote.dates.get(word))
                for word in (platform.carrier, "codpaid")
            ],
        )
        since = self.ago(dates.get(platform.carrier))
        words = (platform.carrier, platform.cod, platform.applied)
        return (*words, self.ago(platform.updated), since, str(compared))

    @property
    def rows(self):
        """Return everything that lies in the database or on the platform, hashable."""
        parcel = self.parcel
        tried = frozenset(
            (p.machine, p.seq, p.state, p.attempts, p.reasserted, self.ago(p.ended_at))
            for p in self.publication_log.publications.values()
        )
        attempts = tuple(
            (a.seq, self.ago(a.intent_at), a.outcome or "", a.expects)
            for a in self.publication_log.attempts
        )
        return (
            (parcel.delivery.seq, parcel.delivery.confirmed, parcel.cod.seq, parcel.cod.confirmed),
            (parcel.frozen, self.edits, self.findings, tried),
            tuple(a for a in attempts if a[1] < LONG_AGO),
            self.standing(self.platform),
        )

    @property
    def key(self):
        """Return what tells two states apart; workers are alike, and so is all that is past."""
        late = tuple((word, until - self.now) for word, until in self.late)
        unsure = tuple((*attempt, self.ago(ended)) for *attempt, ended in self.unsure)
        budgets = (self.recorded, self.faults, self.stale, self.leaps, self.polls, self.led)
        workers = tuple(sorted(self.place(worker) for worker in self.workers))
        return (self.rows, self.standing(self.before), late, unsure, budgets, workers)

    def place(self, worker: Worker):
        """Return where a worker is, and what it knows."""
        seen, tried, remote = worker.seen, worker.attempt, self.parcel.remote
        reading = seen and (
            *(seen.carrier.raw, seen.cod.raw, self.ago(seen.asked_at), len(seen.updated_at_raw)),
            seen.updated_at == at(self.platform.updated),
            remote is not None and seen.updated_at < remote.updated_at,
        )
        sent = tried and (tried.machine, tried.seq, tried.expects, self.ago(tried.intent_at))
        return (str(reading), str(sent), worker.result or "")

    @property
    def is_touched(self) -> bool:
        """Tell whether anybody but us changed the parcel on the platform, or went another way."""
        return bool(self.edits) or self.has_crossed

    @property
    def has_crossed(self) -> bool:
        """Tell whether a platform that leads let go what we cancel, or cancelled what is gone."""
        if not self.led:
            return False
        ours, theirs = self.parcel.delivery.status, self.platform.carrier
        is_let_go = theirs in {Status.DELIVERING, Status.CANCEL}
        return is_let_go and (ours == Status.CANCEL) != (theirs == Status.CANCEL)


def _newer(moment: float | None, than) -> bool | None:
    """Tell whether a date, rounded as it is printed, is later than another one."""
    if moment is None or than is None:
        return None
    rounded = [(m + HALF_SECOND).replace(microsecond=0) for m in (at(moment), than)]
    return rounded[0] > rounded[1]
