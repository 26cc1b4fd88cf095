"""The picture of the lifecycle has room for whatever a carrier may switch on."""

from __future__ import annotations

import itertools
import re

import pytest

from carrierflow.audit.pages.lifecycle import BOX, PLACES, TALL, _middle, lifecycle_diagram
from carrierflow.domain.lifecycle import GROUPS, define
from carrierflow.domain.model import START, Machine, Status


def edges(definition):
    """Return the legal steps as the picture takes them."""
    return [
        (m.machine, e.from_status, str(e.to_status)) for m in definition.machines for e in m.edges
    ]


def touches(end, middle):
    """Tell whether an end of a line lies at the rim of a box."""
    across, down = abs(end[0] - middle[0]), abs(end[1] - middle[1])
    return across <= BOX / 2 + 3 and down <= TALL / 2 + 3


def test_every_status_has_a_place_of_its_own():
    """Whatever is recorded can be drawn, and no box covers another."""
    wanted = {(status.machine, status) for status in Status} | {(m, START) for m in Machine}

    assert wanted == set(PLACES)
    for one, other in itertools.combinations(PLACES, 2):
        (x, y), (u, v) = _middle(*one), _middle(*other)
        assert abs(x - u) > BOX or abs(y - v) > TALL, (one, other)


@pytest.mark.parametrize("groups", [(), *((name,) for name in GROUPS), tuple(GROUPS)])
def test_every_lifecycle_can_be_drawn_and_its_lines_touch_boxes(groups):
    """A line begins and ends at the edge of a box, with any group of steps switched on."""
    drawn = str(lifecycle_diagram(edges(define(groups)), []))

    lines = re.findall(r'd="M(\S+) (\S+)Q\S+ \S+ (\S+) (\S+)"', drawn)
    assert len(edges(define(groups))) == len(lines)
    for x, y, u, v in lines:
        for end in ((float(x), float(y)), (float(u), float(v))):
            assert any(touches(end, _middle(*key)) for key in PLACES), end
