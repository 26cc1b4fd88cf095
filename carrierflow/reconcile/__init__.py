"""Compares the ledger with a platform and issues exactly the missing PUTs."""

from carrierflow.reconcile.counters import Tally
from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE, Row
from carrierflow.reconcile.parts import Parts
from carrierflow.reconcile.plan import Plan, PlanLine
from carrierflow.reconcile.policy import Limits, MerchantEdit, Policy, RemoteAhead
from carrierflow.reconcile.reconciler import Reconciler
from carrierflow.reconcile.report import EndReason, Requests, RunReport
from carrierflow.reconcile.runner import Crew, Progress


__all__ = [
    "ORDER_TABLE",
    "TABLE",
    "Crew",
    "EndReason",
    "Limits",
    "MerchantEdit",
    "Parts",
    "Plan",
    "PlanLine",
    "Policy",
    "Progress",
    "Reconciler",
    "RemoteAhead",
    "Requests",
    "Row",
    "RunReport",
    "Tally",
]
