"""How often each step of the lifecycle was taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from carrierflow.domain.model import Machine, Status
from carrierflow.storage.tables import fulfillments, history


__all__ = ["StepCount", "step_counts"]


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


def step_counts(connection: Connection, until: datetime, *, shop: int | None) -> list[StepCount]:
    """Count the steps that were recorded until a moment."""
    h, f = history.c, fulfillments.c
    key = (h.machine, h.from_status, h.to_status)
    query = (
        select(
            *key,
            func.count(),
            func.sum(case((h.inferred, 1), else_=0)),
            func.sum(case((h.amends.is_not(None), 1), else_=0)),
        )
        .where(h.recorded_at <= until)
        .group_by(*key)
    )
    if shop is not None:
        query = query.where(h.fulfillment.in_(select(f.id).where(f.shop == shop)))
    return [
        StepCount(
            machine=Machine(machine),
            from_status=begin,
            to_status=Status(end),
            times=times,
            inferred=int(inferred),
            corrections=int(corrections),
        )
        for machine, begin, end, times, inferred, corrections in connection.execute(query)
    ]
