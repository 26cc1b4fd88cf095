"""Everything that is known of one parcel, in the order in which it was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from carrierflow.audit.traces import (
    Evidence,
    Moment,
    Showing,
    Sighting,
    Telling,
    moment_of_entry,
    moment_of_evidence,
    moment_of_incident,
    moment_of_showing,
    moment_of_sighting,
    moments_of_telling,
)
from carrierflow.domain.fulfillment import Parcel
from carrierflow.domain.incident import Incident
from carrierflow.domain.model import HistoryEntry


__all__ = ["Timeline"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """One parcel: its head, its history, its evidence, what the platform was told."""

    parcel: Parcel
    entries: tuple[HistoryEntry, ...]
    evidence: tuple[Evidence, ...]
    tellings: tuple[Telling, ...]
    showings: tuple[Showing, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    incidents: tuple[Incident, ...] = ()

    @classmethod
    def of(
        cls,
        parcel: Parcel,
        entries: Sequence[HistoryEntry],
        evidence: Sequence[Mapping[str, Any]],
        tellings: Sequence[Mapping[str, Any]],
        *,
        showings: Sequence[Mapping[str, Any]] = (),
        sightings: Sequence[Mapping[str, Any]] = (),
        incidents: Sequence[Incident] = (),
    ) -> Timeline:
        """Build a timeline from what was read."""
        return cls(
            parcel=parcel,
            entries=tuple(entries),
            evidence=tuple(_evidence(row) for row in evidence),
            tellings=tuple(Telling(**row) for row in tellings),
            showings=tuple(Showing(**row) for row in showings),
            sightings=tuple(Sighting(**row) for row in sightings),
            incidents=tuple(incidents),
        )

    def moments(self) -> tuple[Moment, ...]:
        """Return everything as one list, in the order in which it was recorded."""
        found = [
            *map(moment_of_entry, self.entries),
            *map(moment_of_evidence, self.evidence),
            *(moment for telling in self.tellings for moment in moments_of_telling(telling)),
            *(
                moment_of_showing(each, each.confirmed_at)
                for each in self.showings
                if each.confirmed_at is not None
            ),
            *map(moment_of_sighting, self.sightings),
            *map(moment_of_incident, self.incidents),
        ]
        return tuple(sorted(found, key=lambda moment: moment.at))


def _evidence(row: Mapping[str, Any]) -> Evidence:
    return Evidence(
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
