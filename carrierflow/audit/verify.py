"""Replaying history: every hash, every link, every step under its own definition.

Pure: it reads rows from iterators, from the live database or from an export, and holds one
parcel at a time. What is right is seen by one comparison; words are found only for what is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any

from carrierflow.hashing import COLUMNS, canonical_row, digest, quoted
from carrierflow.model import START, FulfillmentRef, Machine
from carrierflow.parcel import GENESIS, Head


__all__ = [
    "MOST_PROBLEMS",
    "Chains",
    "Definition",
    "Findings",
    "HeadRow",
    "Problem",
    "Rules",
    "Stored",
    "Verification",
    "verify_parcels",
]

MOST_PROBLEMS = 100

Step = tuple[str, str, str]
Definition = tuple[str, str, frozenset[Step] | None]
"""The id of a definition, its canonical text, and its steps as they are stored, if they are."""

CHANGED = "its content does not hash to its hash: it was changed"
WIDTH = len(COLUMNS)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadRow:
    """What the mutable row of a fulfillment says about the ends of its chains."""

    parcel: int
    ref: FulfillmentRef
    delivery: Head
    cod: Head

    def head(self, machine: Machine) -> Head:
        """Return the head of one machine."""
        return self.delivery if machine is Machine.DELIVERY else self.cod


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that is not as the ledger wrote it."""

    where: str
    what: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What replaying the history showed."""

    rows: int
    fulfillments: int
    problems: tuple[Problem, ...]
    """In the order in which they were found; at most a hundred."""
    sealed: int = 0
    """Entries that have a place in the log."""
    checkpoints: int = 0
    """Checkpoints that were compared with the log, those kept elsewhere among them."""
    remarks: tuple[str, ...] = ()
    """What could not be verified, and what it would take."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


@dataclass(kw_only=True, slots=True)
class Findings:
    """What was found so far."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, where: str, what: str) -> None:
        """Take in something that is wrong; after a hundred it is enough."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(where=where, what=what))


class Rules:
    """What the definitions allow that entries refer to, each proven by its own id."""

    def __init__(self, definitions: Iterable[Definition], findings: Findings) -> None:
        self.steps: set[tuple[str, str, str, str]] = set()
        self.needs: dict[tuple[str, str], str] = {}
        self.known: set[str] = set()
        for name, canonical, stored in definitions:
            where = f"definition {name[:12]}"
            if digest(canonical) != name:
                findings.add(where, "its text does not hash to its id: it was replaced")
                continue
            steps = self._take_in(name, json.loads(canonical))
            if stored is not None and stored != steps:
                findings.add(where, "its stored steps are not those of its text")

    def _take_in(self, name: str, content: Any) -> frozenset[Step]:
        steps = frozenset(
            (machine, start, end)
            for machine, body in content["machines"].items()
            for start, end in body["edges"]
        )
        self.known.add(name)
        self.steps.update((name, *step) for step in steps)
        for coupling in content["couplings"]:
            self.needs[name, coupling["status"]] = coupling["needs"]
        return steps


class Chains:
    """The two chains of one parcel while they are replayed, entry after entry."""

    def __init__(
        self, rules: Rules, findings: Findings, name: str, *, partial: bool = False
    ) -> None:
        self.name = name
        self.ends: dict[str, tuple[int, str, str]] = {}
        """For each machine the last entry: its number, its status, its hash."""
        self._rules = rules
        self._findings = findings
        self._partial = partial
        self._reached: set[str] = set()
        self._needed: list[tuple[str, str, str]] = []

    def add(self, step: Sequence[Any], definition: str, links: Sequence[Any]) -> None:
        """Take in the next entry of a machine.

        `step` is its machine, number, beginning and end; `links` are the hash before it, its own
        hash, and what it amends with whom and why.
        """
        machine, seq, start, end = step
        before, own, amends = links[:3]
        last = self.ends.get(machine)
        if last is None:
            last = (seq - 1, start, before) if self._partial else (0, START, GENESIS)
        fits = (seq - 1, start, before) == last
        legal = amends is None and (definition, machine, start, end) in self._rules.steps
        if not (fits and legal):
            for what in self._wrong(step, definition, links, last):
                self._findings.add(f"{self.name} {machine}:{seq}", what)
        needs = self._rules.needs.get((definition, end))
        if needs is not None and amends is None:
            self._needed.append((f"{machine}:{seq}", end, needs))
        self.ends[machine] = (seq, end, own)
        self._reached.add(end)

    def finish(self) -> None:
        """Look at what the machines owe each other; a part of a history cannot be asked that."""
        if self._partial:
            return
        for entry, end, needs in self._needed:
            if needs not in self._reached:
                what = f"{end} needs {needs}, which was never recorded"
                self._findings.add(f"{self.name} {entry}", what)

    def _wrong(
        self,
        step: Sequence[Any],
        definition: str,
        links: Sequence[Any],
        last: tuple[int, str, str],
    ) -> Iterator[str]:
        machine, seq, start, end = step
        before, _, amends, actor, reason = links
        if before != last[2]:
            yield "it does not continue the hash of the entry before it: one of them was changed"
        if seq != last[0] + 1:
            yield f"an entry is missing before it (after {last[0]})"
        if start != last[1]:
            yield "it starts from another status than the entry before it ended in"
        if definition not in self._rules.known:
            yield "its definition is not there, or not proven"
        elif amends is None and (definition, machine, start, end) not in self._rules.steps:
            yield f"{start}→{end} is no step of its definition"
        if amends is not None and not (actor and reason):
            yield "it corrects without saying who and why"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """A history as it lies in a database, to be read once from one end to the other."""

    definitions: Mapping[int, str]
    """The ids of the definitions by their numbers."""
    heads: Iterable[HeadRow]
    """All fulfillments, in the order of their numbers."""
    rows: Iterable[Sequence[Any]]
    """All entries, in that order: the columns of a canonical text, then the fulfillment's and
    the definition's number, the hash, and the leaf that the log has for it."""
    reread: Callable[[HeadRow], HeadRow]
    """Reads one head again: the ledger goes on while its history is read."""


