"""Middles and slow ends on one scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from carrierflow.audit.pages.charts import LIGHT, LINE, MAIN, PAPER, Size, canvas, row_label
from carrierflow.audit.pages.markup import Markup, join, tag


__all__ = ["Range", "ranges"]

TICKS = (60, 600, 3_600, 6 * 3_600, *(days * 86_400 for days in (1, 3, 7, 30, 90)))
CLOSEST = 44
"""How near two ticks may stand."""

Across = Callable[[float], float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A middle and a slow end, as spans in seconds."""

    label: str
    beside: str
    middle: int
    slow: int
    middle_told: str
    slow_told: str


def ranges(title: str, rows: Sequence[Range], span: Callable[[int], str], size: Size) -> Markup:
    """Draw middles and slow ends on one scale on which every tick is a multiple of the last."""
    left, right = (330, 130) if size is Size.WIDE else (26, 30)
    low = min((row.middle for row in rows), default=60) / 4
    high = max((row.slow for row in rows), default=3_600) * 1.6
    low, high = max(low, 1), max(high, low * 10, 10)
    room = size.width - left - right

    def across(seconds: float) -> float:
        share = math.log(max(seconds, low) / low) / math.log(high / low)
        return left + room * min(1.0, share)

    bottom = len(rows) * size.row + 6
    drawn = [
        _range(row, number * size.row + 6, left, across, size) for number, row in enumerate(rows)
    ]
    ticks = _ticks(across, [at for at in TICKS if low <= at <= high])
    grid = [_tick(across(at), bottom, span(at)) for at in ticks]
    return canvas(bottom + 24, title, *grid, *drawn, width=size.width)


def _ticks(across: Across, marks: Sequence[int]) -> list[int]:
    """Leave out ticks that stand too near to the one before."""
    kept: list[int] = []
    for mark in marks:
        if not kept or across(mark) - across(kept[-1]) >= CLOSEST:
            kept.append(mark)
    return kept


def _tick(x: float, bottom: float, name: str) -> Markup:
    return join(
        tag("path", d=f"M{x:.1f} 4V{bottom}", stroke=LINE),
        tag("text", name, x=x, y=bottom + 15, text_anchor="middle", class_="soft small"),
    )


def _range(row: Range, top: float, left: float, across: Across, size: Size) -> Markup:
    middle, slow, wide = across(row.middle), across(row.slow), size is Size.WIDE
    y = top + (13 if wide else 31)
    marks = (
        row_label(row.label, row.beside, top=top, left=left, size=size),
        tag("path", d=f"M{middle:.1f} {y}H{slow:.1f}", stroke=LIGHT, stroke_width=9),
        tag("path", d=f"M{slow:.1f} {y - 8}v16", stroke=MAIN, stroke_width=2.5),
        tag("circle", cx=middle, cy=y, r=6.5, fill=MAIN, stroke=PAPER, stroke_width=1.5),
    )
    if not wide:
        told = f"{row.middle_told} – {row.slow_told}"  # noqa: RUF001 - a dash between two ends
        end = tag("text", told, x=size.width - 2, y=top + 13, text_anchor="end", class_="halo")
        return join(*marks, end)
    return join(
        *marks,
        tag(
            "text",
            row.middle_told,
            x=middle - 11,
            y=y + 4.5,
            text_anchor="end",
            class_="halo strong",
        ),
        tag("text", row.slow_told, x=slow + 9, y=y + 4.5, class_="halo"),
    )
