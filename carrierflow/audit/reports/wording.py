"""Amounts and spans as people read them, on a terminal and on paper."""

from __future__ import annotations

from collections.abc import Mapping


__all__ = ["ENGLISH_UNITS", "dong", "number", "span"]

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def number(count: int) -> str:
    """Write a count as Vietnam does: `1.250.000`."""
    return f"{count:,}".replace(",", ".")


def dong(amount: int) -> str:
    """Write an amount as Vietnam does: `1.250.000 ₫`."""
    return f"{number(amount)} ₫"


ENGLISH_UNITS: Mapping[str, str] = {unit: unit for unit in ("d", "h", "min", "s")}


def span(seconds: int | None, units: Mapping[str, str] = ENGLISH_UNITS) -> str:
    """Write a span by its two largest parts: `3 d 4 h`, `12 min 5 s`; nothing for none."""
    if seconds is None:
        return ""
    days, hours = seconds // DAY, seconds % DAY // HOUR
    minutes, rest = seconds % HOUR // MINUTE, seconds % MINUTE
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next((place for place, (count, _) in enumerate(parts) if count), len(parts) - 1)
    told = [f"{count} {units[unit]}" for count, unit in parts[first : first + 2] if count]
    return " ".join(told) or f"0 {units['s']}"
