"""Days of drift as columns: days while there are few, then weeks, then months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

from carrierflow.audit.pages.column_chart import Column
from carrierflow.audit.reports.drift import DriftDay


__all__ = ["drift_columns"]

MOST = 31
"""How many columns there is room for; months may be more."""

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def drift_columns(days: Sequence[DriftDay]) -> list[Column]:
    """Return a column for each day from the first to the last, or for each week or month.

    It is cut in the finest parts for which there is room; one in which nothing happened has its
    column too.
    """
    if not days:
        return []
    first, last = date.fromisoformat(days[0].day), date.fromisoformat(days[-1].day)
    if last - first < MOST * DAY:
        return _columns(days, lambda day: day, first, last, "%d.%m.")
    monday = first - first.weekday() * DAY
    if last - monday < MOST * WEEK:
        return _columns(days, lambda day: day - day.weekday() * DAY, first, last, "%d.%m.")
    return _columns(days, lambda day: day.replace(day=1), first, last, "%m/%Y")


def _columns(
    days: Sequence[DriftDay],
    part_of: Callable[[date], date],
    first: date,
    last: date,
    form: str,
) -> list[Column]:
    parts: dict[date, list[DriftDay]] = {part_of(day): [] for day in _each(first, last)}
    for each in days:
        parts[part_of(date.fromisoformat(each.day))].append(each)
    columns, left = [], 0
    for part, some in parts.items():
        left = some[-1].open if some else left
        columns.append(
            Column(
                label=f"{part:{form}}",
                found=sum(day.found for day in some),
                healed=sum(day.healed for day in some),
                left=left,
            )
        )
    return columns


def _each(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + number * DAY
