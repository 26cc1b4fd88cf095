"""Holds everything that says what may follow what against each other, cell by cell.

An opinion is a function of machine, from and to that says yes or no. `disagreements` asks the
definition, the machine of `transitions` and the compiled table, and whatever else it is given:
the rows of a database become an opinion by `by_rows`.
"""

from __future__ import annotations

from itertools import chain, combinations, product
from typing import TYPE_CHECKING

from carrierflow.domain.lifecycle import (
    GROUPS,
    Definition,
    Edge,
    Lifecycle,
    LifecycleMachine,
    define,
)
from carrierflow.domain.model import START, Machine, Status


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Opinion = Callable[[Machine, str, str], bool]

PLACES = (START, *Status)
CELLS = tuple(product(Machine, PLACES, PLACES))


def every_definition() -> Iterator[Definition]:
    """Build the default and every other subset of groups, with and without its coupling."""
    subsets = chain.from_iterable(combinations(GROUPS, size) for size in range(len(GROUPS) + 1))
    for groups, paid in product(subsets, (True, False)):
        yield define(groups, paid_on_delivery=paid)


def by_rows(rows: Iterable[tuple[str, str, str]]) -> Opinion:
    """Make an opinion of `(machine, from, to)` rows: what stands there is legal, nothing else."""
    known = {(str(machine), str(a), str(b)) for machine, a, b in rows}
    return lambda machine, a, b: (str(machine), str(a), str(b)) in known


def disagreements(definition: Definition, **further: Opinion) -> list[str]:
    """Walk every cell of both machines and describe each on which not all opinions are one."""
    machine, table = LifecycleMachine(definition), Lifecycle(definition)
    opinions: dict[str, Opinion] = {
        "definition": lambda m, a, b: Edge(a, b) in definition.machine(m).edges,
        "machine": machine.allows,
        "machine's list": lambda m, a, b: b in machine.allowed(m, a),
        "table": table.allows,
        "table's list": lambda m, a, b: b in table.allowed(m, a),
        **further,
    }
    found = []
    for cell in CELLS:
        answers = {name: bool(opinion(*cell)) for name, opinion in opinions.items()}
        if len(set(answers.values())) > 1:
            found.append(f"{cell[0]}: {cell[1]}→{cell[2]}: {answers}")
    return found
