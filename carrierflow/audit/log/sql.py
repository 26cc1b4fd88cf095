"""The log: which entry stands where, the hashes of its tree, its checkpoints.

The place of an entry is given once it is committed, by whoever seals; nothing is read from the
order in which a database numbers rows. Of the tree the hash of every 256th part is kept, and of
256 of these, and so on: a proof reads a few hundred rows however long the log is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    func,
    insert,
    or_,
    select,
    update,
)

from carrierflow.audit.log.checkpoint import SignedNote
from carrierflow.audit.log.entry_kinds import KEY, TRANSITION
from carrierflow.audit.log.tree import node_hash, range_root
from carrierflow.audit.log.unplaced import LogEntry
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.errors import HistoryBroken, SealHeld
from carrierflow.storage.database_clock import DatabaseClock
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import (
    administration,
    anchorings,
    checkpoints,
    definitions,
    leases,
    log,
    log_nodes,
)


__all__ = [
    "Given",
    "Log",
    "SealLease",
    "SealProgress",
    "add_anchorings",
    "add_checkpoint",
    "all_checkpoints",
    "all_given",
    "anchors_told",
    "checkpoint_rows",
    "definition_names",
    "entries_at",
    "give_places",
    "last_given",
    "leaves",
    "newest_checkpoint",
    "seal_progress",
    "unanchored",
]

WIDTH_BITS = 8
WIDTH = 1 << WIDTH_BITS
"""How many hashes of one level make one of the next."""

LEAVES_AT_ONCE = 5_000
SEAL = "seal"
HOLE = "Rows of the log are missing; `carrierflow audit verify` says which."


def definition_names(connection: Connection) -> dict[int, str]:
    """Return the ids of all definitions by their numbers."""
    query = select(definitions.c.number, definitions.c.id)
    return {row.number: row.id for row in connection.execute(query)}


def give_places(connection: Connection, entries: Sequence[LogEntry], *, first: int) -> None:
    """Give some entries the next places in the log.

    Raises:
        SealHeld: if the log has grown beyond `first`: somebody else is at work on it.
    """
    if Log(connection).size != first:
        raise SealHeld
    _grow(connection, 0, first, [bytes.fromhex(entry.leaf) for entry in entries])
    rows = [{"position": n, **entry._asdict()} for n, entry in enumerate(entries, first)]
    connection.execute(insert(log), rows)


def _grow(connection: Connection, level: int, first: int, hashes: Sequence[bytes]) -> None:
    """Write what new hashes of one level complete on the levels above."""
    start = first - first % WIDTH
    row = [*_hashes(connection, level, start, first), *hashes]
    whole = [row[n : n + WIDTH] for n in range(0, len(row) - WIDTH + 1, WIDTH)]
    if not whole:
        return
    above = start // WIDTH
    made = [_pyramid(part)[-1][0] for part in whole]
    _grow(connection, level + 1, above, made)
    rows = [
        {"level": level + 1, "position": position, "hash": each.hex()}
        for position, each in enumerate(made, above)
    ]
    connection.execute(insert(log_nodes), rows)


def _hashes(connection: Connection, level: int, start: int, end: int) -> list[bytes]:
    """Return the hashes of one level from a place on, as far as there are any.

    Raises:
        HistoryBroken: if one is missing among them.
    """
    place, query = log_nodes.c.position, select(log_nodes.c.position, log_nodes.c.hash)
    if level == 0:
        place, query = log.c.position, select(log.c.position, log.c.leaf)
    else:
        query = query.where(log_nodes.c.level == level)
    rows = connection.execute(query.where(place >= start, place < end).order_by(place)).all()
    if rows and rows[-1][0] != start + len(rows) - 1:
        raise HistoryBroken(HOLE)
    return [bytes.fromhex(text) for _, text in rows]


def _pyramid(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Return the complete subtrees over some hashes, level by level."""
    levels = [hashes]
    for _ in range(WIDTH_BITS):
        below = levels[-1]
        pairs = zip(below[::2], below[1::2], strict=False)
        levels.append([node_hash(left, right) for left, right in pairs])
    return levels


