"""The compiled lifecycle: plain dictionary look-ups, for work on many parcels at once."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

from carrierflow.domain.lifecycle.definition import Edge
from carrierflow.domain.model import START, Machine, Status


if TYPE_CHECKING:
    from carrierflow.domain.lifecycle.definition import Definition

__all__ = ["Lifecycle"]


class Lifecycle:
    """Answers every question about legality of one definition, in constant time."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._next = {m.machine: _successors(definition, m.machine) for m in definition.machines}

    @property
    def id(self) -> str:
        """The id of the definition."""
        return self.definition.id

    def allows(self, machine: Machine, from_status: str, to_status: str) -> bool:
        """Tell whether one step leads from the one status to the other."""
        return to_status in self._next[machine].get(from_status, ())

    def allowed(self, machine: Machine, from_status: str) -> tuple[Status, ...]:
        """Return the statuses that one step leads to, in the lifecycle's order."""
        return self._next[machine].get(from_status, ())

    def is_final(self, status: Status) -> bool:
        """Tell whether no step leads on from a status."""
        return status in self.definition.machine(status.machine).final

    def never_written(self, status: Status) -> bool:
        """Tell whether a status is one that we read but never record."""
        return status in self.definition.machine(status.machine).never_written

    def road(self, from_status: str, to_status: Status) -> tuple[Status, ...]:
        """Return the shortest legal steps to a status, itself included; empty if there are none.

        A road from a status to itself goes round: it has at least two steps. Of two roads of
        one length one that does not pass `delivered` is taken, for a delivery brings cash with
        it; else the one earlier in the lifecycle's order, so that the answer is always the same.
        """
        return self._roads.get((from_status, to_status), ())

    def reaches(self, from_status: str, to_status: Status) -> bool:
        """Tell whether a status can follow another at all, after one or more steps."""
        return (from_status, to_status) in self._roads

    def needs(self, status: Status) -> Status | None:
        """Return the status that the other machine must stand on or have passed."""
        return self._needs.get(status)

    def follower(self, status: Status) -> Status | None:
        """Return the cash status that recording this one brings with it."""
        return self._followers.get(status)

    @cached_property
    def _needs(self) -> dict[Status, Status]:
        return {
            c.status: c.needs
            for c in self.definition.couplings
            if c.needs.machine is not c.status.machine
        }

    @cached_property
    def _followers(self) -> dict[Status, Status]:
        return {c.needs: c.status for c in self.definition.couplings if c.follows}

    @cached_property
    def _roads(self) -> dict[tuple[str, Status], tuple[Status, ...]]:
        roads: dict[tuple[str, Status], tuple[Status, ...]] = {}
        for machine, steps in self._next.items():
            for start in steps:
                for road in self._roads_from(machine, start):
                    roads[start, road[-1]] = road
        return roads

    def _roads_from(self, machine: Machine, start: str) -> list[tuple[Status, ...]]:
        found: dict[Status, tuple[Status, ...]] = {}
        waiting: deque[tuple[str, tuple[Status, ...]]] = deque([(start, ())])
        while waiting:
            place, road = waiting.popleft()
            for status in sorted(self.allowed(machine, place), key=Status.DELIVERED.__eq__):
                if status not in found:
                    found[status] = (*road, status)
                    waiting.append((status, found[status]))
        return list(found.values())


def _successors(definition: Definition, machine: Machine) -> dict[str, tuple[Status, ...]]:
    edges = definition.machine(machine).edges
    return {
        place: tuple(status for status in Status if Edge(place, status) in edges)
        for place in (START, *Status)
    }
