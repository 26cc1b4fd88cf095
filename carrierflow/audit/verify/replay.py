"""Replaying history: every hash, every link, every step under its own definition.

Pure: it reads rows from iterators, from the live database or from an export, and holds one
parcel at a time. What is right is seen by one comparison; words are found only for what is not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from carrierflow.audit.verify.places import Places
from carrierflow.domain.canonical import COLUMNS, canonical_row, digest, quoted
from carrierflow.domain.fulfillment import GENESIS
from carrierflow.domain.model import START, FulfillmentRef, Machine


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
"""A machine, and the status that it goes from and to."""

DefinedStep = tuple[str, str, str, str]
"""A step, behind the id of its definition."""

End = tuple[int, str, str]
"""The last entry of a chain: its number, its status, its hash."""

Amendment = tuple[str | None, str | None]
"""Who amended, and why."""

Definition = tuple[str, str, frozenset[Step] | None]
"""The id of a definition, its canonical text, and its steps as they are stored, if they are."""

TRANSITION = "transition"
"""How the log calls a step."""

UNREADABLE = "a row holds what was never written by us, and cannot be read"
CHANGED = "its content does not hash to its hash: it was changed"
WIDTH = len(COLUMNS)
RECORDED = COLUMNS.index("recorded_at")


class HeadRow(NamedTuple):
    """What the mutable row of a fulfillment says about the ends of its chains."""

    parcel: int
    shop: str
    order_id: str
    fulfillment_id: str
    delivery: End
    cod: End

    def end(self, machine: str) -> End:
        """Return the end of the chain of one machine."""
        return self.delivery if machine == Machine.DELIVERY else self.cod

    @property
    def name(self) -> str:
        """What findings call the fulfillment."""
        return str(
            FulfillmentRef(
                shop=self.shop, order_id=self.order_id, fulfillment_id=self.fulfillment_id
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """Something that is not as the ledger wrote it."""

    where: str
    what: str
    elsewhere: bool = False
    """Whether it is what lies elsewhere that says so, or that is missing: an anchor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What replaying the history showed."""

    rows: int = 0
    """Steps of parcels."""
    fulfillments: int = 0
    problems: tuple[Problem, ...] = ()
    """In the order in which they were found; at most a hundred."""
    sealed: int = 0
    """Entries of all kinds that have a place in the log."""
    kinds: Mapping[str, int] = field(default_factory=dict)
    """How many entries there are of each kind, with a place or without."""
    checkpoints: int = 0
    """Checkpoints that were compared with the log, those kept elsewhere among them."""
    remarks: tuple[str, ...] = ()
    """What could not be verified, and what it would take."""
    part: str | None = None
    """What part of a log an export is, in words; None if it is all of it, or no export."""
    unauthenticated: bool = False
    """Whether an export was compared with itself alone: no signature was checked."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong, and somebody's key stands behind it."""
        return not self.problems and not self.unauthenticated

    @property
    def reason(self) -> str | None:
        """Why it is not in order, in a word: what lies elsewhere counts most."""
        if not self.problems:
            return "unauthenticated" if self.unauthenticated else None
        return "anchor" if any(each.elsewhere for each in self.problems) else "changed"


