"""The lifecycle as a diagram: every legal step, and how often it was taken."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from carrierflow.audit.pages.charts import INK, LINE, MAIN, canvas
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.reports.step_counts import StepCount
from carrierflow.audit.reports.wording import number
from carrierflow.domain.lifecycle import MACHINE_LABELS, label_of
from carrierflow.domain.model import START, Machine, Status


__all__ = ["lifecycle_diagram"]

Point = tuple[float, float]
Edge = tuple[Machine, str, str]

BOX, TALL = 128, 52
COLUMNS, TOP, DOWN = (16, 176, 356, 536, 716, 894), 66, 110
"""Where the columns stand, and the first row, and how far down the next one is."""

PLACES: Mapping[tuple[Machine, str], tuple[int, float]] = {
    (Machine.DELIVERY, START): (0, 1),
    (Machine.DELIVERY, Status.PENDING): (1, 0),
    (Machine.DELIVERY, Status.READYTOPICK): (1, 1),
    (Machine.DELIVERY, Status.PICKING): (2, 1),
    (Machine.DELIVERY, Status.DELIVERING): (3, 1),
    (Machine.DELIVERY, Status.DELIVERED): (4, 1),
    (Machine.DELIVERY, Status.CANCEL): (1, 2),
    (Machine.DELIVERY, Status.NOTMEETCUSTOMER): (3, 2),
    (Machine.DELIVERY, Status.WAITINGFORRETURN): (4, 2),
    (Machine.DELIVERY, Status.RETURN): (5, 2),
    (Machine.COD, START): (0, 3.2),
    (Machine.COD, Status.CODPENDING): (1, 3.2),
    (Machine.COD, Status.CODPAID): (2, 3.2),
    (Machine.COD, Status.CODRECEIPT): (3, 3.2),
    (Machine.COD, Status.CODNOTRECEIPT): (4, 3.2),
    (Machine.COD, Status.NONE): (1, 3.9),
}
"""Column and row of each status."""

WIDEST, ROOMY = 17, 13
"""How many letters a box has room for, and how many with air around them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bend:
    """How far a line swings out to its left, and where on it its number stands."""

    out: float = 0
    label: float = 0.5


STRAIGHT, BOTH_WAYS = Bend(), Bend(out=17)

BENDS: Mapping[tuple[str, str], Bend] = {
    (Status.DELIVERING, Status.WAITINGFORRETURN): Bend(out=13, label=0.6),
    (Status.WAITINGFORRETURN, Status.DELIVERING): Bend(out=13, label=0.6),
    (Status.PENDING, Status.CANCEL): Bend(out=-88, label=0.74),
    (Status.NOTMEETCUSTOMER, Status.CANCEL): Bend(out=-40, label=0.5),
    (Status.DELIVERING, Status.CANCEL): Bend(label=0.62),
}
"""Lines that would run through each other, or through a box, if they were straight."""


def lifecycle_diagram(edges: Iterable[Edge], counts: Sequence[StepCount]) -> Markup:
    """Draw the legal steps of a lifecycle, thicker the more often they were taken.

    Steps that the history holds and this lifecycle does not, from an older one or by correction,
    are dashed.
    """
    taken = {(c.machine, c.from_status, str(c.to_status)): c.times for c in counts}
    legal = {(machine, str(begin), str(end)) for machine, begin, end in edges}
    drawn = [edge for edge in (*legal, *taken) if edge[1] != edge[2]]
    most = max(taken.values(), default=1)
    lines, numbers = [], []
    for edge in sorted(set(drawn)):
        bend = BENDS.get(edge[1:], BOTH_WAYS if (edge[0], *edge[:0:-1]) in drawn else STRAIGHT)
        line, number = _edge(edge, taken.get(edge, 0), bend, most=most, legal=edge in legal)
        lines.append(line)
        numbers.append(number)
    shown = {(machine, place) for machine, *ends in drawn for place in ends}
    boxes = [_box(*key) for key in PLACES if key in shown]
    return canvas(
        TOP + DOWN * 3.9 + 34,
        "The lifecycle with the number of times that each step was taken",
        *(_heading(machine) for machine in Machine),
        *lines,
        *boxes,
        *numbers,
    )


