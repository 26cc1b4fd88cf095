"""What is asked of rows that change: whether they follow from entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from carrierflow.audit.derived.shop_acts import shop_after
from carrierflow.audit.derived.sql import (
    Astray,
    approvals_astray,
    coverage_astray,
    incidents_and_decisions,
    incidents_gone,
    incidents_moved,
    links_astray,
    notes_astray,
    parcels_astray,
    runs_astray,
    shops_and_acts,
)
from carrierflow.domain.decision import IncidentStanding, standing_after
from carrierflow.domain.incident import content_digest
from carrierflow.storage import Connection


__all__ = ["QUESTIONS"]

STANDING = (
    "evidence_digest",
    "opened_at",
    "owner",
    "action",
    "resolved_at",
    "resolved_by",
    "resolved_reason",
)
"""What an incident's row says as its decisions do, under the same names."""


def _incidents(connection: Connection, _most: int) -> Astray:
    for told, decided in incidents_and_decisions(connection):
        where, standing = f"incident {told['id']}", standing_after(decided)
        if told["state"] != standing.state:
            yield where, "no decision says that it is open, or that it is over"
        elif wrong := _wrong(told, standing):
            yield where, f"no decision says its {', '.join(wrong)}"


def _wrong(told: Mapping[str, Any], standing: IncidentStanding) -> list[str]:
    """Name what an incident's row says otherwise than its decisions."""
    wrong = [name for name in STANDING if told[name] != getattr(standing, name)]
    says = content_digest(told["sentence"], told["evidence"])
    if standing.content_digest not in {None, says}:
        wrong.append("content")
    return wrong


def _shops(connection: Connection, _most: int) -> Astray:
    for code, row, acts in shops_and_acts(connection):
        where, said = f"shop {code}", shop_after(acts)
        if said is None:
            yield where, "no act says that it was added"
        elif not row:
            yield where, "it was added, and is gone"
        elif wrong := [name for name, value in said.items() if row[name] != value]:
            yield where, f"no act says its {', '.join(wrong)}"


QUESTIONS: Mapping[str, Sequence[Callable[[Connection, int], Astray]]] = {
    "fulfillments": (parcels_astray, coverage_astray),
    "history": (links_astray,),
    "notes": (notes_astray,),
    "incidents": (_incidents, incidents_moved, incidents_gone, approvals_astray),
    "runs": (runs_astray,),
    "shops": (_shops,),
}
"""By the rows that they are about: each yields where something does not follow, and what.

Of each thing that can be wrong they yield no more than so many.
"""
