"""Counts over time, as columns, with a line of what was left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from carrierflow.audit.pages.charts import INK, LINE, PAPER, Size, block, canvas
from carrierflow.audit.pages.markup import Markup, join, tag


__all__ = ["Column", "ColumnNames", "columns"]

HEIGHT, TOP = 190.0, 34.0
LABEL = 56
"""How much room the label of a column takes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One span of time with two counts, and what was left at its end."""

    label: str
    found: int
    healed: int
    left: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnNames:
    """What the marks are called."""

    found: str
    healed: str
    left: str
    last: str
    """What stands at the end of the line."""


def columns(title: str, rows: Sequence[Column], names: ColumnNames, size: Size) -> Markup:
    """Draw two columns for each span of time, and the line of what was left at its end."""
    left = 46.0 if size is Size.WIDE else 30.0
    most = _round_up(max((max(r.found, r.healed, r.left) for r in rows), default=1))
    step = (size.width - left - 20) / max(len(rows), 1)
    wide = min(26.0, step * 0.36)
    every = math.ceil(LABEL / step)

    def up(value: float) -> float:
        return TOP + HEIGHT - HEIGHT * value / most

    drawn, points = [], []
    for number, row in enumerate(rows):
        x = left + step * (number + 0.5)
        drawn += [
            block(x - wide - 1, up(row.found), wide, up(0) - up(row.found)),
            block(x + 1, up(row.healed), wide, up(0) - up(row.healed), hatched=True),
        ]
        if number % every == 0:
            drawn.append(_text(row.label, x, up(0) + 17, anchor="middle", look="soft small"))
        points.append((x, up(row.left)))
    grid = [_line(left, size.width - 10, up(value), f"{value:g}") for value in _steps(most)]
    return canvas(
        TOP + HEIGHT + 26,
        title,
        _legend(names, left, size),
        *grid,
        *drawn,
        *_left(points, names.last),
        width=size.width,
    )


def _line(left: float, right: float, y: float, told: str) -> Markup:
    rule = tag("path", d=f"M{left} {y:.1f}H{right}", stroke=LINE)
    return join(rule, _text(told, left - 8, y + 4, anchor="end", look="soft small"))


def _left(points: Sequence[tuple[float, float]], last: str) -> list[Markup]:
    """Draw the line of what was left."""
    if not points:
        return []
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    radius = 3.5 if len(points) < 2 * LABEL // 3 else 2.5
    marks = [
        tag("circle", cx=x, cy=y, r=radius, fill=PAPER, stroke=INK, stroke_width=1.8)
        for x, y in points
    ]
    x, y = points[-1]
    told = _text(last, x + 8, y - 9, anchor="end", look="halo strong")
    return [tag("path", d=line, fill="none", stroke=INK, stroke_width=1.8), *marks, told]


def _legend(names: ColumnNames, left: float, size: Size) -> Markup:
    between = 140 if size is Size.WIDE else 96
    first, second, third = (left + between * place for place in range(3))
    mark = join(
        tag("path", d=f"M{third - 2:g} 13h20", stroke=INK, stroke_width=1.8),
        tag("circle", cx=third + 8, cy=13, r=3.5, fill=PAPER, stroke=INK, stroke_width=1.8),
    )
    return join(
        block(first, 7, 16, 12),
        _text(names.found, first + 24, 17),
        block(second, 7, 16, 12, hatched=True),
        _text(names.healed, second + 24, 17),
        mark,
        _text(names.left, third + 24, 17),
    )


def _text(
    told: str, x: float, y: float, *, anchor: str | None = None, look: str = "small"
) -> Markup:
    return tag("text", told, x=x, y=y, text_anchor=anchor, class_=look)


def _steps(most: int) -> list[float]:
    step = most / 4 if most % 4 == 0 else most / 2 if most % 2 == 0 else most
    return [step * n for n in range(int(most / step) + 1)]


def _round_up(value: int) -> int:
    """Return the next number above that quarters well."""
    size = 10 ** max(0, len(str(value)) - 1)
    return next(
        int(size * times) for times in (1, 2, 4, 6, 8, 10, 20) if size * times >= max(value, 2)
    )
