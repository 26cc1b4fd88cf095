"""Where the boxes of the lifecycle stand: from left to right on a desk, downwards on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from carrierflow.audit.pages.charts import Size
from carrierflow.domain.model import START, Machine, Status


__all__ = ["LAYOUTS", "PLACES", "Bend", "Layout", "Place", "Point"]

Point = tuple[float, float]
Place = tuple[Machine, str]

PLACES: Mapping[Place, Point] = {
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
    (Machine.COD, START): (0, 0),
    (Machine.COD, Status.CODPENDING): (1, 0),
    (Machine.COD, Status.CODPAID): (2, 0),
    (Machine.COD, Status.CODRECEIPT): (3, 0),
    (Machine.COD, Status.CODNOTRECEIPT): (4, 0),
    (Machine.COD, Status.NONE): (1, 0.7),
}
"""How far along the way each status is, and on which track."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bend:
    """How far a line swings out to its left, and where on it its number stands."""

    out: float = 0
    label: float = 0.5


BENDS: Mapping[tuple[str, str], Bend] = {
    (Status.DELIVERING, Status.WAITINGFORRETURN): Bend(out=13, label=0.6),
    (Status.WAITINGFORRETURN, Status.DELIVERING): Bend(out=13, label=0.6),
    (Status.PENDING, Status.CANCEL): Bend(out=-88, label=0.74),
    (Status.NOTMEETCUSTOMER, Status.CANCEL): Bend(out=-40, label=0.5),
    (Status.DELIVERING, Status.CANCEL): Bend(label=0.62),
}
"""Lines that would run through each other, or through a box, if they were straight."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """One way of setting the boxes."""

    size: Size
    box: float
    tall: float
    along: Sequence[float]
    """Where each status of the way stands."""
    across: float
    """How far the tracks are apart."""
    starts: Mapping[Machine, float]
    """Where the first track of a machine is, or on a phone the beginning of its way."""
    headings: Mapping[Machine, float]
    letters: tuple[int, int]
    """How many letters a line of a box has room for, strong and soft ones."""
    bends: Mapping[tuple[str, str], Bend]
    aside: float
    """How far two lines swing out that run both ways between two boxes."""

    def middle(self, machine: Machine, place: str) -> Point:
        """Return where the middle of a box is."""
        way, track = PLACES[machine, place]
        if self.size is Size.WIDE:
            return self.along[int(way)], self.starts[machine] + self.across * track
        over = track if machine is Machine.DELIVERY else 1 + track / 0.7
        return 60 + self.across * over, self.starts[machine] + self.along[int(way)]


DOWN = 116
LAYOUTS: Mapping[Size, Layout] = {
    Size.WIDE: Layout(
        size=Size.WIDE,
        box=138,
        tall=52,
        along=(16, 178, 357, 536, 715, 889),
        across=110,
        starts={Machine.DELIVERY: 66, Machine.COD: 418},
        headings={Machine.DELIVERY: 20, Machine.COD: 354},
        letters=(17, 22),
        bends=BENDS,
        aside=13,
    ),
    Size.NARROW: Layout(
        size=Size.NARROW,
        box=98,
        tall=74,
        along=[DOWN * place for place in (0.1, 1, 2, 3, 4, 5)],
        across=120,
        starts={Machine.DELIVERY: 40, Machine.COD: 742},
        headings={Machine.DELIVERY: 20, Machine.COD: 708},
        letters=(12, 13),
        bends={
            **{ends: replace(bend, out=-bend.out) for ends, bend in BENDS.items()},
            (Status.PENDING, Status.CANCEL): Bend(out=38, label=0.74),
        },
        aside=16,
    ),
}
