"""How long parcels stayed at each status, by the scans that began and ended each stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from carrierflow.domain.model import Status


__all__ = ["Stay", "TimeInState"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """The stays at one status that ended in one month; spans are in whole seconds."""

    shop: str | None
    """None for all shops together."""
    month: str | None
    """In Vietnam, `2026-03`; None for all time."""
    status: Status
    stays: int
    """Stays whose beginning and end somebody told."""
    p50_seconds: int | None
    """Half of the stays were no longer than this."""
    p95_seconds: int | None
    longest_seconds: int | None
    unclear: int
    """Stays that are not measured: begun or ended by a step that was inferred or corrected, or
    told to have ended before they began."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeInState:
    """The stays of a time, in the order of shops, months and the lifecycle."""

    since: datetime | None
    until: datetime | None
    rows: tuple[Stay, ...]

    @classmethod
    def of(
        cls, rows: Iterable[Stay], *, since: datetime | None, until: datetime | None
    ) -> TimeInState:
        """Put the rows in their order."""
        return cls(since=since, until=until, rows=tuple(sorted(rows, key=_order)))


ORDER = {status: number for number, status in enumerate(Status)}


def _order(stay: Stay) -> tuple[str, str, int]:
    return stay.shop or "", stay.month or "", ORDER[stay.status]
