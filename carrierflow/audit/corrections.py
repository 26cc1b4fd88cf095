"""What people changed: corrections, steps that operators took, and decisions about incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from carrierflow.domain.model import Machine


__all__ = ["Correction", "CorrectionKind"]


class CorrectionKind(StrEnum):
    """What somebody did."""

    AMENDMENT = "amendment"
    """A new entry that corrects an earlier one; it needed no legal step."""
    STEP = "step"
    """A legal step that an operator recorded, not the carrier's scanners."""
    DECISION = "decision"
    """The resolution of an incident."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """One of them, with who did it and why."""

    kind: CorrectionKind
    recorded_at: datetime
    occurred_at: datetime | None
    shop: str
    order_id: str | None
    fulfillment_id: str | None
    """None where a decision was about a whole shop."""
    machine: Machine | None
    seq: int | None
    from_status: str | None
    to_status: str | None
    amends: int | None
    """The entry of the same machine that it corrects."""
    actor: str | None
    reason: str | None
    incident: str | None
    """The incident that it was about."""
    action: str | None
    """What was decided about that incident."""
    approved_by: str | None
    """Who decided about the incident; None where it was nobody's decision but the actor's own."""
