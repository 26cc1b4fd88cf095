"""Charts that read without colour: patterns, and every value written beside its mark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from carrierflow.audit.pages.markup import Markup, join, tag


__all__ = ["Bar", "Column", "Range", "arrows", "bars", "block", "canvas", "columns", "ranges"]

WIDTH = 960
INK, SOFT, LINE, MAIN, LIGHT = "#16202b", "#55616e", "#c9d0d8", "#1f4e79", "#a9c4de"
ROW = 34
HATCH = 6
LABELS = 16
"""How many labels there is room for below a chart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar with what it is and what it says."""

    label: str
    sublabel: str
    value: int
    told: str
    hatched: bool = False
    """Drawn as a pattern: what needs attention."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """A middle and a slow end, as spans in seconds."""

    label: str
    sublabel: str
    middle: int
    slow: int
    middle_told: str
    slow_told: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One span of time with two counts, and what was left at its end."""

    label: str
    found: int
    healed: int
    left: int


def canvas(height: float, title: str, *parts: object, width: float = WIDTH) -> Markup:
    """Return a drawing with its title for those who cannot see it."""
    return tag(
        "svg",
        tag("title", title),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def bars(title: str, rows: Sequence[Bar], *, left: float = 250) -> Markup:
    """Draw bars from the left, each with its value behind it."""
    most = max((row.value for row in rows), default=0) or 1
    room = WIDTH - left - 230
    parts = []
    for number, row in enumerate(rows):
        top, length = number * ROW + 6, room * row.value / most
        parts += [
            _row_label(row.label, row.sublabel, top=top, left=left),
            block(left, top + 2, max(length, 1.5), ROW - 14, hatched=row.hatched)
            if row.value
            else None,
            tag("text", row.told, x=left + length + 8, y=top + 17),
        ]
    axis = tag("path", d=f"M{left} 2V{len(rows) * ROW + 4}", stroke=INK)
    return canvas(len(rows) * ROW + 8, title, *parts, axis)


TICKS = (
    (60, "1 min"),
    (600, "10 min"),
    (3_600, "1 h"),
    (6 * 3_600, "6 h"),
    (86_400, "1 d"),
    (3 * 86_400, "3 d"),
    (7 * 86_400, "7 d"),
    (30 * 86_400, "30 d"),
    (90 * 86_400, "90 d"),
)


def ranges(title: str, rows: Sequence[Range], *, left: float = 250) -> Markup:
    """Draw middles and slow ends on one scale on which every tick is a multiple of the last."""
    low = min((row.middle for row in rows), default=60) / 2
    high = max((row.slow for row in rows), default=3_600) * 1.6
    low, high = max(low, 1), max(high, low * 10, 10)
    room = WIDTH - left - 130

    def across(seconds: float) -> float:
        share = math.log(max(seconds, low) / low) / math.log(high / low)
        return left + room * min(1.0, share)

    bottom = len(rows) * ROW + 6
    grid = [
        join(
            tag("path", d=f"M{across(at):.1f} 4V{bottom}", stroke=LINE),
            tag(
                "text", name, x=across(at), y=bottom + 15, text_anchor="middle", class_="soft small"
            ),
        )
        for at, name in TICKS
        if low <= at <= high
    ]
    drawn = [
        _range(row, top=number * ROW + 6, left=left, across=(across(row.middle), across(row.slow)))
        for number, row in enumerate(rows)
    ]
    return canvas(bottom + 24, title, *grid, *drawn)


def _range(row: Range, *, top: float, left: float, across: tuple[float, float]) -> Markup:
    middle, slow = across
    y = top + (ROW - 12) / 2 + 2
    return join(
        _row_label(row.label, row.sublabel, top=top, left=left),
        tag("path", d=f"M{middle:.1f} {y}H{slow:.1f}", stroke=LIGHT, stroke_width=9),
        tag("path", d=f"M{slow:.1f} {y - 8}v16", stroke=MAIN, stroke_width=2.5),
        tag("circle", cx=middle, cy=y, r=6.5, fill=MAIN, stroke="#fff", stroke_width=1.5),
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


def columns(title: str, rows: Sequence[Column]) -> Markup:
    """Draw two columns for each span of time, and the line of what was left at its end."""
    height, top, left = 190.0, 34.0, 46.0
    most = _round_up(max((max(r.found, r.healed, r.left) for r in rows), default=1))
    step = (WIDTH - left - 20) / max(len(rows), 1)
    wide = min(26.0, step * 0.36)

    def up(value: float) -> float:
        return top + height - height * value / most

    grid = [
        join(
            tag("path", d=f"M{left} {up(value):.1f}H{WIDTH - 10}", stroke=LINE),
            tag(
                "text",
                f"{value:g}",
                x=left - 8,
                y=up(value) + 4,
                text_anchor="end",
                class_="soft small",
            ),
        )
        for value in _steps(most)
    ]
    drawn, points = [], []
    for number, row in enumerate(rows):
        x = left + step * (number + 0.5)
        drawn += [
            block(x - wide - 1, up(row.found), wide, up(0) - up(row.found)),
            block(x + 1, up(row.healed), wide, up(0) - up(row.healed), hatched=True),
        ]
        if number % math.ceil(len(rows) / LABELS) == 0:
            drawn.append(
                tag("text", row.label, x=x, y=up(0) + 17, text_anchor="middle", class_="soft small")
            )
        points.append((x, up(row.left)))
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) if points else "M0 0"
    marks = [
        tag("circle", cx=x, cy=y, r=3.5, fill="#fff", stroke=INK, stroke_width=1.8)
        for x, y in points
    ]
    left_line = tag("path", d=line, fill="none", stroke=INK, stroke_width=1.8)
    last = rows[-1].left if rows else 0
    end = (
        tag(
            "text",
            f"{last} open",
            x=points[-1][0],
            y=points[-1][1] - 9,
            text_anchor="end",
            class_="halo strong",
        )
        if points
        else None
    )
    return canvas(top + height + 26, title, _legend(), *grid, *drawn, left_line, *marks, end)


def _legend() -> Markup:
    def entry(x: float, mark: Markup, name: str) -> Markup:
        return join(mark, tag("text", name, x=x + 24, y=17, class_="small"))

    return join(
        entry(46, block(46, 7, 16, 12), "found"),
        entry(126, block(126, 7, 16, 12, hatched=True), "healed"),
        entry(
            216,
            join(
                tag("path", d="M214 13h20", stroke=INK, stroke_width=1.8),
                tag("circle", cx=224, cy=13, r=3.5, fill="#fff", stroke=INK, stroke_width=1.8),
            ),
            " open when it ended",
        ),
    )


def _row_label(label: str, sublabel: str, *, top: float, left: float) -> Markup:
    return tag(
        "text",
        tag("tspan", label),
        " ",
        tag("tspan", sublabel, class_="soft small"),
        x=left - 12,
        y=top + 17,
        text_anchor="end",
    )


def _steps(most: int) -> list[float]:
    step = most / 4 if most % 4 == 0 else most / 2 if most % 2 == 0 else most
    return [step * n for n in range(int(most / step) + 1)]


def _round_up(value: int) -> int:
    """Return the next number above that quarters well."""
    size = 10 ** max(0, len(str(value)) - 1)
    return next(
        int(size * times) for times in (1, 2, 4, 6, 8, 10, 20) if size * times >= max(value, 2)
    )


def block(x: float, y: float, wide: float, high: float, *, hatched: bool = False) -> Markup:
    """Draw a block, full or hatched; the hatching is lines, so that paper gets it as sharp."""
    frame = {"x": x, "y": y, "width": wide, "height": high, "stroke": MAIN}
    if not hatched:
        return tag("rect", fill=MAIN, **frame)
    lines = "".join(_strokes(x, y, wide, high))
    return join(
        tag("rect", fill="#fff", **frame),
        tag("path", d=lines or None, stroke=MAIN, stroke_width=1.2),
    )


def _strokes(x: float, y: float, wide: float, high: float) -> Iterator[str]:
    """Yield the slanted lines that lie within a block."""
    for place in range(HATCH, int(wide + high), HATCH):
        left, right = max(0.0, place - high), min(float(place), wide)
        yield f"M{x + left:.1f} {y + place - left:.1f}L{x + right:.1f} {y + place - right:.1f}"


def arrows() -> Markup:
    """Return the heads of arrows; once a page."""
    return tag("svg", tag("defs", *_arrows()), class_="defs", aria_hidden="true")


def _arrows() -> list[Markup]:
    shape = {"viewBox": "0 0 10 10", "refX": 9, "refY": 5, "orient": "auto-start-reverse"}
    return [
        tag(
            "marker",
            tag("path", d="M0 1L9 5L0 9z", fill=ink),
            id=name,
            markerWidth=9,
            markerHeight=9,
            markerUnits="userSpaceOnUse",
            **shape,
        )
        for name, ink in (("arrow", INK), ("arrow-soft", "#9aa5b1"))
    ]
