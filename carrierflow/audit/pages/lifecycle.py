"""The lifecycle as a diagram: every legal step, and how often it was taken."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Sequence

from carrierflow.audit.pages.charts import FAINT, INK, LINE, MAIN, PAPER, Size, canvas
from carrierflow.audit.pages.lifecycle_layout import LAYOUTS, PLACES, Bend, Layout, Point
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.step_counts import StepCount
from carrierflow.audit.reports.wording import number
from carrierflow.domain.lifecycle import MACHINE_LABELS
from carrierflow.domain.model import START, Machine


__all__ = ["Edge", "lifecycle_diagram", "road"]

Edge = tuple[Machine, str, str]

DOT, GAP = 7, 2
LINE_HEIGHT = 14


def lifecycle_diagram(
    edges: Iterable[Edge], counts: Sequence[StepCount], tongue: Tongue, size: Size
) -> Markup:
    """Draw the legal steps of a lifecycle, thicker the more often they were taken.

    Steps that the history holds and this lifecycle does not, from an older one or by correction,
    are dashed.
    """
    layout = LAYOUTS[size]
    taken = {(c.machine, c.from_status, str(c.to_status)): c.times for c in counts}
    legal = {(machine, str(begin), str(end)) for machine, begin, end in edges}
    drawn = {edge for edge in (*legal, *taken) if edge[1] != edge[2]}
    most = max(taken.values(), default=1)
    lines, numbers = [], []
    for edge in sorted(drawn):
        both_ways = (edge[0], *edge[:0:-1]) in drawn
        bend = layout.bends.get(edge[1:], Bend(out=layout.aside if both_ways else 0))
        times = taken.get(edge, 0)
        line, told = _edge(layout, edge, bend, times, most if edge in legal else -most)
        lines.append(line)
        numbers.append(told)
    shown = {(machine, place) for machine, *ends in drawn for place in ends}
    lowest = max(layout.middle(*key)[1] for key in shown)
    return canvas(
        lowest + layout.tall / 2 + 6,
        tongue.say("The lifecycle with the number of times that each step was taken"),
        *(_heading(layout, machine, tongue) for machine in Machine),
        *lines,
        *(_box(layout, *key, tongue) for key in PLACES if key in shown),
        *numbers,
        width=size.width,
    )


def _heading(layout: Layout, machine: Machine, tongue: Tongue) -> Markup:
    label, y = MACHINE_LABELS[machine], layout.headings[machine]
    name = label.en if tongue.is_english else label.vi
    rule = tag("path", d=f"M0 {y + 8:g}H{layout.size.width}", stroke=LINE)
    return join(tag("text", name, x=0, y=y, class_="strong"), rule)


def _box(layout: Layout, machine: Machine, place: str, tongue: Tongue) -> Markup:
    x, y = layout.middle(machine, place)
    if place == START:
        return tag("circle", cx=x, cy=y, r=DOT, fill=INK)
    frame = tag(
        "rect",
        x=x - layout.box / 2,
        y=y - layout.tall / 2,
        width=layout.box,
        height=layout.tall,
        rx=7,
        fill=PAPER,
        stroke=INK,
        stroke_width=1.4,
    )
    own = [(line, "strong tight") for line in textwrap.wrap(tongue.label(place), layout.letters[0])]
    beside = textwrap.wrap(tongue.beside(place), layout.letters[1])
    lines = own + [(line, "soft small") for line in beside]
    first = y - LINE_HEIGHT * len(lines) / 2 + 11
    texts = [
        tag("text", line, x=x, y=first + LINE_HEIGHT * n, text_anchor="middle", class_=look)
        for n, (line, look) in enumerate(lines)
    ]
    return join(frame, *texts)


def _edge(layout: Layout, edge: Edge, bend: Bend, times: int, most: int) -> tuple[Markup, Markup]:
    """Draw a step and its number; `most` is negative where the lifecycle does not allow it."""
    wide = 1 + 4 * math.sqrt(times / abs(most)) if times else 1
    start, stop, swing = road(layout, edge, bend)
    neck = _short_of(stop, swing, 5 + 1.6 * wide)
    line = tag(
        "path",
        d=f"M{start[0]:.1f} {start[1]:.1f}Q{swing[0]:.1f} {swing[1]:.1f} "
        f"{neck[0]:.1f} {neck[1]:.1f}",
        fill="none",
        stroke=MAIN if times else FAINT,
        stroke_width=wide,
        stroke_dasharray=None if most > 0 else "5 4",
    )
    head = _head(neck, stop, 3.2 + wide, MAIN if times else FAINT)
    x, y = _along(start, swing, stop, bend.label)
    if abs(start[1] - stop[1]) < 1:
        y += 13 + wide / 2 if swing[1] > start[1] + 1 else -5 - wide / 2
    else:
        y += 4.5
    told = tag(
        "text",
        number(times),
        x=x,
        y=y,
        text_anchor="middle",
        class_="halo strong tight" if times else "halo soft small",
    )
    return join(line, head), told


def _short_of(stop: Point, swing: Point, by: float) -> Point:
    """Return where a line goes over into its arrow's head."""
    dx, dy = stop[0] - swing[0], stop[1] - swing[1]
    long = math.hypot(dx, dy) or 1
    return stop[0] - dx / long * by, stop[1] - dy / long * by


