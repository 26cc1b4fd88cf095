"""What may follow what: the definition as data, and everything that is derived from it."""

from carrierflow.domain.lifecycle.definition import (
    DEFAULT,
    GROUPS,
    Coupling,
    Definition,
    Edge,
    MachineDefinition,
    define,
)
from carrierflow.domain.lifecycle.diagrams import (
    TransitionRow,
    as_dot,
    as_json,
    as_mermaid,
    as_rows,
)
from carrierflow.domain.lifecycle.labels import LABELS, MACHINE_LABELS, START_LABEL, Label, label_of
from carrierflow.domain.lifecycle.machine import LifecycleMachine
from carrierflow.domain.lifecycle.table import Lifecycle


__all__ = [
    "DEFAULT",
    "GROUPS",
    "LABELS",
    "MACHINE_LABELS",
    "START_LABEL",
    "Coupling",
    "Definition",
    "Edge",
    "Label",
    "Lifecycle",
    "LifecycleMachine",
    "MachineDefinition",
    "TransitionRow",
    "as_dot",
    "as_json",
    "as_mermaid",
    "as_rows",
    "define",
    "label_of",
]
