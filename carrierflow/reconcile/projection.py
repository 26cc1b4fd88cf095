"""What a platform shows of a recorded status, and which writes lead it on: tables, no I/O.

The ledger knows more than a platform can show, and a platform cannot be told everything. So what
it shows is compared with what it *would* show, and a step is told by the writes that lead there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.model import Status
from carrierflow.domain.publication import PlatformWrite


__all__ = ["Leader", "Projection"]


class Leader(StrEnum):
    """Whose word moves the other side."""

    CARRIER = "carrier"
    PLATFORM = "platform"


@dataclass(frozen=True, kw_only=True, slots=True)
class Projection:
    """What one platform can show of a parcel, and what it can be told.

    A platform's states bear the names of ours: each is called by one of the statuses that look
    like it, and `looks_as` says so of the others.
    """

    writes: tuple[PlatformWrite, ...]
    looks_as: Mapping[Status, Status] = field(default_factory=dict)
    leader: Leader = Leader.CARRIER

    def __post_init__(self) -> None:
        if any(self.shows(shown) is not shown for shown in self.looks_as.values()):
            raise ValueError("A status looks as one that itself looks as another.")

    def shows(self, status: Status) -> Status:
        """Return the platform's state for a recorded status; several may look alike."""
        return self.looks_as.get(status, status)

    def looking_as(self, shown: Status) -> list[Status]:
        """Return the statuses for which the platform shows this one."""
        return [status for status in (shown, *self.looks_as) if self.shows(status) is shown]

    def shows_of(self, parcel: Fulfillment) -> tuple[Status, Status]:
        """Return the platform's states of delivery and cash where it shows the ledger's word."""
        return self.shows(Status(parcel.delivery.status)), self.shows(Status(parcel.cod.status))

    def agrees(self, parcel: Fulfillment) -> bool:
        """Tell whether the platform, when last seen, showed the ledger's word as far as it can."""
        return parcel.remote is not None and parcel.remote.statuses == self.shows_of(parcel)

    def plan(self, shown: Status | None, step: Status) -> tuple[PlatformWrite, ...]:
        """Return the fewest writes that lead from what is shown to a step; empty if none do.

        There is no plan from a state to itself, unless a write can be made in any state.
        """
        target = self.shows(step)
        plans: list[tuple[PlatformWrite, ...]] = [()]
        passed: set[Status] = set()
        for plan in plans:
            at = plan[-1].to if plan else shown
            for write in self.writes:
                if write.to not in passed and write.may_follow(at):
                    if write.to is target:
                        return (*plan, write)
                    if write.after is not None:
                        passed.add(write.to)
                        plans.append((*plan, write))
        return ()

    def is_told(self, step: Status) -> bool:
        """Tell whether any write leads to what the platform shows for a step."""
        return any(write.to is self.shows(step) for write in self.writes)
