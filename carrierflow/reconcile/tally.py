"""What a run counts while it goes, and how the turns at one fulfillment can end."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from carrierflow.reconcile.turn import Turn
from carrierflow.reconcile.view import Situation


__all__ = ["Ending", "Settled", "Tally", "ending_of"]


class Ending(StrEnum):
    """Why the turns at one fulfillment ended."""

    IN_SYNC = "in_sync"
    NOTED = "noted"
    WAITING = "waiting"
    FROZEN = "frozen"
    READ_AGAIN = "read_again"
    CUT_SHORT = "cut_short"


@dataclass(slots=True)
class Tally:
    """What a run did so far; every part of the run adds to the same one."""

    checked: dict[int, bool] = field(default_factory=dict)
    """The fulfillments compared, by their own ids: whether they were in sync at last."""
    orders: set[str] = field(default_factory=set)
    """The orders looked at."""
    published: int = 0
    adopted: int = 0
    waiting: int = 0
    frozen: int = 0
    incidents_opened: int = 0
    writes: int = 0
    failures_in_a_row: int = 0
    rows: dict[str, int] = field(default_factory=dict)

    def count(self, turn: Turn) -> None:
        """Count the rows that decided a turn."""
        for row in turn.rows:
            self.rows[row] = self.rows.get(row, 0) + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """Where the turns at one fulfillment ended."""

    situation: Situation
    ending: Ending


def ending_of(turn: Turn) -> Ending:
    """Return how a turn without anything more to do ended."""
    if turn.situation.parcel.frozen:
        return Ending.FROZEN
    if turn.must_read_again or turn.discarded:
        return Ending.READ_AGAIN
    if turn.wait_until is not None:
        return Ending.WAITING
    return Ending.IN_SYNC if turn.in_sync else Ending.NOTED
