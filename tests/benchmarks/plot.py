"""The figures as one picture: a bar per contestant, longer by one mark for ten times as many."""

from __future__ import annotations

import math
from itertools import groupby
from xml.etree import ElementTree as ET

from .tables import number


__all__ = ["plot"]

WIDTH, LEFT, RIGHT = 860, 230, 90
BAR, GAP, HEADING = 16, 4, 30
COLOURS = {"carrierflow": "#1f6f54", "Core by hand": "#8a8f98"}
PEER = "#c9a15a"
FONT = {"font-family": "system-ui, sans-serif", "font-size": "12", "fill": "#222"}


def plot(figures):
    """Draw how many scans a second each contestant records, as the bytes of an SVG file.

    Where none were recorded it draws how long things wait on a virtual day.
    """
    rates = [found for found in map(_as_rate, figures) if found is not None]
    if rates:
        return _drawn("Scans recorded in a second", rates)
    return _drawn("Seconds until it is told", [it for it in map(_as_wait, figures) if it])


def _drawn(title, rates):
    groups = [(name, list(bars)) for name, bars in groupby(rates, key=lambda rate: rate[0])]
    lowest = math.floor(math.log10(min(rate for _, _, rate in rates)))
    highest = math.log10(max(rate for _, _, rate in rates))
    scale = (WIDTH - LEFT - RIGHT) / max(highest - lowest, 1)
    height = sum(HEADING + len(bars) * (BAR + GAP) for _, bars in groups) + GAP
    svg = ET.Element(
        "svg",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
    )
    ET.SubElement(svg, "title").text = title
    ET.SubElement(svg, "rect", width=str(WIDTH), height=str(height), fill="#fff")
    y = 0
    for name, bars in groups:
        _text(svg, 8, y + HEADING - 9, name, {"font-weight": "bold"})
        y += HEADING
        for _, who, rate in bars:
            _bar(svg, y, who, rate, (math.log10(rate) - lowest) * scale)
            y += BAR + GAP
    return ET.tostring(svg, encoding="utf-8", xml_declaration=True) + b"\n"


def _bar(svg, y, who, rate, length):
    place = {"x": str(LEFT), "y": str(y), "height": str(BAR), "width": f"{length:.1f}"}
    ET.SubElement(svg, "rect", place | {"fill": COLOURS.get(who, PEER)})
    _text(svg, LEFT - 8, y + 12, who, {"text-anchor": "end"})
    _text(svg, LEFT + length + 6, y + 12, number(rate))


def _text(svg, x, y, said, style=()):
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}"}
    ET.SubElement(svg, "text", FONT | place | dict(style)).text = said


def _as_rate(figure):
    """Return the group, the contestant and the scans in a second; None for other figures."""
    if figure.unit == "µs":
        return f"{figure.bench}, {figure.where}", figure.who, 1e6 / figure.spread.value
    if figure.unit == "scans/s":
        return f"{figure.bench}, {figure.where}", figure.who, figure.spread.value
    return None


def _as_wait(figure):
    """Return how many slots there are, what waits, and its seconds; None for other figures."""
    if figure.unit == "s" and " waits, " in figure.who and figure.spread.value:
        return figure.where, figure.who, figure.spread.value
    return None
