"""The lanes beside a parcel's traces, and a mark of its own for each kind of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from carrierflow.audit.pages.charts import INK, LINE, MAIN, PAPER
from carrierflow.audit.pages.markup import Markup, join, tag
from carrierflow.audit.reports.language import Tongue
from carrierflow.audit.reports.timeline_items import TimelineItem
from carrierflow.domain.model import Machine, Source


__all__ = ["lanes", "letters"]

PLATFORM, PERSON = "platform", "person"
LANES: Mapping[str, float] = {
    Machine.DELIVERY: 16.0,
    Machine.COD: 44.0,
    PLATFORM: 72.0,
    PERSON: 100.0,
}
ON_PLATFORM = frozenset({"told", "answered", "confirmed", "seen"})
ON_PERSON = frozenset({"incident", "decision", "revision"})
SCANNED = frozenset({Source.CARRIER, Source.OPERATOR})


def letters(tongue: Tongue) -> Markup:
    """Return the heading of the lanes: a letter for delivery, cash, platform and person."""
    shown = [
        tag("text", letter, x=LANES[name], y=12, text_anchor="middle", class_="strong")
        for name, letter in zip(LANES, tongue.say("DCPH"), strict=True)
    ]
    return tag("svg", *shown, viewBox="0 0 120 16", class_="letters", aria_hidden="true")


def lanes(each: TimelineItem | None, *, height: int) -> Markup:
    """Return the lanes of one row, with the mark of its moment; the words beside say the same."""
    lines = [tag("path", d=f"M{x} 0V{height}", stroke=LINE, stroke_width=2) for x in LANES.values()]
    mark = _mark(each, height / 2) if each else None
    return tag("svg", *lines, mark, viewBox=f"0 0 120 {height}", aria_hidden="true")


def _mark(each: TimelineItem, y: float) -> Markup:
    x = LANES[_lane_of(each)]
    if each.kind == "entry":
        return _dot(x, y, fill=MAIN if each.source in SCANNED else PAPER)
    return MARKS.get(each.kind, _seen)(x, y)


def _lane_of(each: TimelineItem) -> str:
    if each.kind in ON_PLATFORM:
        return PLATFORM
    if each.kind in ON_PERSON or each.machine is None:
        return PERSON
    return each.machine


def _refused(x: float, y: float) -> Markup:
    return _path(f"M{x - 6} {y - 6}l12 12M{x + 6} {y - 6}l-12 12")


def _late(x: float, y: float) -> Markup:
    return _path(f"M{x} {y - 7}l7 13h-14z", fill=PAPER)


def _told(x: float, y: float) -> Markup:
    return _path(f"M{x - 12} {y}h16M{x - 1} {y - 5}l6 5l-6 5")


def _answered(x: float, y: float) -> Markup:
    return _path(f"M{x + 6} {y}h-16M{x - 5} {y - 5}l-6 5l6 5")


def _confirmed(x: float, y: float) -> Markup:
    return join(_dot(x, y, fill=PAPER), _path(f"M{x - 4} {y}l3 3.5l5.5-7"))


def _seen(x: float, y: float) -> Markup:
    return join(_dot(x, y, fill=PAPER), tag("circle", cx=x, cy=y, r=2.5, fill=INK))


def _incident(x: float, y: float) -> Markup:
    sign = _path(f"M{x} {y - 9}l9 16h-18z", fill=PAPER)
    return join(sign, _path(f"M{x} {y - 3}v4M{x} {y + 3}v2"))


def _decision(x: float, y: float) -> Markup:
    return _path(f"M{x} {y - 8}l8 8l-8 8l-8-8z", fill=INK)


def _dot(x: float, y: float, *, fill: str) -> Markup:
    return tag("circle", cx=x, cy=y, r=7.5, fill=fill, stroke=INK, stroke_width=2)


def _path(d: str, *, fill: str = "none") -> Markup:
    return tag("path", d=d, fill=fill, stroke=INK, stroke_width=2)


MARKS: Mapping[str, Callable[[float, float], Markup]] = {
    "refused": _refused,
    "late": _late,
    "told": _told,
    "answered": _answered,
    "confirmed": _confirmed,
    "incident": _incident,
    "decision": _decision,
    "revision": _decision,
}
"""How a moment of each kind is drawn; what is merely seen has no entry."""
