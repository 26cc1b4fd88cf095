"""Everything that may happen next: what workers, the platform, a merchant and the clock may do.

What must never happen is checked where it would.
"""

from __future__ import annotations

from dataclasses import replace

from carrierflow.carrier_service.shipments import published_status, shows_unknown_status
from carrierflow.domain.model import Observation, Source, Status
from carrierflow.domain.publication import (
    Attempt,
    Outcome,
    Publication,
    PublicationState,
    PublishableStep,
)
from carrierflow.reconcile.actions import Write
from carrierflow.reconcile.case import Case
from carrierflow.reconcile.evaluate import evaluate

from .making import DELIVERY, POLICY, T0, WRITES, at, attempt
from .moments import Platform, State, Worker


LEAPS = (20, 60)
"""A reading grows too old; a request and its settle window are over."""

UNCOLLECTED = {Status.NONE, Status.CODPENDING}
"""What an answer to a poll does not make of collected cash."""


class BrokenPromiseError(AssertionError):
    """Something happened that must never happen."""


def situation_of(state: State, seen: Observation) -> Case:
    """Return what a worker decides from."""
    return Case(
        parcel=state.parcel,
        publication_log=state.publication_log,
        seen=seen,
        now=at(state.now),
        lifecycle=state.scenario.law,
        projection=state.scenario.projection,
        policy=state.scenario.policy,
    )


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
    if state.polls < scenario.polls:
        yield "platform polls", lambda: polled(state)
    if not state.edits and state.platform.carrier != Status.CANCEL:
        for word in scenario.edits:
            yield f"merchant sets {word}", lambda w=word: edited(state, w)
    yield from moves_by_itself(state)
    if may_be_recorded(state):
        yield f"{scenario.later[state.recorded]} is recorded", lambda: recorded(state)


def moves_by_itself(state: State):
    """Yield what a platform that leads comes to next, unless the parcel is cancelled."""
    leads = state.scenario.leads
    if state.led < len(leads) and state.platform.carrier != Status.CANCEL:
        yield f"platform comes to {leads[state.led]}", lambda: led_on(state)


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
        yield "sends, and a proxy refuses in between", lambda: sends(state, number, "refused")
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
    about = (tried.machine, tried.seq, tried.expects, tried.number, ended)
    return replace(state, unsure=(*state.unsure, about))


def decided(state: State, number: int) -> State:
    """Let a worker take its turn and write it."""
    seen = state.workers[number].seen
    evaluation = evaluate(situation_of(state, seen))
    kinds = {finding.kind for finding in evaluation.findings}
    after = replace(
        state,
        parcel=evaluation.case.parcel,
        publication_log=evaluation.case.publication_log,
        findings=state.findings | kinds,
    )
    if kinds and not state.is_touched:
        raise BrokenPromiseError(f"an incident without a cause: {kinds}, rows {evaluation.rows}")
    if evaluation.adopt is not None:
        return adopted(after, evaluation.adopt)
    if evaluation.write is not None:
        return intended(after, number, evaluation.write, seen)
    return with_worker(after, number, Worker())


def adopted(state: State, status: Status) -> State:
    """Record what the platform shows, with the platform as the source."""
    place = state.parcel.head(status.machine).status
    for word in state.scenario.law.road(place, status):
        state = appended(state, word, source=Source.PLATFORM)
    return state


def intended(state: State, number: int, write: Write, seen: Observation) -> State:
    """Write the intent of a PUT, and check that it may be made, and repeated if it is."""
    step = write.step
    for machine, seq, expects, _, ended in state.unsure:
        if (machine, seq, expects) == (step.machine, step.seq, write.by.to):
            check_repeat(state, step, seen, ended)
    shown = seen.carrier if step.machine is DELIVERY else seen.cod
    if shown.status is None or seen.carrier.status is Status.CANCEL:
        raise BrokenPromiseError(f"{step.to_status} is to be told while {shown.raw!r} is shown")
    new = Publication(machine=step.machine, seq=step.seq, state=PublicationState.TODO)
    tried = state.publication_log.publications.get((step.machine, step.seq), new)
    if (takes := state.scenario.takes) is not None and (shown.raw, write.by.to) not in takes:
        raise BrokenPromiseError(f"{write.by.name} is to be told while {shown.raw!r} is shown")
    made = attempt(step.seq, step.to_status, state.now, number=tried.attempts + 1)
    made = replace(made, expects=write.by.to)
    sent = replace(
        tried,
        state=PublicationState.SENT,
        attempts=tried.attempts + 1,
        first_sent_at=tried.first_sent_at or made.intent_at,
        sent_at=made.intent_at,
        ended_at=made.send_deadline + POLICY.request_timeout,
    )
    state = published(state, sent)
    publication_log = replace(
        state.publication_log, attempts=(*state.publication_log.attempts, made)
    )
    return with_worker(
        replace(state, publication_log=publication_log), number, Worker(seen=seen, attempt=made)
    )


def check_repeat(state: State, step: PublishableStep, seen: Observation, ended: float) -> None:
    """Check that a read asked for after end + Δ showed that the first try did not arrive."""
    settled = at(ended) + state.scenario.policy.settle
    if seen.asked_at < settled:
        raise BrokenPromiseError(f"{step.to_status} is told again before its settle window is over")
    shown = seen.carrier if step.machine is DELIVERY else seen.cod
    confirmed = state.parcel.head(step.machine).confirmed
    known = [
        s for s in state.publication_log.steps if s.machine is step.machine and s.seq == confirmed
    ]
    at_base = [shown.raw] == [state.scenario.projection.shows(s.to_status) for s in known]
    if state.scenario.takes is None and not at_base and not state.is_touched:
        raise BrokenPromiseError(f"{step.to_status} is told again though {shown.raw} was shown")


