"""Everything that one page tells of the ledger at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carrierflow.audit.reports.as_of import AsOf
from carrierflow.audit.reports.basis import ReportBasis
from carrierflow.audit.reports.cash import Cash
from carrierflow.audit.reports.corrections import Correction
from carrierflow.audit.reports.coverage import CoverageReport
from carrierflow.audit.reports.drift import Drift
from carrierflow.audit.reports.step_counts import StepCount
from carrierflow.audit.reports.time_in_status import TimeInState


__all__ = ["AuditReport"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """The answers, all read at once; `shop` None is every shop."""

    shop: str | None
    at: datetime
    made_at: datetime
    steps: tuple[StepCount, ...]
    as_of: AsOf
    cash: Cash
    stays: TimeInState
    drift: Drift
    coverage: CoverageReport
    """How it is when the report is made: looks have no past."""
    corrections: tuple[Correction, ...]
    basis: ReportBasis
    """The newest checkpoint when the report was made."""
