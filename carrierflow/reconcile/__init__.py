"""Compares the ledger with a platform and issues exactly the missing PUTs."""

from carrierflow.reconcile.decide import ORDER_TABLE, TABLE, Row
from carrierflow.reconcile.plan import Plan, PlanLine
from carrierflow.reconcile.policy import MerchantEdit, Policy, RemoteAhead
from carrierflow.reconcile.publish import Tally
from carrierflow.reconcile.report import EndReason, Requests, RunReport
from carrierflow.reconcile.run import Limits, Reconciler, never


__all__ = [
    "ORDER_TABLE",
    "TABLE",
    "EndReason",
    "Limits",
    "MerchantEdit",
    "Plan",
    "PlanLine",
    "Policy",
    "Reconciler",
    "RemoteAhead",
    "Requests",
    "Row",
    "RunReport",
    "Tally",
    "never",
]
