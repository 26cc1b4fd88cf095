"""Every interleaving of one parcel's recording, reading, telling and trouble, breadth first.

The turns are the real ones; around them stand a platform, one or two workers and a clock that
moves in leaps, as values. A worker's write is one step, as the store's compare-and-set makes
it: whoever comes second decides anew from the rows as they are. What goes wrong is paid for
from small budgets, so that all of it can be tried.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from datetime import timedelta

from carrierflow.lifecycle import Lifecycle
from carrierflow.model import Machine, Observation, Source, Status
from carrierflow.parcel import Head, Parcel
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.turn import take_turn
from carrierflow.reconcile.view import Situation
from carrierflow.track import Attempt, Publication, PublicationState, Step, Track

from .making import CAN_PUT, COD, DELIVERY, POLICY, REF, T0, at, attempt, lifecycle, steps, word_of


HALF_SECOND = timedelta(seconds=0.5)
LEAPS = (20, 60)
"""A reading grows too old; a request and its settle window are over."""

LONG_AGO = 100.0
"""Longer than any window that decisions are made by."""

SUFFIX_RUNS = 2


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
    lifts: bool = True
    groups: tuple[str, ...] = ()
    policy: Policy = POLICY

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
    parcel: Parcel
    track: Track
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
            (p.machine, p.seq, p.state, p.attempts, p.reasserted, self.ago(p.over_at))
            for p in self.track.publications.values()
        )
        attempts = tuple((a.seq, self.ago(a.intent_at)) for a in self.track.attempts)
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
        budgets = (self.recorded, self.faults, self.stale, self.leaps)
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
        sent = tried and (tried.machine, tried.seq, self.ago(tried.intent_at))
        return (str(reading), str(sent), worker.result or "")

    @property
    def is_touched(self) -> bool:
        """Tell whether anybody but us changed the parcel on the platform."""
        return bool(self.edits)


def _newer(moment: float | None, than) -> bool | None:
    """Tell whether a date, rounded as it is printed, is later than another one."""
    if moment is None or than is None:
        return None
    rounded = [(m + HALF_SECOND).replace(microsecond=0) for m in (at(moment), than)]
    return rounded[0] > rounded[1]


class BrokenPromiseError(AssertionError):
    """Something happened that must never happen."""


@dataclass
class Exploration:
    """The states that were found, and from where."""

    states: int = 0
    suffixes: dict[object, bool] = field(default_factory=dict)


def start(scenario: Scenario) -> State:
    """Return the state in which a scenario begins: all that is confirmed is shown."""
    road, cash = scenario.road.split(), scenario.cash.split()
    begun = {word: -3600.0 + 60 * i for i, word in enumerate(road[: scenario.confirmed])}
    begun |= {word: -3600.0 + i for i, word in enumerate(cash[: scenario.cash_confirmed])}
    carrier = road[max(scenario.confirmed, 1) - 1]
    cod = cash[max(scenario.cash_confirmed, 1) - 1]
    platform = Platform(
        carrier, cod, tuple(sorted(begun.items())), max(begun.values(), default=-3600.0)
    )
    parcel = Parcel(
        id=1,
        shop_id=1,
        ref=REF,
        version=1,
        delivery=Head(status=road[-1], seq=len(road), confirmed=scenario.confirmed),
        cod=Head(status=cash[-1], seq=len(cash), confirmed=scenario.cash_confirmed),
        cod_amount=0,
    )
    state = State(
        scenario,
        0.0,
        parcel,
        Track(steps=steps(COD, cash) + steps(DELIVERY, road)),
        platform,
        (Worker(),) * scenario.workers,
    )
    return look(state, 0, platform) if scenario.confirmed else state


def look(state: State, worker: int, platform: Platform) -> State:
    """Take note of the platform once, as an earlier run did, and publish nothing."""
    turn = take_turn(situation_of(state, platform.shown(state.now, read=True)))
    return replace(state, parcel=turn.situation.parcel)


def situation_of(state: State, seen: Observation) -> Situation:
    """Return what a worker decides from."""
    return Situation(
        parcel=state.parcel,
        track=state.track,
        seen=seen,
        now=at(state.now),
        lifecycle=state.scenario.law,
        can_put=CAN_PUT,
        policy=state.scenario.policy,
    )


def explore(scenario: Scenario) -> Exploration:
    """Visit every state that a scenario can lead to; raise at the first that breaks a promise."""
    found = Exploration()
    first = start(scenario)
    parents: dict[object, tuple[object, str]] = {first.key: (None, "start")}
    waiting = deque([first])
    while waiting:
        state = waiting.popleft()
        found.states += 1
        label = "a fault-free rest"
        try:
            check_rest(state, found)
            for name, successor in successors(state):
                label = name
                after = successor()
                key = after.key
                if key not in parents:
                    parents[key] = (state.key, name)
                    waiting.append(after)
        except BrokenPromiseError as broken:
            road = "\n  ".join([*trace(parents, state.key), label])
            raise BrokenPromiseError(f"{broken}\n  {road}") from None
    return found


def trace(parents, key):
    """Return the labels that lead to a state, first to last."""
    labels = []
    while key is not None:
        key, label = parents[key]
        labels.append(label)
    return labels[::-1]


def successors(state: State):
    """Yield everything that may happen next: a label, and how."""
    for number, worker in enumerate(state.workers):
        name = f"worker {number}"
        for label, step in worker_steps(state, number, worker):
            yield f"{name} {label}", step
    scenario = state.scenario
    for word, until in state.late:
        yield f"late {word} takes effect", lambda w=word, u=until: late_arrives(state, w, u)
    if state.leaps < scenario.leaps:
        is_busy = any(worker.seen for worker in state.workers)
        for seconds in LEAPS if is_busy else LEAPS[1:]:
            yield f"{seconds} s pass", lambda s=seconds: leap(state, s)
    if not state.edits and state.platform.carrier != Status.CANCEL:
        for word in scenario.edits:
            yield f"merchant sets {word}", lambda w=word: edited(state, w)
    if state.recorded < len(scenario.later):
        yield f"{scenario.later[state.recorded]} is recorded", lambda: recorded(state)


def worker_steps(state: State, number: int, worker: Worker):
    """Yield what one worker may do next, and what may happen to it."""
    faulty = state.faults < state.scenario.faults
    if worker.attempt is None and worker.seen is None:
        yield "reads", lambda: reading(state, number, state.platform)
        if state.before is not None and state.stale < state.scenario.stale:
            stale = replace(state, stale=state.stale + 1)
            yield "reads what was before", lambda: reading(stale, number, state.before)
    elif worker.attempt is None:
        yield "decides", lambda: decided(state, number)
    elif worker.result is None:
        if at(state.now) <= worker.attempt.send_deadline:
            yield "sends", lambda: sends(state, number, "reply")
        else:
            yield "is too late to send", lambda: sends(state, number, "not sent")
        if faulty:
            yield from sending_troubles(replace(state, faults=state.faults + 1), number)
    else:
        yield f"concludes: {worker.result}", lambda: concluded(state, number)
        if faulty:
            crashed = replace(state, faults=state.faults + 1)
            yield "crashes before the result", lambda: gone(crashed, number)


def sending_troubles(state: State, number: int):
    """Yield what may go wrong with one request, or with the process that makes it."""
    if at(state.now) <= state.workers[number].attempt.send_deadline:
        yield "sends, and the request is lost", lambda: sends(state, number, "lost")
        yield "sends, and the reply is lost", lambda: sends(state, number, "reply lost")
        yield "sends, and it takes its time", lambda: sends(state, number, "late")
        yield "is not let through", lambda: sends(state, number, "not sent")
    yield "crashes before sending", lambda: gone(state, number)


def with_worker(state: State, number: int, worker: Worker) -> State:
    """Return the state with one worker changed."""
    workers = list(state.workers)
    workers[number] = worker
    return replace(state, workers=tuple(workers))


def reading(state: State, number: int, platform: Platform) -> State:
    """Let a worker read the platform, as it is or as it was."""
    return with_worker(state, number, Worker(seen=platform.shown(state.now, read=True)))


def gone(state: State, number: int) -> State:
    """Let a worker die; what it wrote stays."""
    return with_worker(unsure(state, state.workers[number].attempt), number, Worker())


def unsure(state: State, tried: Attempt) -> State:
    """Remember that nobody knows what became of an attempt, which ended now or at its timeout."""
    ends = tried.send_deadline + POLICY.request_timeout
    ended = min(state.now, (ends - T0).total_seconds())
    return replace(state, unsure=(*state.unsure, (tried.machine, tried.seq, tried.number, ended)))


def decided(state: State, number: int) -> State:
    """Let a worker take its turn and write it."""
    seen = state.workers[number].seen
    turn = take_turn(situation_of(state, seen))
    kinds = {finding.kind for finding in turn.findings}
    after = replace(
        state,
        parcel=turn.situation.parcel,
        track=turn.situation.track,
        findings=state.findings | kinds,
    )
    if kinds and not state.is_touched:
        raise BrokenPromiseError(f"an incident without a cause: {kinds}, rows {turn.rows}")
    if turn.adopt is not None:
        return adopted(after, turn.adopt)
    if turn.put is not None:
        return intended(after, number, turn.put, seen)
    return with_worker(after, number, Worker())


def adopted(state: State, status: Status) -> State:
    """Record what the platform shows, with the platform as the source."""
    place = state.parcel.head(status.machine).status
    for word in state.scenario.law.road(place, status):
        state = appended(state, word, source=Source.PLATFORM)
    return state


def intended(state: State, number: int, step: Step, seen: Observation) -> State:
    """Write the intent of a PUT, and check that it may be made, and repeated if it is."""
    for machine, seq, _, ended in state.unsure:
        if (machine, seq) == (step.machine, step.seq):
            check_repeat(state, step, seen, ended)
    shown = seen.carrier if step.machine is DELIVERY else seen.cod
    if shown.status is None or seen.carrier.status is Status.CANCEL:
        raise BrokenPromiseError(f"{step.to_status} is to be told while {shown.raw!r} is shown")
    new = Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
    tried = state.track.publications.get((step.machine, step.seq), new)
    made = attempt(step.seq, step.to_status, state.now, number=tried.attempts + 1)
    sent = replace(
        tried,
        state=PublicationState.SENT,
        attempts=tried.attempts + 1,
        first_sent_at=tried.first_sent_at or made.intent_at,
        sent_at=made.intent_at,
        over_at=made.send_deadline + POLICY.request_timeout,
    )
    state = published(state, sent)
    track = replace(state.track, attempts=(*state.track.attempts, made))
    return with_worker(replace(state, track=track), number, Worker(seen=seen, attempt=made))


def check_repeat(state: State, step: Step, seen: Observation, ended: float) -> None:
    """Check that a read asked for after end + Δ showed that the first try did not arrive."""
    settled = at(ended) + state.scenario.policy.settle
    if seen.asked_at < settled:
        raise BrokenPromiseError(f"{step.to_status} is told again before its settle window is over")
    shown = seen.carrier if step.machine is DELIVERY else seen.cod
    confirmed = state.parcel.head(step.machine).confirmed
    known = [s for s in state.track.steps if s.machine is step.machine and s.seq == confirmed]
    if [shown.raw] != [s.to_status for s in known] and not state.is_touched:
        raise BrokenPromiseError(f"{step.to_status} is told again though {shown.raw} was shown")


def published(state: State, publication: Publication) -> State:
    """Write one publication."""
    key = (publication.machine, publication.seq)
    tried = {**state.track.publications, key: publication}
    return replace(state, track=replace(state.track, publications=tried))


def sends(state: State, number: int, outcome: str) -> State:
    """Let the bytes leave, and the platform do what it does."""
    worker = state.workers[number]
    status = worker.attempt.status
    if outcome == "late":
        until = state.now + POLICY.settle.total_seconds()
        state = replace(state, late=(*state.late, (status, until)))
    if outcome in {"reply", "reply lost"}:
        if state.platform.carrier == Status.CANCEL:
            return with_worker(state, number, replace(worker, result="refused"))
        state = applied(state, status)
    result = {"reply": "reply", "not sent": "not sent"}.get(outcome, "unknown")
    seen = state.platform.shown(state.now, read=False) if result == "reply" else worker.seen
    return with_worker(state, number, replace(worker, result=result, seen=seen))


def applied(state: State, status: Status) -> State:
    """Let the platform take a PUT, and check that it may see it."""
    word = state.platform.word(status.machine)
    if word == status:
        return state
    if not state.is_touched:
        check_order(state, status, word)
    after = state.platform.moved(status, state.now, lifts=state.scenario.lifts)
    after = replace(after, applied=(*state.platform.applied, str(status)))
    return replace(state, platform=after, before=state.platform)


def check_order(state: State, status: Status, word: str) -> None:
    """Check that a PUT is legal, and the next one of its machine that was recorded."""
    machine, law = status.machine, state.scenario.law
    if not law.allows(machine, word, status) and Status(word) in CAN_PUT:
        raise BrokenPromiseError(f"the platform was told {status} while it showed {word}")
    done = [w for w in state.platform.applied if Status(w).machine is DELIVERY]
    if machine is DELIVERY and [*done, status] != expected(state)[: len(done) + 1]:
        raise BrokenPromiseError(f"the platform was told {status} after {done}: out of order")


def expected(state: State) -> list[str]:
    """Return what the platform is to be told of the delivery, in order."""
    return [
        str(step.to_status)
        for step in state.track.steps
        if step.machine is DELIVERY
        and step.seq > state.scenario.confirmed
        and step.to_status in CAN_PUT
    ]


def late_arrives(state: State, word: str, until: float) -> State:
    """Let a request that was under way take effect."""
    left = list(state.late)
    left.remove((word, until))
    state = replace(state, late=tuple(left))
    if state.platform.carrier == Status.CANCEL:
        return state
    return applied(state, Status(word))


def leap(state: State, seconds: int) -> State:
    """Let time pass; what can no longer take effect never will."""
    now = state.now + seconds
    late = tuple((word, until) for word, until in state.late if until >= now)
    return replace(state, now=now, late=late, leaps=state.leaps + 1)


def edited(state: State, word: str) -> State:
    """Let a merchant change the parcel."""
    after = state.platform.moved(word, state.now, lifts=state.scenario.lifts)
    return replace(state, platform=after, before=state.platform, edits=1)


def recorded(state: State) -> State:
    """Let the carrier record what happens next on the road."""
    word = state.scenario.later[state.recorded]
    return appended(replace(state, recorded=state.recorded + 1), Status(word))


def appended(state: State, status: Status, source: Source = Source.CARRIER) -> State:
    """Append one step, and the cash that a delivery brings."""
    head = state.parcel.head(status.machine)
    step = Step(
        machine=status.machine,
        seq=head.seq + 1,
        from_status=head.status,
        to_status=status,
        source=source,
        cause=None if status.machine is DELIVERY else f"delivery:{state.parcel.delivery.seq}",
    )
    moved = replace(head, status=status, seq=step.seq)
    state = replace(
        state,
        parcel=state.parcel.with_head(status.machine, moved),
        track=replace(state.track, steps=(*state.track.steps, step)),
    )
    if status is Status.DELIVERED and state.parcel.cod.status == Status.CODPENDING:
        return appended(state, Status.CODPAID, Source.RULE)
    return state


def concluded(state: State, number: int) -> State:
    """Write what became of an attempt, and go on with the reply if there is one."""
    worker = state.workers[number]
    tried = worker.attempt
    publication = state.track.publications[tried.machine, tried.seq]
    unknown = worker.result == "unknown"
    if publication.attempts == tried.number:
        new = PublicationState.UNKNOWN if unknown else PublicationState.TODO
        state = published(state, replace(publication, state=new, over_at=at(state.now)))
    if unknown:
        state = unsure(state, tried)
    if worker.result == "refused":
        kinds = state.findings | {"refused"}
        state = replace(state, parcel=replace(state.parcel, frozen="refused"), findings=kinds)
    if worker.result != "reply":
        return with_worker(state, number, Worker())
    return with_worker(state, number, Worker(seen=worker.seen))


def check_rest(state: State, found: Exploration) -> None:
    """Check that two runs and one settle window without faults bring agreement or an incident."""
    if state.rows in found.suffixes:
        return
    found.suffixes[state.rows] = True
    runs = SUFFIX_RUNS + (not state.scenario.lifts)
    for run in range(runs):
        if run:
            state = replace(state, now=state.now + LEAPS[-1], late=())
        state = whole_run(replace(state, workers=(Worker(),)))
    if not agrees(state) and not state.findings:
        shown = (state.platform.carrier, state.platform.cod)
        raise BrokenPromiseError(f"no agreement and no incident: the platform shows {shown}")
    if not state.is_touched and told_all(state):
        raise BrokenPromiseError(f"the platform was told only {state.platform.applied}")


def whole_run(state: State) -> State:
    """Let one worker do all there is to do, without any fault."""
    state = reading(state, 0, state.platform)
    for _ in range(50):
        worker = state.workers[0]
        if worker.seen is None:
            return state
        if worker.attempt is None:
            state = decided(state, 0)
        elif worker.result is None:
            state = sends(state, 0, "reply")
        else:
            state = concluded(state, 0)
    raise BrokenPromiseError("a run does not end")


def agrees(state: State) -> bool:
    """Tell whether both sides say the same, and the ledger knows it."""
    parcel, platform = state.parcel, state.platform
    same = (parcel.delivery.status, parcel.cod.status) == (platform.carrier, platform.cod)
    return same and not parcel.unpublished


def told_all(state: State) -> list[str]:
    """Return what the platform was not told and should have been."""
    done = [word for word in state.platform.applied if Status(word).machine is DELIVERY]
    return expected(state)[len(done) :]
