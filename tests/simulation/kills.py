"""Killing a process at every point of a scenario, and again at every point of its recovery."""

from __future__ import annotations

from carrierflow.sandbox.haravan import FaultKind

from .play import play
from .scenario import small


ROAD = ("picking", "delivering", "delivered")
LOOP = ("picking", "delivering", "notmeetcustomer", "delivering", "delivered", "codreceipt")

SCENARIOS = {
    "delivered": small("kills", [ROAD]),
    "redelivery": small(
        "kills", [LOOP], rates={FaultKind.LOST_REPLY: 0.15, FaultKind.LATE_APPLY: 0.1}
    ),
    "cancelled": small("kills", [("picking", "cancel"), ("cancel",)], calls=True),
    "cash": small("kills", [(*ROAD, "codreceipt")], lifts=False),
    "two runs": small("kills", [ROAD], crons=(40.0, 60.0)),
}


def kill_everywhere(scenario):
    """Play a scenario once for each kill point; yields where, and what became of it."""
    for point in range(1, play(scenario).points + 1):
        yield (point,), play(scenario, kill_at=(point,))


def kill_twice(scenario, *, every=1):
    """Kill at every point, and again at every point of the recovery from it.

    Where a kill leaves the database and the platform as another kill did, the recovery is the
    same; it is gone through once. It lasts until the next run has come to its end.
    """
    left_behind = set()
    for kill_at, played in kill_everywhere(scenario):
        yield kill_at, played
        if played.broken is not None or played.left_behind in left_behind:
            continue
        left_behind.add(played.left_behind)
        (first,) = kill_at
        for second in range(first + 1, played.recovered + 1, every):
            yield (first, second), play(scenario, kill_at=(first, second))
