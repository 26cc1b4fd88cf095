"""Where a walk of a parcel ends on a platform, by what it declares alone."""

from __future__ import annotations

from collections.abc import Iterable

from carrierflow.domain.model import Status
from carrierflow.reconcile.projection import Projection


__all__ = ["ends_at", "missing_writes"]


def ends_at(projection: Projection, walk: Iterable[Status]) -> Status:
    """Return what the platform shows at last of a parcel that was ready to pick."""
    return _followed(projection, walk)[0]


def missing_writes(projection: Projection, walk: Iterable[Status]) -> int:
    """Return how many writes a walk takes."""
    return _followed(projection, walk)[1]


def _followed(projection: Projection, walk: Iterable[Status]) -> tuple[Status, int]:
    at, writes = projection.shows(Status.READYTOPICK), 0
    for step in walk:
        plan = projection.plan(at, step) if projection.shows(step) is not at else ()
        writes += len(plan)
        at = plan[-1].to if plan else at
    return at, writes
