"""A parcel's life as a line with stations: its steps, its cash, and when the platform knew."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from carrierflow.audit.pages.charts import INK, LIGHT, MAIN, PAPER, SOFT, Size, canvas
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.domain.model import HistoryEntry, Machine, Source


__all__ = ["life_line"]

LEFT = {Size.WIDE: 118, Size.NARROW: 84}
NARROWEST, WIDEST = 112, 190
LANES: Mapping[str, float] = {Machine.DELIVERY: 74, Machine.COD: 188, "platform": 284}
NAMES = {Machine.DELIVERY: "Delivery", Machine.COD: "Cash", "platform": "Platform"}
HEIGHT = 334
WIDEST_NAME = 12


Across = Mapping[tuple[str, int], float]


def life_line(timeline: Timeline, tongue: Tongue, size: Size) -> Markup:
    """Draw each accepted step as a station, in the order in which the steps occurred.

    Filled stations were scanned; hollow ones were inferred or made by rule; squares are
    corrections. Below each stands when the platform was known to show it. A long life goes on
    in the next row.
    """
    entries = sorted(timeline.entries, key=lambda e: (e.occurred_at, e.machine != "delivery"))
    most = int((size.width - LEFT[size]) // NARROWEST)
    rows = [entries[at : at + most] for at in range(0, len(entries), most)] or [[]]
    return join(*(_row(timeline, row, tongue, size) for row in rows))


def _row(timeline: Timeline, entries: Sequence[HistoryEntry], tongue: Tongue, size: Size) -> Markup:
    left = LEFT[size]
    step = min(WIDEST, max(NARROWEST, (size.width - left) / max(len(entries), 1)))
    across = {_key(entry): left + step * (n + 0.5) for n, entry in enumerate(entries)}
    return canvas(
        HEIGHT,
        tongue.say("The parcel's steps in their order, and when the platform showed each"),
        *(_lane(tongue.text(NAMES[name]), y) for name, y in LANES.items()),
        *(_track(timeline, machine, across, tongue, size) for machine in Machine),
        *(_station(entry, across[_key(entry)], tongue) for entry in entries),
        *_platform(timeline, entries, across, tongue, left),
        width=size.width,
    )


def _key(entry: HistoryEntry) -> tuple[str, int]:
    return entry.machine, entry.seq


def _lane(name: str, y: float) -> Markup:
    return tag("text", name, x=0, y=y + 4, class_="strong")


def _track(
    timeline: Timeline, machine: Machine, across: Across, tongue: Tongue, size: Size
) -> Markup:
    """Draw the line between the stations of one machine, with the span between two of them.

    Where a station is in another row the line runs to the edge.
    """
    mine = sorted((e for e in timeline.entries if e.machine is machine), key=lambda e: e.seq)
    y, parts = LANES[machine], []
    for before, after in pairwise(mine):
        a, b = across.get(_key(before)), across.get(_key(after))
        if a is None and b is None:
            continue
        ends = sorted((LEFT[size] if a is None else a, size.width if b is None else b))
        line = f"M{ends[0]:.1f} {y}H{ends[1]:.1f}"
        parts.append(tag("path", d=line, stroke=LIGHT, stroke_width=6))
        seconds = int((after.occurred_at - before.occurred_at).total_seconds())
        if seconds > 0 and a is not None and b is not None:
            told, middle = tongue.span(seconds), (a + b) / 2
            look = "halo soft small"
            parts.append(tag("text", told, x=middle, y=y - 9, text_anchor="middle", class_=look))
    return join(*parts)


def _station(entry: HistoryEntry, x: float, tongue: Tongue) -> Markup:
    y = LANES[entry.machine]
    told = entry.source in {Source.CARRIER, Source.OPERATOR} and not entry.inferred
    look = {"fill": MAIN if told else PAPER, "stroke": MAIN, "stroke_width": 2.4}
    if entry.amends is not None:
        mark = tag("rect", x=x - 8, y=y - 8, width=16, height=16, **look)
    else:
        mark = tag("circle", cx=x, cy=y, r=8, **look)
    lines = textwrap.wrap(tongue.label(entry.to_status), WIDEST_NAME)
    names = [
        tag("text", line, x=x, y=y - 40 - 14 * n, text_anchor="middle", class_="halo strong tight")
        for n, line in enumerate(reversed(lines))
    ]
    return join(
        mark,
        *names,
        tag(
            "text",
            tongue.beside(entry.to_status),
            x=x,
            y=y - 25,
            text_anchor="middle",
            class_="halo soft small",
        ),
        tag("text", _clock(entry.occurred_at), x=x, y=y + 26, text_anchor="middle", class_="small"),
    )


def _platform(
    timeline: Timeline,
    entries: Sequence[HistoryEntry],
    across: Across,
    tongue: Tongue,
    left: float,
) -> list[Markup]:
    """Draw for each step when the platform was known to show it, and how long that took."""
    y = LANES["platform"]
    shown = {(each.machine, each.seq): each.confirmed_at for each in timeline.publications}
    parts = [tag("path", d=f"M{left} {y}H{max(across.values(), default=left):.1f}", stroke=LIGHT)]
    for entry in entries:
        x, known = across[_key(entry)], entry.seq <= timeline.parcel.head(entry.machine).confirmed
        at = shown.get(_key(entry))
        drop = tag(
            "path",
            d=f"M{x:.1f} {LANES[entry.machine] + 32}V{y - 11}",
            stroke=SOFT,
            stroke_dasharray="1 4",
        )
        parts += [drop, *_known(x, y, entry, tongue, at=at, known=known)]
    return parts


def _known(
    x: float, y: float, entry: HistoryEntry, tongue: Tongue, *, at: datetime | None, known: bool
) -> list[Markup]:
    if at is None and not known:
        cross = tag("circle", cx=x, cy=y, r=7, fill=PAPER, stroke=INK, stroke_dasharray="3 2")
        return [cross, _below(x, y + 26, tongue.say("not shown yet"), class_="strong small")]
    dot = tag("circle", cx=x, cy=y, r=9, fill=PAPER, stroke=INK, stroke_width=1.6)
    check = tag("path", d=f"M{x - 4:.1f} {y}l3 3.5l5.5-7", fill="none", stroke=INK, stroke_width=2)
    if at is None:
        return [dot, check, _below(x, y + 26, tongue.say("from the start"), class_="soft small")]
    late = max(0, int((at - entry.recorded_at).total_seconds()))
    return [
        dot,
        check,
        _below(x, y + 26, _clock(at), class_="small"),
        _below(x, y + 41, f"+ {tongue.span(late)}", class_="soft small"),
    ]


def _below(x: float, y: float, text: str, *, class_: str) -> Markup:
    return tag("text", text, x=x, y=y, text_anchor="middle", class_=class_)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%d.%m. %H:%M}"
