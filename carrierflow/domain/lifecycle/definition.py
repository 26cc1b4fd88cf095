"""The lifecycle as frozen, validated data with an id made from its content."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from carrierflow.domain.model import START, Machine, Status
from carrierflow.domain.typecheck import guarded
from carrierflow.errors import DefinitionError


__all__ = [
    "DEFAULT",
    "DELIVERY_FINAL",
    "GROUPS",
    "Coupling",
    "Definition",
    "Edge",
    "MachineDefinition",
    "define",
]

VERSION = 1
"""The form of the canonical text that the id is made of."""


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One legal step."""

    from_status: str
    to_status: Status

    def __str__(self) -> str:
        return f"{self.from_status}→{self.to_status}"


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Coupling:
    """A step of one machine that waits for the other machine, and may follow it by itself."""

    status: Status
    """The cash status that has a condition."""
    needs: Status
    """What the other machine must have reached, or this one's own previous status."""
    follows: bool = False
    """Recorded by rule in the same transaction in which `needs` is."""


@dataclass(frozen=True, kw_only=True)
class MachineDefinition:
    """The statuses, steps and ends of one machine."""

    machine: Machine
    edges: frozenset[Edge]
    final: frozenset[Status]
    never_written: frozenset[Status] = frozenset()
    """Readable on a platform, never recorded by us."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise DefinitionError(f"The {self.machine} machine cannot be used: {problem}.")

    @cached_property
    def statuses(self) -> tuple[Status, ...]:
        """Every status of this machine that a step leads to, in the lifecycle's order."""
        reached = {edge.to_status for edge in self.edges}
        return tuple(status for status in Status if status in reached)

    def _problems(self) -> Iterator[str]:
        for edge in sorted(self.edges):
            yield from self._edge_problems(edge)
        left = {edge.from_status for edge in self.edges}
        if START not in left:
            yield "no step leaves the start"
        for status in self.statuses:
            if status not in left and status not in self.final:
                yield f"{status} is a dead end that is not called final"
        for status in sorted(self.final - set(self.statuses)):
            yield f"{status} is called final and never reached"
        for place in sorted((left | set(self.statuses)) - self._reachable()):
            yield f"{place} cannot be reached from the start"
        for place in sorted(left - self._ending()):
            yield f"no road leads from {place} to a final status"
        for status in sorted(self.never_written - _statuses_of(self.machine)):
            yield f"{status} is called never written and is none of its statuses"

    def _edge_problems(self, edge: Edge) -> Iterator[str]:
        ends = [end for end in (edge.from_status, edge.to_status) if end != START]
        foreign = [end for end in ends if end not in set(Status)]
        if foreign:
            yield f"{foreign[0]!r} in {edge} is not a status"
        elif any(Status(end).machine is not self.machine for end in ends):
            yield f"{edge} joins it to the other machine"
        if edge.to_status == START:
            yield f"{edge} leads back to the start"
        if edge.from_status == edge.to_status:
            yield f"{edge} leads nowhere"
        if edge.from_status in self.final:
            yield f"{edge} leaves a final status"
        if edge.to_status in self.never_written:
            yield f"{edge} leads to a status that is never written"

    def _reachable(self) -> set[str]:
        found: set[str] = {START}
        while True:
            step = {str(e.to_status) for e in self.edges if e.from_status in found} - found
            if not step:
                return found
            found |= step

    def _ending(self) -> set[str]:
        found: set[str] = set(self.final)
        while True:
            step = {e.from_status for e in self.edges if e.to_status in found} - found
            if not step:
                return found
            found |= step


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Both machines and what couples them; equal content has an equal id."""

    delivery: MachineDefinition
    cod: MachineDefinition
    couplings: tuple[Coupling, ...]

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise DefinitionError(f"The lifecycle cannot be used: {problem}.")

    def machine(self, machine: Machine) -> MachineDefinition:
        """Return the definition of one of the two machines."""
        return self.delivery if machine is Machine.DELIVERY else self.cod

    @cached_property
    def machines(self) -> tuple[MachineDefinition, MachineDefinition]:
        """Both machines, delivery first."""
        return self.delivery, self.cod

    @cached_property
    def canonical(self) -> str:
        """The text that the id is the SHA-256 of; RFC 8785 gives the same bytes."""
        content = {
            "couplings": [
                {"follows": c.follows, "needs": c.needs, "status": c.status}
                for c in sorted(self.couplings)
            ],
            "machines": {m.machine: _canonical_machine(m) for m in self.machines},
            "version": str(VERSION),
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @cached_property
    def id(self) -> str:
        """Hex SHA-256 of the canonical text; stands on every history entry."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def _problems(self) -> Iterator[str]:
        for machine, found in zip(Machine, self.machines, strict=True):
            if found.machine is not machine:
                yield f"the {found.machine} machine stands in the place of the {machine} machine"
        for coupling in self.couplings:
            yield from self._coupling_problems(coupling)
        for status in _twice(c.status for c in self.couplings):
            yield f"{status} is coupled twice"
        for status in _twice(c.needs for c in self.couplings if c.follows):
            yield f"two statuses follow {status}"

    def _coupling_problems(self, coupling: Coupling) -> Iterator[str]:
        status, needs = coupling.status, coupling.needs
        if status not in self.cod.statuses:
            yield f"{status} is coupled, and the cod machine never reaches it"
        if needs in self.cod.statuses and Edge(needs, status) not in self.cod.edges:
            yield f"{status} needs {needs}, which is not a step before it"
        if needs not in self.cod.statuses + self.delivery.statuses:
            yield f"{status} needs {needs}, which is never reached"