def verify_parcels(rules: Rules, stored: Stored, findings: Findings) -> tuple[int, int, int]:
    """Replay every parcel; return how many entries, fulfillments and places there are."""
    replay = _Replay(rules, stored, findings)
    heads, rows = stored.heads, stored.rows
    chains = groupby(rows, key=itemgetter(WIDTH))
    chain = next(chains, None)
    for head in heads:
        replay.parcels += 1
        while chain is not None and chain[0] < head.parcel:
            replay.orphans(chain)
            chain = next(chains, None)
        if chain is not None and chain[0] == head.parcel:
            replay.parcel(head, chain[1])
            chain = next(chains, None)
        else:
            findings.add(str(head.ref), "it has no history")
    while chain is not None:
        replay.orphans(chain)
        chain = next(chains, None)
    return replay.rows, replay.parcels, replay.sealed


class _Replay:
    """Goes through the rows of one parcel after the other."""

    def __init__(self, rules: Rules, stored: Stored, findings: Findings) -> None:
        self.rows = self.parcels = self.sealed = 0
        self._rules = rules
        self._names = stored.definitions
        self._reread = stored.reread
        self._findings = findings

    def parcel(self, head: HeadRow, rows: Iterable[Sequence[Any]]) -> None:
        ref, findings, names = head.ref, self._findings, self._names
        name = str(ref)
        texts = quoted(ref.shop), quoted(ref.order_id), quoted(ref.fulfillment_id)
        chains = Chains(self._rules, findings, name)
        count = sealed = 0
        for row in rows:
            count += 1
            number, own, leaf = row[WIDTH + 1 :]
            definition = names.get(number, "")
            written = canonical_row(texts, definition, row[:WIDTH]).encode()
            if sha256(written).hexdigest() != own:
                findings.add(f"{name} {row[0]}:{row[1]}", CHANGED)
            if leaf is not None:
                sealed += 1
                if sha256(b"\x00" + written).hexdigest() != leaf:
                    where = f"{name} {row[0]}:{row[1]}"
                    findings.add(where, "its content is not what was sealed: it was changed since")
            chains.add(row[:4], definition, (row[14], own, row[12], row[5], row[6]))
        self.rows += count
        self.sealed += sealed
        chains.finish()
        ends = chains.ends
        if any(end[0] > head.head(Machine(machine)).seq for machine, end in ends.items()):
            head = self._reread(head)
        for machine in Machine:
            self._compare_end(head, machine, ends.get(machine))

    def orphans(self, chain: tuple[Any, Iterator[Sequence[Any]]]) -> None:
        for row in chain[1]:
            self.rows += 1
            self.sealed += row[-1] is not None
            self._findings.add(f"fulfillment {chain[0]} {row[0]}", "it has history and no head")

    def _compare_end(
        self, row: HeadRow, machine: Machine, last: tuple[int, str, str] | None
    ) -> None:
        head = row.head(machine)
        where = f"{row.ref} {machine}"
        if last is None:
            self._findings.add(where, "its history is gone")
        elif head.seq > last[0]:
            what = f"entries after {last[0]} are gone; the head is at {head.seq}"
            self._findings.add(where, what)
        elif (head.seq, head.status, head.hash) != last:
            what = f"the head says {head.status}, the history {last[1]}"
            self._findings.add(where, what)