class Log:
    """The tree over the log as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._block = lru_cache(maxsize=64)(self._read_block)

    @property
    def size(self) -> int:
        """How many entries have a place."""
        last = self._connection.execute(select(func.max(log.c.position))).scalar()
        return 0 if last is None else last + 1

    def root(self, size: int) -> bytes:
        """Return the root over the first so many entries."""
        return range_root(self.subtree, 0, size)

    def subtree(self, height: int, number: int) -> bytes:
        """Return the hash of a complete subtree.

        Raises:
            HistoryBroken: if entries under it have no place any more.
        """
        level, within = divmod(height, WIDTH_BITS)
        block = number >> (WIDTH_BITS - within)
        first = block << (WIDTH_BITS - within)
        hashes = self._block(level, block)[within]
        if number - first >= len(hashes):
            raise HistoryBroken(HOLE)
        return hashes[number - first]

    def _read_block(self, level: int, block: int) -> list[Sequence[bytes]]:
        start = block << WIDTH_BITS
        return _pyramid(_hashes(self._connection, level, start, start + WIDTH))

    def position(self, fulfillment: int, machine: str, seq: int) -> int | None:
        """Return the place of a step; None if it has none yet."""
        query = select(log.c.position).where(
            log.c.kind == TRANSITION.name,
            log.c.fulfillment == fulfillment,
            log.c.machine == machine,
            log.c.seq == seq,
        )
        return self._connection.execute(query).scalar_one_or_none()


def add_checkpoint(connection: Connection, note: SignedNote, *, now: datetime) -> None:
    """Keep a checkpoint."""
    seen = note.checkpoint
    row = {"size": seen.size, "root": seen.root.hex(), "note": str(note), "sealed_at": now}
    connection.execute(insert(checkpoints), row)


def newest_checkpoint(connection: Connection) -> SignedNote | None:
    """Return the last checkpoint; None if there is none."""
    query = select(checkpoints.c.note).order_by(checkpoints.c.size.desc()).limit(1)
    text = connection.execute(query).scalar_one_or_none()
    return None if text is None else SignedNote.parse(text)


def all_checkpoints(connection: Connection) -> list[str]:
    """Return the notes of all checkpoints, oldest first."""
    return [note for _, _, note in checkpoint_rows(connection)]


def checkpoint_rows(connection: Connection) -> list[tuple[int, str, str]]:
    """Return of all checkpoints the size, the root and the note, oldest first."""
    c = checkpoints.c
    rows = connection.execute(select(c.size, c.root, c.note).order_by(c.size))
    return [(row.size, row.root, row.note) for row in rows]


def leaves(connection: Connection) -> Iterator[Sequence[Any]]:
    """Stream the places of the log in order, some thousand at once: place and leaf."""
    query = select(log.c.position, log.c.leaf).order_by(log.c.position)
    yield from streamed(connection, query, at_once=LEAVES_AT_ONCE)


def entries_at(connection: Connection, positions: Sequence[int]) -> list[Any]:
    """Return the kinds and keys that stand at some places of the log."""
    query = select(log.c.position, log.c.kind, *(log.c[name] for name in KEY))
    some = query.where(log.c.position.in_(positions)).order_by(log.c.position)
    return list(connection.execute(some))


def unanchored(connection: Connection, anchor: str) -> Iterator[tuple[int, str]]:
    """Return the checkpoints that an anchor was not given yet, oldest first: size and note."""
    known = select(anchorings.c.size).where(anchorings.c.anchor == anchor)
    query = (
        select(checkpoints.c.size, checkpoints.c.note)
        .where(checkpoints.c.size.not_in(known))
        .order_by(checkpoints.c.size)
    )
    return ((row.size, row.note) for row in connection.execute(query).all())


def add_anchorings(
    connection: Connection,
    anchor: str,
    sizes: Sequence[int],
    *,
    receipts: Sequence[str] | None = None,
    now: datetime,
) -> None:
    """Write that an anchor took some checkpoints, and what it gave for each."""
    rows = [
        {"anchor": anchor, "size": size, "receipt": receipt or None, "anchored_at": now}
        for size, receipt in zip(sizes, receipts or [""] * len(sizes), strict=True)
    ]
    connection.execute(insert(anchorings), rows)


class Given(NamedTuple):
    """A checkpoint that an anchor was given, and what it gave for it."""

    anchor: str
    size: int
    note: str
    receipt: str | None


def all_given(connection: Connection) -> list[Given]:
    """Return who was given which checkpoint, by anchor and size."""
    query = (
        select(anchorings.c.anchor, anchorings.c.size, checkpoints.c.note, anchorings.c.receipt)
        .join(checkpoints, checkpoints.c.size == anchorings.c.size)
        .order_by(anchorings.c.anchor, anchorings.c.size)
    )
    return [Given(*row) for row in connection.execute(query)]


@dataclass(frozen=True, kw_only=True, slots=True)
class SealProgress:
    """How much of the log its last checkpoint covers, and how old that is."""

    size: int
    """Entries that have a place."""
    covered: int
    """Entries that the last checkpoint covers; what is behind them an owner could still rewrite."""
    sealed_at: datetime | None
    """When it was signed; None if there is none."""

    @property
    def tail(self) -> int:
        """How many entries are behind the last checkpoint."""
        return self.size - self.covered


def seal_progress(connection: Connection) -> SealProgress:
    """Tell how far the log is sealed: by two looks at the ends of indexes."""
    newest = select(checkpoints.c.size, checkpoints.c.sealed_at)
    found = connection.execute(newest.order_by(checkpoints.c.size.desc()).limit(1)).one_or_none()
    size = Log(connection).size
    if found is None:
        return SealProgress(size=size, covered=0, sealed_at=None)
    return SealProgress(size=size, covered=found.size, sealed_at=found.sealed_at)


def last_given(connection: Connection, anchor: str) -> tuple[int, str] | None:
    """Return the last checkpoint that an anchor was given, by size and note."""
    query = (
        select(checkpoints.c.size, checkpoints.c.note)
        .join(anchorings, anchorings.c.size == checkpoints.c.size)
        .where(anchorings.c.anchor == anchor)
        .order_by(checkpoints.c.size.desc())
        .limit(1)
    )
    found = connection.execute(query).one_or_none()
    return None if found is None else (found.size, found.note)


def anchors_told(connection: Connection) -> list[str]:
    """Return the anchors of which it was written down that they got their first checkpoint."""
    first = administration.c.kind == AdministrationKind.ANCHOR
    query = select(administration.c.subject).where(first).distinct()
    return list(connection.execute(query.order_by(administration.c.subject)).scalars())


class SealLease:
    """Who may seal: one process at a time, by the database's clock.

    It spares work; what keeps the log right is that a place and an entry each occur in it once.
    """

    def __init__(self, clock: DatabaseClock) -> None:
        self._clock = clock

    def claim(self, connection: Connection, owner: str, span: timedelta) -> None:
        """Take the lease, or hold on to it for longer.

        Raises:
            SealHeld: if another process has it.
        """
        now = self._clock.now(connection)
        lease = leases.c
        free = or_(lease.held_until.is_(None), lease.held_until <= now, lease.owner == owner)
        taken = connection.execute(
            update(leases)
            .where(lease.name == SEAL, free)
            .values(owner=owner, held_until=now + span, fence=lease.fence + 1)
        )
        if not taken.rowcount:
            raise SealHeld

    def release(self, connection: Connection, owner: str) -> None:
        """Let it go, if it is still ours."""
        connection.execute(
            update(leases)
            .where(leases.c.name == SEAL, leases.c.owner == owner)
            .values(owner=None, held_until=None)
        )