def _statuses_of(machine: Machine) -> frozenset[Status]:
    return frozenset(status for status in Status if status.machine is machine)


def _twice(statuses: Iterable[Status]) -> list[Status]:
    return sorted(status for status, times in Counter(statuses).items() if times > 1)


def _canonical_machine(machine: MachineDefinition) -> dict[str, object]:
    return {
        "edges": [[edge.from_status, edge.to_status] for edge in sorted(machine.edges)],
        "final": sorted(machine.final),
        "never_written": sorted(machine.never_written),
    }


def _edges(*steps: tuple[str, str]) -> frozenset[Edge]:
    if len(set(steps)) != len(steps):
        raise DefinitionError("A step is written twice.")
    return frozenset(Edge(a, Status(b)) for a, b in steps)


DELIVERY_EDGES = _edges(
    (START, "pending"),
    (START, "readytopick"),
    ("pending", "readytopick"),
    ("readytopick", "picking"),
    ("picking", "delivering"),
    ("delivering", "delivered"),
    ("delivering", "notmeetcustomer"),
    ("notmeetcustomer", "delivering"),
    ("notmeetcustomer", "waitingforreturn"),
    ("waitingforreturn", "return"),
    ("pending", "cancel"),
    ("readytopick", "cancel"),
    ("picking", "cancel"),
)

COD_EDGES = _edges(
    (START, "none"),
    (START, "codpending"),
    ("codpending", "codpaid"),
    ("codpaid", "codreceipt"),
)

GROUPS = {
    "refused": _edges(("delivering", "waitingforreturn")),
    "redeliver": _edges(("waitingforreturn", "delivering")),
    "return_after_delivery": _edges(("delivered", "waitingforreturn")),
    "late_cancel": _edges(("delivering", "cancel"), ("notmeetcustomer", "cancel")),
}
"""Steps that a carrier switches on by policy; each group by its name."""

DELIVERY_FINAL = frozenset({Status.DELIVERED, Status.RETURN, Status.CANCEL})
"""Where a delivery ends, unless a carrier switches steps on that lead on from there."""


@guarded
def define(groups: Collection[str] = (), *, paid_on_delivery: bool = True) -> Definition:
    """Build a lifecycle from the default one and some named groups of further steps.

    With `paid_on_delivery`, recording `delivered` on a fulfillment that is `codpending` also
    records `codpaid`; so do platforms on their side. A carrier that counts its cash
    separately switches it off.

    Raises:
        DefinitionError: if a group is unknown or the result contradicts itself.
    """
    chosen = sorted(set(groups))
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        raise DefinitionError(
            f"There is no group of steps {unknown[0]!r}; the groups are {', '.join(GROUPS)}."
        )
    edges = DELIVERY_EDGES.union(*(GROUPS[name] for name in chosen))
    left = {edge.from_status for edge in edges}
    return Definition(
        delivery=MachineDefinition(
            machine=Machine.DELIVERY,
            edges=edges,
            final=frozenset(status for status in DELIVERY_FINAL if status not in left),
        ),
        cod=MachineDefinition(
            machine=Machine.COD,
            edges=COD_EDGES,
            final=frozenset({Status.NONE, Status.CODRECEIPT}),
            never_written=frozenset({Status.CODNOTRECEIPT}),
        ),
        couplings=(
            Coupling(status=Status.CODPAID, needs=Status.DELIVERED, follows=paid_on_delivery),
            Coupling(status=Status.CODRECEIPT, needs=Status.CODPAID),
        ),
    )


DEFAULT = define()
"""The lifecycle of a carrier that switched nothing on."""
