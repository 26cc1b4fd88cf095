"""Everything that is known of one parcel, in the order in which it was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, and_, select

from carrierflow.audit.reports.language import ENGLISH, Tongue
from carrierflow.audit.reports.timeline_items import (
    AttemptItem,
    EvidenceItem,
    ObservationItem,
    PublicationItem,
    TimelineItem,
    item_of_entry,
    item_of_evidence,
    item_of_incident,
    item_of_observation,
    item_of_publication,
    item_of_revision,
    items_of_attempt,
)
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.incident import Incident
from carrierflow.domain.model import HistoryEntry
from carrierflow.domain.revision import AgreedTerms
from carrierflow.storage import queries
from carrierflow.storage.incidents import incidents_of
from carrierflow.storage.tables import (
    attempts,
    evidence,
    observations,
    outcomes,
    publications,
)
from carrierflow.storage.terms import agreed_terms


__all__ = ["Timeline", "timeline_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One parcel: its head, its history, its evidence, what the platform was told."""

    parcel: Fulfillment
    entries: tuple[HistoryEntry, ...]
    evidence: tuple[EvidenceItem, ...]
    attempts: tuple[AttemptItem, ...]
    publications: tuple[PublicationItem, ...] = ()
    observations: tuple[ObservationItem, ...] = ()
    incidents: tuple[Incident, ...] = ()
    terms: tuple[AgreedTerms, ...] = ()
    """What was agreed about it, oldest first; the first of them is what it was opened with."""

    @classmethod
    def of(
        cls,
        parcel: Fulfillment,
        entries: Sequence[HistoryEntry],
        evidence: Sequence[Mapping[str, Any]],
        attempts: Sequence[Mapping[str, Any]],
        *,
        publications: Sequence[Mapping[str, Any]] = (),
        observations: Sequence[Mapping[str, Any]] = (),
        incidents: Sequence[Incident] = (),
        terms: Sequence[AgreedTerms] = (),
    ) -> Timeline:
        """Build a timeline from what was read."""
        return cls(
            parcel=parcel,
            entries=tuple(entries),
            evidence=tuple(_evidence(row) for row in evidence),
            attempts=tuple(AttemptItem(**row) for row in attempts),
            publications=tuple(PublicationItem(**row) for row in publications),
            observations=tuple(ObservationItem(**row) for row in observations),
            incidents=tuple(incidents),
            terms=tuple(terms),
        )

    def moments(self, tongue: Tongue = ENGLISH) -> tuple[TimelineItem, ...]:
        """Return everything as one list, in the order in which it was recorded.

        What was written down as a sentence stays as it was written.
        """
        found = [
            *(item_of_entry(each, tongue) for each in self.entries),
            *map(item_of_evidence, self.evidence),
            *(moment for attempt in self.attempts for moment in items_of_attempt(attempt, tongue)),
            *(
                item_of_publication(each, each.confirmed_at, tongue)
                for each in self.publications
                if each.confirmed_at is not None
            ),
            *(item_of_observation(each, tongue) for each in self.observations),
            *(item_of_incident(each, tongue) for each in self.incidents),
            *(item_of_revision(*each, tongue) for each in pairwise(self.terms)),
        ]
        return tuple(sorted(found, key=lambda moment: moment.at))


def timeline_of(connection: Connection, parcel: Fulfillment) -> Timeline:
    """Read everything that is known of one parcel."""
    return Timeline.of(
        parcel,
        queries.entries_of(connection, parcel),
        evidence_of(connection, parcel),
        attempts_of(connection, parcel),
        publications=publications_of(connection, parcel),
        observations=observations_of(connection, parcel),
        incidents=incidents_of(connection, parcel),
        terms=agreed_terms(connection, parcel),
    )


def _evidence(row: Mapping[str, Any]) -> EvidenceItem:
    return EvidenceItem(
        kind=row["kind"],
        verdict=row["verdict"],
        code=row["code"],
        sentence=row["sentence"],
        status=row["status"],
        key=row["event_key"],
        source=row["source"],
        actor=row["actor"],
        reason=row["reason"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        confirms=row["confirms"],
    )


def evidence_of(connection: Connection, parcel: Fulfillment) -> list[dict[str, Any]]:
    """Return everything about one fulfillment that did not become history."""
    query = select(evidence).where(evidence.c.fulfillment == parcel.id).order_by(evidence.c.id)
    return [dict(row) for row in connection.execute(query).mappings()]


def attempts_of(connection: Connection, parcel: Fulfillment) -> list[dict[str, Any]]:
    """Return what the platform was told about one fulfillment, with what became of it."""
    a, o, p = attempts.c, outcomes.c, publications.c
    query = (
        select(
            a.machine,
            a.seq,
            a.number,
            a.status,
            a.intent_at,
            o.outcome,
            o.http_status,
            o.recorded_at,
            p.state,
            p.confirmed_at,
        )
        .outerjoin(outcomes, and_(*(a[n] == o[n] for n in ("fulfillment", *ENTRY, "number"))))
        .outerjoin(publications, and_(*(a[n] == p[n] for n in ("fulfillment", *ENTRY))))
        .where(a.fulfillment == parcel.id)
        .order_by(a.intent_at, a.machine, a.seq, a.number)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def publications_of(connection: Connection, parcel: Fulfillment) -> list[dict[str, Any]]:
    """Return which entries of one fulfillment the platform is known to show, and since when."""
    p = publications.c
    query = (
        select(p.machine, p.seq, p.state, p.confirmed_at)
        .where(p.fulfillment == parcel.id)
        .order_by(p.machine, p.seq)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def observations_of(connection: Connection, parcel: Fulfillment) -> list[dict[str, Any]]:
    """Return what the platform said about one fulfillment, each time that it said new things."""
    o = observations.c
    query = (
        select(o.source, o.seen_at, o.carrier_code, o.cod_code, o.updated_at, o.order_cancelled)
        .where(o.fulfillment == parcel.id)
        .order_by(o.id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


ENTRY = ("machine", "seq")
