"""The lifecycle as state machines of the `transitions` library; only this module knows it.

It gives the answers of the compiled table (`table.py`) by really taking the step, at more than
fifty times the price. The tests hold the two against each other in every cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import transitions

from carrierflow.domain.model import START, Machine, Status


if TYPE_CHECKING:
    from carrierflow.domain.lifecycle.definition import Definition, MachineDefinition

__all__ = ["LifecycleMachine"]


@dataclass(slots=True)
class _Cursor:
    """Stands on one status for the length of one question, and is thrown away."""

    state: str


class _QuietState(transitions.State):
    """A state that can be entered and left without anything happening.

    The library calls back here, and writes a line to the log at level INFO for it each time.
    A step has no side effects, so there is nothing to call and nothing to say.
    """

    def enter(self, event_data: transitions.EventData) -> None:
        """Do nothing."""

    def exit(self, event_data: transitions.EventData) -> None:
        """Do nothing."""


class LifecycleMachine:
    """Answers whether a step is legal by taking it, on two machines without models.

    The machines are built once and never written to afterwards, so one object may serve any
    number of threads and parcels. An event bears the name of the status that it leads to.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self._machines = {m.machine: _build(m) for m in definition.machines}

    @property
    def id(self) -> str:
        """The id of the definition."""
        return self.definition.id

    def allows(self, machine: Machine, from_status: str, to_status: str) -> bool:
        """Tell whether one step leads from the one status to the other."""
        built = self._machines[machine]
        event = built.events.get(to_status)
        if event is None or from_status not in built.states:
            return False
        cursor = _Cursor(str(from_status))
        try:
            event.trigger(cursor)
        except transitions.MachineError as refusal:
            # Its traceback leads back to itself, through the library's frames: without this,
            # every refusal and its cursor would stay until the next garbage collection.
            refusal.__traceback__ = None
            return False
        return cursor.state == to_status

    def allowed(self, machine: Machine, from_status: str) -> tuple[Status, ...]:
        """Return the statuses that one step leads to, in the lifecycle's order."""
        names = self._machines[machine].get_triggers(str(from_status))
        return tuple(Status(name) for name in names)


def _build(definition: MachineDefinition) -> transitions.Machine:
    return transitions.Machine(
        model=None,
        states=[_QuietState(place) for place in (START, *map(str, definition.statuses))],
        initial=START,
        transitions=[
            {"trigger": str(status), "source": str(edge.from_status), "dest": str(status)}
            for status in definition.statuses
            for edge in sorted(definition.edges)
            if edge.to_status == status
        ],
        auto_transitions=False,
    )