def published(state: State, publication: Publication) -> State:
    """Write one publication."""
    key = (publication.machine, publication.seq)
    tried = {**state.publication_log.publications, key: publication}
    return replace(state, publication_log=replace(state.publication_log, publications=tried))


def sends(state: State, number: int, outcome: str) -> State:
    """Let the bytes leave, and the platform do what it does."""
    worker = state.workers[number]
    status = worker.attempt.expects
    if outcome == "late":
        until = state.now + POLICY.settle.total_seconds()
        state = replace(state, late=(*state.late, (status, until)))
    if outcome in {"reply", "reply lost", "refused"}:
        if refuses(state, status):
            return with_worker(state, number, replace(worker, result="refused"))
        state = applied(state, status)
    result = outcome if outcome in {"reply", "not sent", "refused"} else "unknown"
    seen = state.platform.shown(state.now, read=False) if result == "reply" else worker.seen
    return with_worker(state, number, replace(worker, result=result, seen=seen))


def refuses(state: State, status: Status) -> bool:
    """Tell whether the platform will not take a status; what it shows already is no refusal."""
    word, takes = state.platform.word(status.machine), state.scenario.takes
    if takes is None:
        return state.platform.carrier == Status.CANCEL
    if word == status or (word, status) in takes:
        return False
    if not state.is_touched:
        raise BrokenPromiseError(f"the platform was told {status} while it showed {word}")
    return True


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
    if state.scenario.takes is not None:
        check_cause(state, status)
        return
    if not law.allows(machine, word, status) and Status(word) in WRITES:
        raise BrokenPromiseError(f"the platform was told {status} while it showed {word}")
    done = [w for w in state.platform.applied if Status(w).machine is DELIVERY]
    if machine is DELIVERY and [*done, status] != expected(state)[: len(done) + 1]:
        raise BrokenPromiseError(f"the platform was told {status} after {done}: out of order")


def check_cause(state: State, status: Status) -> None:
    """Check that what the platform comes to was recorded, or lies on the way to what was."""
    told = [s.to_status for s in state.publication_log.steps if s.seq > state.scenario.confirmed]
    looks, plan = state.scenario.projection.shows, state.scenario.projection.plan
    due = [step for step in told if step not in state.scenario.policy.held]
    if not any(looks(step) is status or plan(status, step) for step in due):
        raise BrokenPromiseError(f"the platform was told {status}, and nothing says so: {told}")


def expected(state: State) -> list[str]:
    """Return what the platform is to be told of the delivery, in order."""
    return [
        str(step.to_status)
        for step in state.publication_log.steps
        if step.machine is DELIVERY
        and step.seq > state.scenario.confirmed
        and step.to_status in WRITES
    ]


def polled(state: State) -> State:
    """Let the platform ask where the parcel is, and go where the answer says."""
    state = replace(state, polls=state.polls + 1)
    if state.platform.carrier == Status.CANCEL or shows_unknown_status(state.parcel):
        return state
    carrier, cod = published_status(state.parcel, state.publication_log)
    if cod not in UNCOLLECTED:
        state = applied(state, cod)
    return applied(state, carrier)


def late_arrives(state: State, word: str, until: float) -> State:
    """Let a request that was under way take effect."""
    left = list(state.late)
    left.remove((word, until))
    state = replace(state, late=tuple(left))
    if refuses(state, Status(word)):
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


def led_on(state: State) -> State:
    """Let the platform come to its next state by itself."""
    word = state.scenario.leads[state.led]
    after = state.platform.moved(word, state.now, lifts=False)
    return replace(state, platform=after, before=state.platform, led=state.led + 1)


def may_be_recorded(state: State) -> bool:
    """Tell whether there is a next thing to record, and the ledger takes it."""
    if state.recorded >= len(state.scenario.later):
        return False
    word = Status(state.scenario.later[state.recorded])
    return state.scenario.law.allows(word.machine, state.parcel.head(word.machine).status, word)


def recorded(state: State) -> State:
    """Let the carrier record what happens next on the road."""
    word = state.scenario.later[state.recorded]
    return appended(replace(state, recorded=state.recorded + 1), Status(word))


def appended(state: State, status: Status, source: Source = Source.CARRIER) -> State:
    """Append one step, and the cash that a delivery brings."""
    head = state.parcel.head(status.machine)
    step = PublishableStep(
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
        publication_log=replace(state.publication_log, steps=(*state.publication_log.steps, step)),
    )
    if status is Status.DELIVERED and state.parcel.cod.status == Status.CODPENDING:
        return appended(state, Status.CODPAID, Source.RULE)
    return state


def answered(state: State, tried: Attempt, outcome: Outcome) -> State:
    """Put on record what was answered to an attempt."""
    attempts = tuple(
        replace(each, outcome=outcome) if each == tried else each
        for each in state.publication_log.attempts
    )
    return replace(state, publication_log=replace(state.publication_log, attempts=attempts))


def concluded(state: State, number: int) -> State:
    """Write what became of an attempt, and go on with the reply if there is one."""
    worker = state.workers[number]
    tried = worker.attempt
    publication = state.publication_log.publications[tried.machine, tried.seq]
    unknown = worker.result in {"unknown", "refused"}
    if publication.attempts == tried.number:
        new = PublicationState.UNKNOWN if unknown else PublicationState.TODO
        state = published(state, replace(publication, state=new, ended_at=at(state.now)))
    if unknown:
        state = unsure(state, tried)
    if worker.result == "refused":
        state = answered(state, tried, Outcome.REFUSED)
    if worker.result != "reply":
        return with_worker(state, number, Worker())
    return with_worker(state, number, Worker(seen=worker.seen))