@dataclass(kw_only=True, slots=True)
class Findings:
    """What was found so far."""

    problems: list[Problem] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def unreadable(self) -> bool:
        """Tell whether something could not be read."""
        return any(each.what == UNREADABLE for each in self.problems)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Name what cannot be read: a SQLite file keeps any value in any column."""
        try:
            yield
        except (AttributeError, TypeError, ValueError):
            self.add(what, UNREADABLE)

    def add(self, where: str, what: str, *, elsewhere: bool = False) -> None:
        """Take in something that is wrong; after a hundred it is enough, but for anchors."""
        if len(self.problems) < MOST_PROBLEMS or elsewhere:
            self.problems.append(Problem(where=where, what=what, elsewhere=elsewhere))

    def take_over(self, problems: Iterable[Problem]) -> None:
        """Take in what was found by others, behind what was found here."""
        for each in problems:
            self.add(each.where, each.what, elsewhere=each.elsewhere)


class Rules:
    """What the definitions allow that entries refer to, each proven by its own id."""

    def __init__(self, definitions: Iterable[Definition], findings: Findings) -> None:
        self.known: set[str] = set()
        self.steps: dict[DefinedStep, str] = {}
        """Each legal step, with the status that must be recorded too; empty where none must."""
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
        needs = {coupling["status"]: coupling["needs"] for coupling in content["couplings"]}
        self.known.add(name)
        self.steps.update(((name, *step), needs.get(step[-1], "")) for step in steps)
        return steps


class Chains:
    """The two chains of one parcel while they are replayed, entry after entry."""

    def __init__(
        self, rules: Rules, findings: Findings, name: str, *, partial: bool = False
    ) -> None:
        self.name = name
        self.ends: dict[str, End] = {}
        """The last entry of each machine."""
        self._known, self._steps = rules.known, rules.steps
        self._findings = findings
        self._partial = partial
        self._reached: set[str] = set()
        self._needed: list[tuple[str, str, str]] = []

    def add(
        self,
        machine: str,
        seq: int,
        start: str,
        end: str,
        definition: str,
        before: str,
        own: str,
        amends: Amendment | None,
    ) -> None:
        """Take in the next entry of a machine, with the hash before it and its own.

        An entry that amends may take any step, and needs nothing that came before.
        """
        last = self.ends.get(machine)
        if last is None:
            last = (seq - 1, start, before) if self._partial else (0, START, GENESIS)
        needs = self._steps.get((definition, machine, start, end))
        if needs is None or amends is not None or (seq - 1, start, before) != last:
            step = definition, machine, start, end
            for what in self._wrong(step, seq, before, last, amends):
                self._findings.add(f"{self.name} {machine}:{seq}", what)
        if needs and amends is None:
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
        self, step: DefinedStep, seq: int, before: str, last: End, amends: Amendment | None
    ) -> Iterator[str]:
        definition, _, start, end = step
        if before != last[2]:
            yield "it does not continue the hash of the entry before it: one of them was changed"
        if seq != last[0] + 1:
            yield f"an entry is missing before it (after {last[0]})"
        if start != last[1]:
            yield "it starts from another status than the entry before it ended in"
        if definition not in self._known:
            yield "its definition is not there, or not proven"
        elif amends is None and step not in self._steps:
            yield f"{start}→{end} is no step of its definition"
        if amends is not None and not all(amends):
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
    the definition's number, the hash, and the place that the log has for it."""
    places: Places
    """Where it is written down what stands at which place."""
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
            findings.add(head.name, "it has no history")
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
        self._put, self._wait = stored.places.put, stored.places.wait
        self._reread = stored.reread
        self._findings = findings

    def parcel(self, head: HeadRow, rows: Iterable[Sequence[Any]]) -> None:
        findings, names, name = self._findings, self._names, head.name
        put, wait = self._put, self._wait
        ref = quoted(head.shop), quoted(head.order_id), quoted(head.fulfillment_id)
        chains = Chains(self._rules, findings, name)
        count = sealed = 0
        for row in rows:
            count += 1
            # fmt: off
            (machine, seq, start, end, _, actor, reason, _, _, recorded, _, _, amends, _, before,
             _, number, own, position) = row
            # fmt: on
            definition = names.get(number, "")
            written = canonical_row(ref, definition, row).encode()
            if sha256(written).hexdigest() != own:
                findings.add(f"{name} {machine}:{seq}", CHANGED)
            if position is None:
                wait(TRANSITION, recorded)
            else:
                sealed += 1
                put(position, written, recorded)
            amendment = None if amends is None else (actor, reason)
            chains.add(machine, seq, start, end, definition, before, own, amendment)
        self.rows += count
        self.sealed += sealed
        chains.finish()
        ends = chains.ends
        if any(last[0] > head.end(machine)[0] for machine, last in ends.items()):
            head = self._reread(head)
        for machine in Machine:
            self._compare_end(f"{name} {machine}", head.end(machine), ends.get(machine))

    def orphans(self, chain: tuple[Any, Iterator[Sequence[Any]]]) -> None:
        for row in chain[1]:
            self.rows += 1
            if row[-1] is not None:
                self.sealed += 1
                self._put(row[-1], b"", row[RECORDED])
            self._findings.add(f"fulfillment {chain[0]} {row[0]}", "it has history and no head")

    def _compare_end(self, where: str, head: End, last: End | None) -> None:
        if last is None:
            self._findings.add(where, "its history is gone")
        elif head[0] > last[0]:
            what = f"entries after {last[0]} are gone; the head is at {head[0]}"
            self._findings.add(where, what)
        elif head != last:
            what = f"the head says {head[1]}, the history {last[1]}"
            self._findings.add(where, what)
