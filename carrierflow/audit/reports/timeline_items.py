"""The traces that a parcel leaves in the tables, and each of them as a line of its life."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from carrierflow.audit.reports.language import ENGLISH, Tongue
from carrierflow.audit.reports.revised_text import revised_text
from carrierflow.domain.incident import Incident
from carrierflow.domain.model import HistoryEntry, Machine, Source, Status
from carrierflow.domain.revision import AgreedTerms


__all__ = [
    "AttemptItem",
    "EvidenceItem",
    "ObservationItem",
    "PublicationItem",
    "TimelineItem",
    "item_of_entry",
    "item_of_evidence",
    "item_of_incident",
    "item_of_observation",
    "item_of_publication",
    "item_of_revision",
    "items_of_attempt",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceItem:
    """Something that was told and did not become history, or a decision of a person."""

    kind: str
    verdict: str | None
    code: str | None
    sentence: str | None
    status: str | None
    key: str | None
    source: str | None
    actor: str | None
    reason: str | None
    occurred_at: datetime | None
    recorded_at: datetime
    confirms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptItem:
    """One attempt to tell the platform one entry, and what became of it."""

    machine: str
    seq: int
    number: int
    status: str
    intent_at: datetime
    outcome: str | None
    """None while no result is on record."""
    http_status: int | None
    recorded_at: datetime | None
    state: str | None
    """Where the publication stands now."""
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicationItem:
    """Where the duty stands to show one entry to the platform."""

    machine: str
    seq: int
    state: str
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservationItem:
    """What the platform said, when it said something new."""

    source: str
    seen_at: datetime
    carrier_code: str
    cod_code: str
    updated_at: str
    order_cancelled: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TimelineItem:
    """One line of a parcel's life, whichever table holds it."""

    at: datetime
    """When it was recorded, sent or seen."""
    occurred_at: datetime | None
    """When it happened on the road, where it did."""
    kind: str
    """`entry`, a verdict such as `refused`, `revision`, `decision`, `told`, `answered`,
    `confirmed`, `seen`, `incident`."""
    machine: Machine | None
    seq: int | None
    status: str | None
    source: str | None
    """Who caused it; None for carrierflow itself."""
    actor: str | None
    reason: str | None
    sentence: str


def item_of_entry(entry: HistoryEntry, tongue: Tongue = ENGLISH) -> TimelineItem:
    """An accepted transition."""
    sentence = step = f"{_place(tongue, entry.from_status)} → {_place(tongue, entry.to_status)}."
    if entry.amends is not None:
        sentence = tongue.say("Corrects entry {entry}: {step}", entry=entry.amends, step=step)
    elif entry.inferred:
        sentence = tongue.say("{step} Inferred: its scan is missing.", step=step)
    elif entry.cause is not None:
        sentence = tongue.say("{step} Recorded because of {cause}.", step=step, cause=entry.cause)
    return TimelineItem(
        at=entry.recorded_at,
        occurred_at=entry.occurred_at,
        kind="entry",
        machine=entry.machine,
        seq=entry.seq,
        status=entry.to_status,
        source=entry.source,
        actor=entry.actor,
        reason=entry.reason,
        sentence=sentence,
    )


def _place(tongue: Tongue, status: str) -> str:
    """Name a status: by its code in English, as programs and platforms know it."""
    return status if tongue.is_english else tongue.label(status)


def item_of_evidence(evidence: EvidenceItem) -> TimelineItem:
    """An event that did not become history, or a decision."""
    status = evidence.status
    return TimelineItem(
        at=evidence.recorded_at,
        occurred_at=evidence.occurred_at,
        kind="decision" if evidence.kind == "resolution" else evidence.verdict or evidence.kind,
        machine=None if status is None else Status(status).machine,
        seq=evidence.confirms,
        status=status,
        source=evidence.source,
        actor=evidence.actor,
        reason=evidence.reason,
        sentence=evidence.sentence or "",
    )


def items_of_attempt(attempt: AttemptItem, tongue: Tongue = ENGLISH) -> tuple[TimelineItem, ...]:
    """An attempt: when it was sent, and when its result was known."""
    about = TimelineItem(
        at=attempt.intent_at,
        occurred_at=None,
        kind="told",
        machine=Machine(attempt.machine),
        seq=attempt.seq,
        status=attempt.status,
        source=None,
        actor=None,
        reason=None,
        sentence=tongue.say(
            "The platform is told {status}, attempt {number}.",
            status=_place(tongue, attempt.status),
            number=attempt.number,
        ),
    )
    if attempt.recorded_at is None or attempt.outcome is None:
        none = tongue.say("{told} No result is on record.", told=about.sentence)
        return (replace(about, sentence=none),)
    answer = tongue.word(attempt.outcome).replace("_", " ")
    code = f", HTTP {attempt.http_status}" if attempt.http_status else ""
    said = replace(
        about,
        at=attempt.recorded_at,
        kind="answered",
        source=Source.PLATFORM,
        sentence=tongue.say(
            "Attempt {number}: {answer}{code}.", number=attempt.number, answer=answer, code=code
        ),
    )
    return about, said


def item_of_publication(
    publication: PublicationItem, confirmed_at: datetime, tongue: Tongue = ENGLISH
) -> TimelineItem:
    """The moment from which the platform is known to show an entry."""
    entry = f"{publication.machine}:{publication.seq}"
    return TimelineItem(
        at=confirmed_at,
        occurred_at=None,
        kind="confirmed",
        machine=Machine(publication.machine),
        seq=publication.seq,
        status=None,
        source=Source.PLATFORM,
        actor=None,
        reason=None,
        sentence=tongue.say(
            "The platform is known to show {entry} ({state}).",
            entry=entry,
            state=tongue.word(publication.state),
        ),
    )


def item_of_observation(observation: ObservationItem, tongue: Tongue = ENGLISH) -> TimelineItem:
    """What the platform said."""
    sentence = tongue.say(
        "The platform shows {delivery} and {cash}.",
        delivery=observation.carrier_code,
        cash=observation.cod_code,
    )
    if observation.order_cancelled:
        sentence = tongue.say("{shown} The order is cancelled.", shown=sentence)
    return TimelineItem(
        at=observation.seen_at,
        occurred_at=None,
        kind="seen",
        machine=None,
        seq=None,
        status=None,
        source=Source.PLATFORM,
        actor=None,
        reason=None,
        sentence=sentence,
    )


def item_of_incident(incident: Incident, tongue: Tongue = ENGLISH) -> TimelineItem:
    """The opening of an incident."""
    return TimelineItem(
        at=incident.opened_at,
        occurred_at=None,
        kind="incident",
        machine=None,
        seq=None,
        status=None,
        source=None,
        actor=incident.owner,
        reason=tongue.word(incident.kind),
        sentence=tongue.say(
            "Incident {number}: {sentence}", number=incident.id, sentence=incident.sentence
        ),
    )


def item_of_revision(
    before: AgreedTerms, agreed: AgreedTerms, tongue: Tongue = ENGLISH
) -> TimelineItem:
    """A change of what was agreed."""
    return TimelineItem(
        at=agreed.recorded_at,
        occurred_at=None,
        kind="revision",
        machine=None,
        seq=None,
        status=None,
        source=agreed.source,
        actor=agreed.actor,
        reason=agreed.reason,
        sentence=revised_text(before.terms, agreed.terms, tongue),
    )
