"""Rows that change, and what the log's entries say that they must be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carrierflow.audit.verify.replay import MOST_PROBLEMS, Findings
from carrierflow.audit.verify.sql import (
    approvals_astray,
    heads_astray,
    incidents_and_decisions,
    notes_astray,
    runs_astray,
    terms_astray,
)
from carrierflow.domain.decision import IncidentStanding, standing_after
from carrierflow.domain.incident import content_digest
from carrierflow.storage import Connection


__all__ = ["compare_derived"]

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


def compare_derived(connection: Connection, findings: Findings) -> None:
    """Compare parcels, notes, incidents and runs with the entries that they follow from."""
    for where, what in terms_astray(connection, MOST_PROBLEMS):
        findings.add(where, what)
    for where, what in heads_astray(connection, MOST_PROBLEMS):
        findings.add(where, what)
    for shop, fulfillment_id in notes_astray(connection, MOST_PROBLEMS):
        findings.add(f"{shop}/{fulfillment_id}", "it has a note that none of its entries speaks of")
    for told, decided in incidents_and_decisions(connection):
        where, standing = f"incident {told['id']}", standing_after(decided)
        if told["state"] != standing.state:
            findings.add(where, "no decision says that it is open, or that it is over")
        elif wrong := _wrong(told, standing):
            findings.add(where, f"no decision says its {', '.join(wrong)}")
    for number, approver in approvals_astray(connection, MOST_PROBLEMS):
        what = f"{approver} approved what nobody proposed, or what was their own"
        findings.add(f"incident {number}", what)
    for run in runs_astray(connection, MOST_PROBLEMS):
        findings.add(f"run {run}", "it did not end as was written when it ended")


def _wrong(told: Mapping[str, Any], standing: IncidentStanding) -> list[str]:
    """Name what an incident's row says otherwise than its decisions."""
    wrong = [name for name in STANDING if told[name] != getattr(standing, name)]
    says = content_digest(told["sentence"], told["evidence"])
    if standing.content_digest not in {None, says}:
        wrong.append("content")
    return wrong
