"""Killing a process at every point of a scenario, and again at every point of its recovery."""

from __future__ import annotations

from carrierflow.sandbox import FaultKind

from .play import play
from .scenario import small


SCENARIOS = {
    "delivered": small("kills", [("picking", "delivering", "delivered")]),
    "redelivery": small(
        "kills",
        [("picking", "delivering", "notmeetcustomer", "delivering", "delivered", "codreceipt")],
        rates={FaultKind.LOST_REPLY: 0.15, FaultKind.LATE_APPLY: 0.1},
    ),
    "cancelled": small("kills", [("picking", "cancel"), ("cancel",)]),
}

RECOVERY = (1, 2, 3, 5, 7, 11, 16, 22, 29, 37)
"""How many points after the first kill the second one comes."""


def points_of(scenario):
    """Return how many kill points a scenario has when nobody is killed."""
    return play(scenario).points


def kill_everywhere(scenario, *, recovery=(), every=1):
    """Play a scenario once for each kill point; yields what became of it."""
    for first in range(1, points_of(scenario) + 1, every):
        for kill_at in [(first,), *((first, first + later) for later in recovery)]:
            yield kill_at, play(scenario, kill_at=kill_at)