def _head(neck: Point, stop: Point, half: float, ink: str) -> Markup:
    """Draw the head of an arrow, whose tip is where the line ends."""
    dx, dy = stop[0] - neck[0], stop[1] - neck[1]
    long = math.hypot(dx, dy) or 1
    over = (-dy / long * half, dx / long * half)
    ends = [(neck[0] + over[0], neck[1] + over[1]), stop, (neck[0] - over[0], neck[1] - over[1])]
    return tag("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in ends) + "z", fill=ink)


def road(layout: Layout, edge: Edge, bend: Bend) -> tuple[Point, Point, Point]:
    """Return where a line leaves one box, enters the other, and the point that it swings to.

    Both lie on the side of a box that faces the other one.
    """
    machine, place, to = edge
    begin, end = layout.middle(machine, place), layout.middle(machine, to)
    dx, dy = end[0] - begin[0], end[1] - begin[1]
    long = math.hypot(dx, dy) or 1
    aside = (-dy / long * -bend.out, dx / long * -bend.out)
    both_ways = abs(bend.out) < layout.tall / 3
    reach, shift = (1.5, 0.6) if both_ways else (2, 0)
    swing = tuple((begin[n] + end[n]) / 2 + reach * aside[n] for n in (0, 1))
    inner = [(p[0] + shift * aside[0], p[1] + shift * aside[1]) for p in (begin, end)]
    start = _rim(layout, inner[0], begin, (swing[0], swing[1]), is_dot=place == START)
    stop = _rim(layout, inner[1], end, (swing[0], swing[1]), is_dot=False)
    return start, stop, (swing[0], swing[1])


def _rim(layout: Layout, inner: Point, middle: Point, to: Point, *, is_dot: bool) -> Point:
    """Return where the line from a point inside a box to one outside crosses the box's rim."""
    half = (DOT + 1, DOT + 1) if is_dot else (layout.box / 2 + GAP, layout.tall / 2 + GAP)
    shares = []
    for place in (0, 1):
        step = to[place] - inner[place]
        if step:
            rim = middle[place] + math.copysign(half[place], step)
            shares.append((rim - inner[place]) / step)
    share = min((s for s in shares if s > 0), default=0)
    return inner[0] + (to[0] - inner[0]) * share, inner[1] + (to[1] - inner[1]) * share


def _along(start: Point, swing: Point, stop: Point, share: float) -> Point:
    rest = 1 - share
    x, y = (
        rest * rest * start[n] + 2 * rest * share * swing[n] + share * share * stop[n]
        for n in (0, 1)
    )
    return x, y