def _heading(machine: Machine) -> Markup:
    label = MACHINE_LABELS[machine]
    y = 20 if machine is Machine.DELIVERY else TOP + DOWN * 2.62
    rule = tag("path", d=f"M0 {y + 8:g}H960", stroke=LINE)
    name = tag(
        "text",
        tag("tspan", label.en, class_="strong"),
        "  ",
        tag("tspan", label.vi, class_="soft"),
        x=0,
        y=y,
    )
    return join(name, rule)


def _middle(machine: Machine, place: str) -> Point:
    column, row = PLACES[machine, place]
    return COLUMNS[column], TOP + DOWN * row


def _box(machine: Machine, place: str) -> Markup:
    x, y = _middle(machine, place)
    if place == START:
        return tag("circle", cx=x, cy=y, r=7, fill=INK)
    label = label_of(place)
    frame = tag(
        "rect",
        x=x - BOX / 2,
        y=y - TALL / 2,
        width=BOX,
        height=TALL,
        rx=7,
        fill="#fff",
        stroke=INK,
        stroke_width=1.4,
    )
    lines = _lines(label.en)
    first = y - 1 - 14 * len(lines) / 2 + 4
    english = [
        tag("text", line, x=x, y=first + 14 * n, text_anchor="middle", class_=_size(line))
        for n, line in enumerate(lines)
    ]
    vietnamese = tag(
        "text",
        label.vi,
        x=x,
        y=first + 14 * len(lines) + 1,
        text_anchor="middle",
        class_="soft small",
    )
    return join(frame, *english, vietnamese)


def _lines(text: str) -> list[str]:
    """Break a name that is wider than a box."""
    return textwrap.wrap(text, WIDEST)


def _size(line: str) -> str:
    return "strong tight" if len(line) > ROOMY else "strong"


def _edge(edge: Edge, times: int, bend: Bend, *, most: int, legal: bool) -> tuple[Markup, Markup]:
    machine, begin, end = edge
    start, stop, swing = _road(_middle(machine, begin), _middle(machine, end), bend, begin)
    ink = INK if times else "#9aa5b1"
    line = tag(
        "path",
        d=f"M{start[0]:.1f} {start[1]:.1f}Q{swing[0]:.1f} {swing[1]:.1f} "
        f"{stop[0]:.1f} {stop[1]:.1f}",
        fill="none",
        stroke=MAIN if times else ink,
        stroke_width=1 + 5 * math.sqrt(times / most) if times else 1,
        stroke_dasharray=None if legal else "5 4",
        marker_end=f"url(#{'arrow' if times else 'arrow-soft'})",
    )
    x, y = _along(start, swing, stop, bend.label)
    label = tag(
        "text",
        number(times),
        x=x,
        y=y - 7 if start[1] == stop[1] and not bend.out else y + 4.5,
        text_anchor="middle",
        class_="halo strong tight" if times else "halo soft small",
    )
    return line, label


def _road(begin: Point, end: Point, bend: Bend, place: str) -> tuple[Point, Point, Point]:
    """Return where a line leaves one box, enters the other, and the point that it swings to."""
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    long = math.hypot(dx, dy) or 1
    aside = (-dy / long * -bend.out, dx / long * -bend.out)
    swing = ((begin[0] + end[0]) / 2 + 2 * aside[0], (begin[1] + end[1]) / 2 + 2 * aside[1])
    shift = (aside[0], aside[1]) if abs(bend.out) < TALL / 2 else (0, 0)
    start = _rim((begin[0] + shift[0], begin[1] + shift[1]), begin, swing, is_dot=place == START)
    stop = _rim((end[0] + shift[0], end[1] + shift[1]), end, swing, is_dot=False)
    return start, stop, swing


def _rim(inner: Point, middle: Point, to: Point, *, is_dot: bool) -> Point:
    """Return where the line from a point inside a box to one outside crosses the box's rim."""
    half = (8, 8) if is_dot else (BOX / 2 + 2, TALL / 2 + 2)
    dx, dy = to[0] - inner[0], to[1] - inner[1]
    shares = []
    for place in (0, 1):
        step = (dx, dy)[place]
        if step:
            rim = middle[place] + math.copysign(half[place], step)
            shares.append((rim - inner[place]) / step)
    share = min((s for s in shares if s > 0), default=0)
    return inner[0] + dx * share, inner[1] + dy * share


def _along(start: Point, swing: Point, stop: Point, share: float) -> Point:
    rest = 1 - share
    x, y = (
        rest * rest * start[n] + 2 * rest * share * swing[n] + share * share * stop[n]
        for n in (0, 1)
    )
    return x, y
