"""Compares the ledger with a platform and issues exactly the missing writes."""

from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE, TableRow
from carrierflow.reconcile.parts import Parts
from carrierflow.reconcile.plan import Plan, PlanLine
from carrierflow.reconcile.policy import MerchantEdit, Policy, RemoteAhead, RunLimits
from carrierflow.reconcile.reconciler import Reconciler
from carrierflow.reconcile.run_counters import RunCounters
from carrierflow.reconcile.run_report import EndReason, Requests, RunReport
from carrierflow.reconcile.runner import Progress, ShopRunner
from carrierflow.reconcile.silence import Patience


__all__ = [
    "ORDER_TABLE",
    "TABLE",
    "EndReason",
    "MerchantEdit",
    "Parts",
    "Patience",
    "Plan",
    "PlanLine",
    "Policy",
    "Progress",
    "Reconciler",
    "RemoteAhead",
    "Requests",
    "RunCounters",
    "RunLimits",
    "RunReport",
    "ShopRunner",
    "TableRow",
]
