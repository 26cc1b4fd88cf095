"""The picture of the lifecycle has room for whatever a carrier may switch on."""

from __future__ import annotations

import itertools
import re

import pytest

from carrierflow.audit.pages.charts import Size
from carrierflow.audit.pages.lifecycle import lifecycle_diagram, road
from carrierflow.audit.pages.lifecycle_layout import LAYOUTS, PLACES, Bend
from carrierflow.audit.reports.language import ENGLISH
from carrierflow.audit.reports.step_counts import StepCount
from carrierflow.domain.lifecycle import GROUPS, define
from carrierflow.domain.model import START, Machine, Status


SIZES = pytest.mark.parametrize("size", Size)


def edges(definition):
    """Return the legal steps as the picture takes them."""
    return [
        (m.machine, e.from_status, str(e.to_status)) for m in definition.machines for e in m.edges
    ]


def counted(legal):
    """Return counts that make every other line a thick one."""
    return [
        StepCount(
            machine=machine,
            from_status=begin,
            to_status=Status(end),
            times=10**place,
            inferred=0,
            corrections=0,
        )
        for place, (machine, begin, end) in enumerate(legal[::2])
    ]


def at_the_rim(end, middle, layout):
    """Tell whether an end of a line lies at the rim of a box, and not in it."""
    across, down = abs(end[0] - middle[0]), abs(end[1] - middle[1])
    inside = across < layout.box / 2 and down < layout.tall / 2
    return across <= layout.box / 2 + 3 and down <= layout.tall / 2 + 3 and not inside


@SIZES
def test_every_status_has_a_place_of_its_own(size):
    """Whatever is recorded can be drawn, no box covers another, none is cut off."""
    wanted = {(status.machine, status) for status in Status} | {(m, START) for m in Machine}
    layout = LAYOUTS[size]

    assert wanted == set(PLACES)
    for one, other in itertools.combinations(PLACES, 2):
        (x, y), (u, v) = layout.middle(*one), layout.middle(*other)
        assert abs(x - u) > layout.box or abs(y - v) > layout.tall, (one, other)
    for key in PLACES:
        if key[1] != START:
            half = layout.box / 2
            assert half <= layout.middle(*key)[0] <= size.width - half


@SIZES
@pytest.mark.parametrize("groups", [(), *((name,) for name in GROUPS), tuple(GROUPS)])
def test_every_lifecycle_can_be_drawn_and_its_lines_touch_boxes(groups, size):
    """A line begins, and its arrow's tip ends, at the edge of a box, however thick it is."""
    layout, legal = LAYOUTS[size], edges(define(groups))
    drawn = str(lifecycle_diagram(legal, counted(legal), ENGLISH, size))

    lines = re.findall(r'd="M(\S+) (\S+)Q', drawn)
    tips = re.findall(r'd="M\S+ \S+L(\S+) ([^L"]+)L\S+ \S+z"', drawn)
    assert len(legal) == len(lines) == len(tips)
    dots = [layout.middle(machine, START) for machine in Machine]
    boxes = [layout.middle(*key) for key in PLACES if key[1] != START]
    for end in tips:
        point = tuple(map(float, end))
        assert any(at_the_rim(point, box, layout) for box in boxes), point
    for begin in lines:
        point = tuple(map(float, begin))
        near_dot = any(abs(point[0] - x) <= 10 and abs(point[1] - y) <= 10 for x, y in dots)
        assert near_dot or any(at_the_rim(point, box, layout) for box in boxes), point


@SIZES
def test_lines_both_ways_end_on_the_sides_that_face_each_other(size):
    """Between two boxes beside each other no arc ends on top of one, or at its corner."""
    layout, bend = LAYOUTS[size], Bend(out=LAYOUTS[size].aside)
    beside = [
        (one, other)
        for one, other in itertools.permutations(PLACES, 2)
        if START not in {one[1], other[1]}
        and abs(layout.middle(*one)[1] - layout.middle(*other)[1]) < 1
        and abs(layout.middle(*one)[0] - layout.middle(*other)[0]) < 1.6 * layout.box
    ]
    assert beside
    for one, other in beside:
        start, stop, _ = road(layout, (one[0], one[1], other[1]), bend)
        for end, middle in ((start, layout.middle(*one)), (stop, layout.middle(*other))):
            assert abs(end[1] - middle[1]) <= layout.tall / 2 - 2
            assert abs(end[0] - middle[0]) == pytest.approx(layout.box / 2 + 2)
