"""Everything that is known of one parcel, in the order in which it was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carrierflow.model import HistoryEntry
from carrierflow.parcel import Parcel


__all__ = ["Evidence", "Telling", "Timeline"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
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
class Telling:
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
class Timeline:
    """One parcel: its head, its history, its evidence, what the platform was told."""

    parcel: Parcel
    entries: tuple[HistoryEntry, ...]
    evidence: tuple[Evidence, ...]
    tellings: tuple[Telling, ...]

    @classmethod
    def of(
        cls,
        parcel: Parcel,
        entries: Sequence[HistoryEntry],
        evidence: Sequence[Mapping[str, Any]],
        tellings: Sequence[Mapping[str, Any]],
    ) -> Timeline:
        """Build a timeline from what was read."""
        return cls(
            parcel=parcel,
            entries=tuple(entries),
            evidence=tuple(_evidence(row) for row in evidence),
            tellings=tuple(Telling(**row) for row in tellings),
        )


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
