"""A parcel's life as a line with stations: its steps, its cash, and when the platform knew."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from carrierflow.audit.pages.charts import INK, LIGHT, MAIN, SOFT, canvas
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.audit.reports.wording import span
from carrierflow.domain.lifecycle import label_of
from carrierflow.domain.model import HistoryEntry, Machine, Source


__all__ = ["life_line"]

LEFT, NARROWEST, WIDEST = 118, 112, 190
LANES: Mapping[str, float] = {Machine.DELIVERY: 74, Machine.COD: 188, "platform": 284}
NAMES = {
    Machine.DELIVERY: ("Delivery", "Giao hàng"),
    Machine.COD: ("Cash", "Thu hộ"),
    "platform": ("Platform", "Sàn"),
}
HEIGHT = 334
WIDEST_NAME = 12


def life_line(timeline: Timeline) -> Markup:
    """Draw each accepted step as a station, in the order in which the steps occurred.

    Filled stations were scanned; hollow ones were inferred or made by rule; squares are
    corrections. Below each stands when the platform was known to show it.
    """
    entries = sorted(timeline.entries, key=lambda e: (e.occurred_at, e.machine != "delivery"))
    step = min(WIDEST, max(NARROWEST, (960 - LEFT) / max(len(entries), 1)))
    across = {_key(entry): LEFT + step * (n + 0.5) for n, entry in enumerate(entries)}
    width = max(960.0, LEFT + step * len(entries))
    return canvas(
        HEIGHT,
        "The parcel's steps in their order, and when the platform showed each",
        *(_lane(name, y) for name, y in LANES.items()),
        *(_track(entries, machine, across) for machine in Machine),
        *(_station(entry, across[_key(entry)]) for entry in entries),
        *_platform(timeline, across),
        width=width,
    )


def _key(entry: HistoryEntry) -> tuple[str, int]:
    return entry.machine, entry.seq


def _lane(name: str, y: float) -> Markup:
    english, vietnamese = NAMES[name]
    return join(
        tag("text", english, x=0, y=y, class_="strong"),
        tag("text", vietnamese, x=0, y=y + 16, class_="soft small"),
    )


def _track(
    entries: Sequence[HistoryEntry], machine: Machine, across: Mapping[tuple[str, int], float]
) -> Markup:
    """Draw the line between the stations of one machine, with the span between two of them."""
    mine = sorted((e for e in entries if e.machine is machine), key=lambda e: e.seq)
    y, parts = LANES[machine], []
    for before, after in pairwise(mine):
        a, b = across[_key(before)], across[_key(after)]
        seconds = int((after.occurred_at - before.occurred_at).total_seconds())
        told = span(seconds) if seconds > 0 else ""
        parts += [
            tag("path", d=f"M{a:.1f} {y}H{b:.1f}", stroke=LIGHT, stroke_width=6),
            tag(
                "text", told, x=(a + b) / 2, y=y - 9, text_anchor="middle", class_="halo soft small"
            ),
        ]
    return join(*parts)


def _station(entry: HistoryEntry, x: float) -> Markup:
    y, label = LANES[entry.machine], label_of(entry.to_status)
    told = entry.source in {Source.CARRIER, Source.OPERATOR} and not entry.inferred
    look = {"fill": MAIN if told else "#fff", "stroke": MAIN, "stroke_width": 2.4}
    if entry.amends is not None:
        mark = tag("rect", x=x - 8, y=y - 8, width=16, height=16, **look)
    else:
        mark = tag("circle", cx=x, cy=y, r=8, **look)
    lines = textwrap.wrap(label.en, WIDEST_NAME)
    english = [
        tag("text", line, x=x, y=y - 40 - 14 * n, text_anchor="middle", class_="halo strong tight")
        for n, line in enumerate(reversed(lines))
    ]
    return join(
        mark,
        *english,
        tag("text", label.vi, x=x, y=y - 25, text_anchor="middle", class_="halo soft small"),
        tag("text", _clock(entry.occurred_at), x=x, y=y + 26, text_anchor="middle", class_="small"),
    )


def _platform(timeline: Timeline, across: Mapping[tuple[str, int], float]) -> list[Markup]:
    """Draw for each step when the platform was known to show it, and how long that took."""
    y = LANES["platform"]
    shown = {(each.machine, each.seq): each.confirmed_at for each in timeline.publications}
    parts = [tag("path", d=f"M{LEFT} {y}H{max(across.values(), default=LEFT)}", stroke=LIGHT)]
    for entry in timeline.entries:
        x, known = across[_key(entry)], entry.seq <= timeline.parcel.head(entry.machine).confirmed
        at = shown.get(_key(entry))
        drop = tag(
            "path",
            d=f"M{x:.1f} {LANES[entry.machine] + 32}V{y - 11}",
            stroke=SOFT,
            stroke_dasharray="1 4",
        )
        parts += [drop, *_known(x, y, entry, at=at, known=known)]
    return parts


def _known(
    x: float, y: float, entry: HistoryEntry, *, at: datetime | None, known: bool
) -> list[Markup]:
    if at is None and not known:
        cross = tag("circle", cx=x, cy=y, r=7, fill="#fff", stroke=INK, stroke_dasharray="3 2")
        return [cross, _below(x, y + 26, "not shown yet", class_="strong small")]
    dot = tag("circle", cx=x, cy=y, r=9, fill="#fff", stroke=INK, stroke_width=1.6)
    check = tag("path", d=f"M{x - 4:.1f} {y}l3 3.5l5.5-7", fill="none", stroke=INK, stroke_width=2)
    if at is None:
        return [dot, check, _below(x, y + 26, "from the start", class_="soft small")]
    late = max(0, int((at - entry.recorded_at).total_seconds()))
    return [
        dot,
        check,
        _below(x, y + 26, _clock(at), class_="small"),
        _below(x, y + 41, f"+ {span(late)}", class_="soft small"),
    ]


def _below(x: float, y: float, text: str, *, class_: str) -> Markup:
    return tag("text", text, x=x, y=y, text_anchor="middle", class_=class_)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%d.%m. %H:%M}"
