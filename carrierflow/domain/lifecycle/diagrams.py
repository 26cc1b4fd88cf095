"""The lifecycle for people and for other programs: Mermaid, Graphviz, table rows, JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carrierflow.domain.lifecycle.definition import DEFAULT, GROUPS
from carrierflow.domain.lifecycle.labels import LABELS, MACHINE_LABELS, label_of
from carrierflow.domain.model import START, Machine, Status


if TYPE_CHECKING:
    from carrierflow.domain.lifecycle.definition import (
        Coupling,
        Definition,
        Edge,
        MachineDefinition,
    )
    from carrierflow.domain.lifecycle.labels import Label

__all__ = ["TransitionRow", "as_dot", "as_json", "as_mermaid", "as_rows"]

PLACES = (START, *Status)
"""The order in which everything is shown: the lifecycle's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransitionRow:
    """One step, as a line of a table."""

    machine: Machine
    from_status: str
    to_status: Status
    group: str
    """The optional group that the step belongs to, `default`, or `custom` if it is in neither."""
    from_label: Label
    to_label: Label


def as_rows(definition: Definition) -> tuple[TransitionRow, ...]:
    """Return every step of both machines, each once, in the lifecycle's order."""
    return tuple(row for machine in definition.machines for row in _rows(machine))


def as_json(definition: Definition) -> dict[str, object]:
    """Return the whole definition as plain dictionaries, lists and text."""
    return {
        "id": definition.id,
        "machines": {str(m.machine): _machine_as_json(m) for m in definition.machines},
        "couplings": [
            {"status": str(c.status), "needs": str(c.needs), "follows": c.follows}
            for c in sorted(definition.couplings)
        ],
    }


def as_mermaid(definition: Definition) -> str:
    """Draw both machines as one Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    %% definition {definition.id}"]
    for machine in definition.machines:
        lines.append(f'    state "{MACHINE_LABELS[machine.machine].en}" as {machine.machine} {{')
        lines += [f"        {line}" for line in _mermaid_machine(machine)]
        lines += [
            f"        note right of {coupling.status} : {_condition(coupling)}"
            for coupling in _between_machines(definition)
            if coupling.status.machine is machine.machine
        ]
        lines.append("    }")
    return "\n".join(lines) + "\n"


def as_dot(definition: Definition) -> str:
    """Draw both machines as one Graphviz graph; a dashed arrow is a coupling, not a step."""
    lines = [
        "digraph lifecycle {",
        f"    // definition {definition.id}",
        "    rankdir=LR;",
        "    node [shape=box, style=rounded];",
    ]
    for machine in definition.machines:
        lines.append(f'    subgraph "cluster_{machine.machine}" {{')
        lines += [f"        {line}" for line in _dot_machine(machine)]
        lines.append("    }")
    lines += [f"    {_dot_coupling(coupling)}" for coupling in _between_machines(definition)]
    lines.append("}")
    return "\n".join(lines) + "\n"


def _rows(machine: MachineDefinition) -> list[TransitionRow]:
    ordered = sorted(
        machine.edges, key=lambda e: (PLACES.index(e.from_status), PLACES.index(e.to_status))
    )
    return [
        TransitionRow(
            machine=machine.machine,
            from_status=str(edge.from_status),
            to_status=edge.to_status,
            group=_group(machine.machine, edge),
            from_label=label_of(edge.from_status),
            to_label=LABELS[edge.to_status],
        )
        for edge in ordered
    ]


def _group(machine: Machine, edge: Edge) -> str:
    if edge in DEFAULT.machine(machine).edges:
        return "default"
    return next((name for name, edges in GROUPS.items() if edge in edges), "custom")


def _between_machines(definition: Definition) -> list[Coupling]:
    """Return the couplings that no arrow shows: a step needs its predecessor in any case."""
    return [c for c in sorted(definition.couplings) if c.needs.machine is not c.status.machine]


def _condition(coupling: Coupling) -> str:
    return f"needs {coupling.needs}" + (" and is recorded with it" if coupling.follows else "")


def _machine_as_json(machine: MachineDefinition) -> dict[str, object]:
    return {
        "label": _label_as_json(MACHINE_LABELS[machine.machine]),
        "statuses": [
            {"status": str(status), "label": _label_as_json(LABELS[status])}
            for status in Status
            if status in machine.statuses or status in machine.never_written
        ],
        "edges": [
            {"from": row.from_status, "to": str(row.to_status), "group": row.group}
            for row in _rows(machine)
        ],
        "final": [str(status) for status in Status if status in machine.final],
        "never_written": [str(status) for status in Status if status in machine.never_written],
    }


def _label_as_json(label: Label) -> dict[str, str]:
    return {"en": label.en, "vi": label.vi}


def _mermaid_machine(machine: MachineDefinition) -> list[str]:
    lines = [f'state "{LABELS[status].en} ({status})" as {status}' for status in machine.statuses]
    for row in _rows(machine):
        source = "[*]" if row.from_status == START else row.from_status
        note = "" if row.group == "default" else f" : {row.group}"
        lines.append(f"{source} --> {row.to_status}{note}")
    return lines + [f"{status} --> [*]" for status in machine.statuses if status in machine.final]


def _dot_machine(machine: MachineDefinition) -> list[str]:
    start = f"start_{machine.machine}"
    name = MACHINE_LABELS[machine.machine].en
    lines = [f'label="{name}";', f'"{start}" [shape=point, label=""];']
    for status in machine.statuses:
        rim = ", peripheries=2" if status in machine.final else ""
        lines.append(f'"{status}" [label="{LABELS[status].en}\\n{status}"{rim}];')
    for row in _rows(machine):
        source = start if row.from_status == START else row.from_status
        note = "" if row.group == "default" else f' [label="{row.group}"]'
        lines.append(f'"{source}" -> "{row.to_status}"{note};')
    return lines


def _dot_coupling(coupling: Coupling) -> str:
    look = f'style=dashed, constraint=false, label="{_condition(coupling)}"'
    return f'"{coupling.needs}" -> "{coupling.status}" [{look}];'
