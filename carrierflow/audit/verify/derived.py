"""Rows that change, and what the log's entries say that they must be."""

from __future__ import annotations

from carrierflow.audit.verify.replay import MOST_PROBLEMS, Findings
from carrierflow.audit.verify.sql import (
    amounts_astray,
    approvals_astray,
    incidents_astray,
    runs_astray,
)
from carrierflow.storage import Connection


__all__ = ["compare_derived"]


def compare_derived(connection: Connection, findings: Findings) -> None:
    """Compare parcels with their terms, incidents with their decisions, runs with their ends."""
    for shop, fulfillment_id in amounts_astray(connection, MOST_PROBLEMS):
        what = "its amount or tracking number is not the one that was agreed last"
        findings.add(f"{shop}/{fulfillment_id}", what)
    for number in incidents_astray(connection, MOST_PROBLEMS):
        findings.add(f"incident {number}", "no decision says that it is open, or that it is over")
    for number, approver in approvals_astray(connection, MOST_PROBLEMS):
        what = f"{approver} approved what nobody proposed, or what was their own"
        findings.add(f"incident {number}", what)
    for run in runs_astray(connection, MOST_PROBLEMS):
        findings.add(f"run {run}", "it did not end as was written when it ended")
