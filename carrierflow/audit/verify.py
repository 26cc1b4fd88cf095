"""Replaying history: every hash, every link, every step under its own definition.

Pure: it reads rows from iterators, from the live database or from anywhere else, and holds one
chain at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from carrierflow.hashing import digest, entry_hash
from carrierflow.model import START, FulfillmentRef, HistoryEntry, Machine
from carrierflow.parcel import GENESIS, Head


__all__ = ["HeadRow", "Problem", "StoredEntry", "Verification", "verify"]

MOST_PROBLEMS = 100

Step = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredEntry:
    """An entry as it lies in the database, with the fulfillment that it belongs to."""

    parcel: int
    ref: FulfillmentRef
    entry: HistoryEntry
    prev_seq: int | None


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
    """In the order in which they stand; at most a hundred."""

    @property
    def ok(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.problems


def verify(
    definitions: Iterable[tuple[str, str, frozenset[Step]]],
    heads: Iterable[HeadRow],
    entries: Iterable[StoredEntry],
) -> Verification:
    """Replay everything; `heads` and `entries` come in the order of the fulfillments."""
    replay = _Replay()
    replay.read_definitions(definitions)
    replay.read_parcels(heads, entries)
    return Verification(
        rows=replay.rows, fulfillments=replay.parcels, problems=tuple(replay.problems)
    )


class _Replay:
    """Counts, and what was found so far."""

    def __init__(self) -> None:
        self.rows = 0
        self.parcels = 0
        self.problems: list[Problem] = []
        self._legal: dict[str, frozenset[Step]] = {}
        self._needs: dict[str, dict[str, str]] = {}

    def read_definitions(self, definitions: Iterable[tuple[str, str, frozenset[Step]]]) -> None:
        """Take the definitions in, each proven by its id."""
        for name, canonical, stored in definitions:
            where = f"definition {name[:12]}"
            if digest(canonical) != name:
                self._found(where, "its text does not hash to its id")
                continue
            content = json.loads(canonical)
            steps = frozenset(
                (machine, start, end)
                for machine, body in content["machines"].items()
                for start, end in body["edges"]
            )
            if stored != steps:
                self._found(where, "its stored steps are not those of its text")
            self._legal[name] = steps
            self._needs[name] = {c["status"]: c["needs"] for c in content["couplings"]}

    def read_parcels(self, heads: Iterable[HeadRow], entries: Iterable[StoredEntry]) -> None:
        """Go through fulfillments and their chains side by side."""
        chains = groupby(entries, key=lambda stored: stored.parcel)
        chain = next(chains, None)
        for head in heads:
            self.parcels += 1
            while chain is not None and chain[0] < head.parcel:
                self._orphans(chain[1])
                chain = next(chains, None)
            if chain is not None and chain[0] == head.parcel:
                self._read_parcel(head, chain[1])
                chain = next(chains, None)
            else:
                self._found(str(head.ref), "it has no history")
        while chain is not None:
            self._orphans(chain[1])
            chain = next(chains, None)

    def _read_parcel(self, head: HeadRow, entries: Iterator[StoredEntry]) -> None:
        ends: dict[Machine, HistoryEntry] = {}
        reached: set[str] = set()
        for stored in entries:
            self.rows += 1
            entry = stored.entry
            last = ends.get(entry.machine)
            for what in self._entry_problems(stored, last, reached):
                self._found(f"{stored.ref} {entry.machine}:{entry.seq}", what)
            ends[entry.machine] = entry
            reached.add(entry.to_status)
        for machine in Machine:
            self._compare_end(head, machine, ends.get(machine))

    def _entry_problems(
        self, stored: StoredEntry, last: HistoryEntry | None, reached: set[str]
    ) -> Iterator[str]:
        entry = stored.entry
        if entry_hash(stored.ref, entry) != entry.hash:
            yield "its content does not hash to its hash: it was changed"
        if entry.prev_hash != (last.hash if last else GENESIS):
            yield "it does not continue the hash of the entry before it"
        if entry.seq != (last.seq + 1 if last else 1):
            yield f"an entry is missing before it (after {last.seq if last else 0})"
        if entry.from_status != (last.to_status if last else START):
            yield "it starts from another status than the entry before it ended in"
        legal = self._legal.get(entry.definition)
        if legal is None:
            yield "its definition is not in the database, or not proven"
            return
        if (
            entry.amends is None
            and (entry.machine, entry.from_status, entry.to_status) not in legal
        ):
            yield f"{entry.from_status}→{entry.to_status} is no step of its definition"
        if entry.amends is not None and not (entry.actor and entry.reason):
            yield "it corrects without saying who and why"
        needs = self._needs[entry.definition].get(entry.to_status)
        if entry.amends is None and needs is not None and needs not in reached:
            yield f"{entry.to_status} needs {needs}, which was never recorded"

    def _compare_end(self, row: HeadRow, machine: Machine, last: HistoryEntry | None) -> None:
        head = row.head(machine)
        where = f"{row.ref} {machine}"
        if last is None:
            self._found(where, "its history is gone")
        elif head.seq > last.seq:
            self._found(where, f"entries after {last.seq} are gone; the head is at {head.seq}")
        elif (head.status, head.seq, head.hash) != (last.to_status, last.seq, last.hash):
            self._found(where, f"the head says {head.status}, the history {last.to_status}")

    def _orphans(self, entries: Iterator[StoredEntry]) -> None:
        for stored in entries:
            self.rows += 1
            self._found(f"{stored.ref} {stored.entry.machine}", "it has history and no head")

    def _found(self, where: str, what: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(where=where, what=what))
