"""How often each step of the lifecycle was taken."""

from __future__ import annotations

from dataclasses import dataclass

from carrierflow.domain.model import Machine, Status


__all__ = ["StepCount"]


@dataclass(frozen=True, kw_only=True, slots=True)
class StepCount:
    """One step and how often the history holds it."""

    machine: Machine
    from_status: str
    to_status: Status
    times: int
    inferred: int
    """How many of them nobody scanned."""
    corrections: int
    """How many of them needed no legal step: somebody corrected the parcel."""
