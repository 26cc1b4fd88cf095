"""Drawings that read without colour, at the width of a desk and at that of a phone.

Each is drawn for both widths, and the style sheet shows the one that fits, so that its letters
are as large as those around it. Values are written beside their marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from carrierflow.audit.pages.markup import Markup, join, tag


__all__ = [
    "FAINT",
    "INK",
    "LIGHT",
    "LINE",
    "MAIN",
    "PAPER",
    "SOFT",
    "Bar",
    "Size",
    "at_both_sizes",
    "bars",
    "block",
    "canvas",
    "row_label",
]

INK, SOFT, LINE, MAIN, LIGHT, FAINT, PAPER = (
    f"var(--{name})" for name in ("ink", "soft", "line", "main", "light", "grey", "paper")
)
"""The colours of the style sheet, so that a drawing is dark where the page is."""

HATCH = 6


class Size(Enum):
    """How wide a drawing is, in the units of its letters."""

    WIDE = 960
    NARROW = 360

    @property
    def width(self) -> int:
        """The width as a number."""
        return int(self.value)

    @property
    def row(self) -> int:
        """How tall the row of one bar is; a narrow one has its label above it."""
        return 34 if self is Size.WIDE else 50


def at_both_sizes(draw: Callable[[Size], Markup]) -> Markup:
    """Return a drawing for either width; one of them is shown."""
    return join(*(tag("div", draw(size), class_=size.name.lower()) for size in Size))


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar with what it is and what it says."""

    label: str
    value: int
    told: str
    hatched: bool = False
    """Drawn as a pattern: what needs attention."""


def canvas(height: float, title: str, *parts: object, width: float) -> Markup:
    """Return a drawing with its title for those who cannot see it."""
    return tag(
        "svg",
        tag("title", title),
        *parts,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        xmlns="http://www.w3.org/2000/svg",
    )


def bars(title: str, rows: Sequence[Bar], size: Size) -> Markup:
    """Draw bars from the left, each with its value behind it."""
    most = max((row.value for row in rows), default=0) or 1
    left, told = (270, 230) if size is Size.WIDE else (1, 190)
    room, parts = size.width - left - told, []
    for number, row in enumerate(rows):
        top, length = number * size.row + 6, room * row.value / most
        across = top if size is Size.WIDE else top + 20
        bar = block(left, across + 2, max(length, 1.5), 20, hatched=row.hatched)
        parts += [
            row_label(row.label, "", top=top, left=left, size=size),
            bar if row.value else None,
            tag("text", row.told, x=left + length + 8, y=across + 17),
        ]
    axis = tag("path", d=f"M{left} 2V{len(rows) * size.row + 4}", stroke=INK)
    return canvas(len(rows) * size.row + 8, title, *parts, axis, width=size.width)


def row_label(label: str, beside: str, *, top: float, left: float, size: Size) -> Markup:
    """Name a row: beside it, or above it where it is narrow."""
    wide = size is Size.WIDE
    soft = (" ", tag("tspan", beside, class_="soft small")) if beside and wide else ()
    return tag(
        "text",
        tag("tspan", label),
        *soft,
        x=left - 12 if wide else 8,
        y=top + (17 if wide else 13),
        text_anchor="end" if wide else None,
    )


def block(x: float, y: float, wide: float, high: float, *, hatched: bool = False) -> Markup:
    """Draw a block that is filled, or hatched line by line: a printer draws these as they are."""
    frame = {"x": x, "y": y, "width": wide, "height": high, "stroke": MAIN}
    if not hatched:
        return tag("rect", fill=MAIN, **frame)
    lines = "".join(_strokes(x, y, wide, high))
    return join(
        tag("rect", fill=PAPER, **frame),
        tag("path", d=lines or None, stroke=MAIN, stroke_width=1.2),
    )


def _strokes(x: float, y: float, wide: float, high: float) -> Iterator[str]:
    """Yield the slanted lines that lie within a block."""
    for place in range(HATCH, int(wide + high), HATCH):
        left, right = max(0.0, place - high), min(float(place), wide)
        yield f"M{x + left:.1f} {y + place - left:.1f}L{x + right:.1f} {y + place - right:.1f}"
