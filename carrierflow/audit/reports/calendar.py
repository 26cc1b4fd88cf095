"""Days and months as the carrier's accountants count them: in Vietnam, which has one time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone


__all__ = ["OFFSET", "TICK", "VIETNAM", "begin_of", "day_of", "end_of", "month_of"]

OFFSET = timedelta(hours=7)
"""How far Vietnam's clocks are ahead of UTC, all year round."""

VIETNAM = timezone(OFFSET)

TICK = timedelta(microseconds=1)
"""The shortest span that a database keeps."""


def begin_of(day: date) -> datetime:
    """Return the first moment of a day in Vietnam."""
    return datetime.combine(day, time(), VIETNAM).astimezone(UTC)


def end_of(day: date) -> datetime:
    """Return the last moment of a day in Vietnam."""
    return begin_of(day + timedelta(days=1)) - TICK


def day_of(moment: datetime) -> str:
    """Return the day of a moment in Vietnam, `2026-03-01`."""
    return f"{moment.astimezone(VIETNAM):%Y-%m-%d}"


def month_of(moment: datetime) -> str:
    """Return the month of a moment in Vietnam, `2026-03`."""
    return day_of(moment)[:7]
