"""Compares the ledger with a platform and issues exactly the missing writes."""

from carrierflow.reconcile.decision_table import ORDER_TABLE, TABLE, TableRow
from carrierflow.reconcile.due_shops import DueShops
from carrierflow.reconcile.pace import Pace
from carrierflow.reconcile.parts import Parts
from carrierflow.reconcile.plan import Plan, PlanLine
from carrierflow.reconcile.policy import (
    QUANTUM_REQUESTS,
    QUANTUM_SECONDS,
    MerchantEdit,
    Policy,
    RemoteAhead,
    RunLimits,
    check_quantum,
)
from carrierflow.reconcile.reconciler import Reconciler
from carrierflow.reconcile.run_counters import RunCounters
from carrierflow.reconcile.run_report import EndReason, Requests, RunReport
from carrierflow.reconcile.runner import Progress, ShopRunner
from carrierflow.reconcile.silence import Patience


__all__ = [
    "ORDER_TABLE",
    "QUANTUM_REQUESTS",
    "QUANTUM_SECONDS",
    "TABLE",
    "DueShops",
    "EndReason",
    "MerchantEdit",
    "Pace",
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
    "check_quantum",
]
