"""What has no place in the log yet, of every kind, in the order in which it was recorded.

No number and no time says what was placed already: a row waits if the log does not name it,
however late it was committed. The rows are read kind by kind, each in the order of its key, and
brought into the order of time on the disk, so that memory stays as it is however many there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cache
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, Self

from sqlalchemy import Connection, Integer, Select, bindparam, func, select

from carrierflow.audit.log.entry_kinds import KEY, KINDS, TRANSITION, EntryKind
from carrierflow.audit.log.tree import leaf_hash
from carrierflow.domain.canonical import digest
from carrierflow.domain.model import Machine
from carrierflow.storage.engine import streamed
from carrierflow.storage.tables import history, log


__all__ = ["LogEntry", "Unplaced", "count_waiting"]

FEW = 5_000
"""Up to so many entries without a place are looked for from the end."""

ROWS_AT_ONCE = 5_000
RUN = 20_000
"""So many lines are sorted in memory; more go to the disk."""


class LogEntry(NamedTuple):
    """A row on its way to its place: its key in the log, and the hash of its bytes."""

    kind: str
    fulfillment: int
    machine: str
    seq: int
    number: int
    leaf: str


class Unplaced:
    """The entries without a place, as one reading of the database finds them."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        """Steps whose content does not hash to their hash: they get their places as they are."""
        self._lines: list[str] = []
        self._stack = ExitStack()
        self._runs: list[IO[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, connection: Connection) -> None:
        """Look through every kind."""
        for rank, (kind, waiting) in enumerate(zip(KINDS, _waiting(connection), strict=True)):
            since = _since(connection, kind, waiting)
            if since is not None:
                for rows in _unplaced(connection, kind, since):
                    self._take(rank, kind, rows)

    def batches(self, most: int) -> Iterator[list[LogEntry]]:
        """Yield them all, in the order of time, so many at once."""
        self._lines.sort()
        entries = map(_entry, heapq.merge(*self._runs, self._lines))
        while some := list(islice(entries, most)):
            yield some

    def _take(self, rank: int, kind: EntryKind, rows: Sequence[Sequence[Any]]) -> None:
        """Take in some rows; a step never comes before the one that it continues."""
        width, at, is_step = kind.width, kind.moment_at, kind is TRANSITION
        for row in rows:
            text, key = kind.text(row), row[width : width + len(KEY)]
            moment = row[at]
            if is_step:
                moment = self._after(key[:2], moment)
                if digest(text) != row[width + len(KEY)]:
                    self.broken.append(_name(row))
            self._lines.append(_line(moment, rank, key, leaf_hash(text.encode()).hex()))
        if len(self._lines) >= RUN:
            self._put_away()

    _last: tuple[Sequence[Any], str] = ((), "")

    def _after(self, chain: Sequence[Any], moment: str) -> str:
        """Return when a step counts as recorded: not before the one that it continues.

        Two machines write one parcel's steps, and their clocks may differ.
        """
        before = self._last[1] if self._last[0] == chain else ""
        self._last = chain, max(before, moment)
        return self._last[1]

    def _put_away(self) -> None:
        self._lines.sort()
        file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by __exit__
        self._stack.callback(file.close)
        file.writelines(self._lines)
        file.seek(0)
        self._runs.append(file)
        self._lines = []


def _line(moment: str, rank: int, key: Sequence[Any], leaf: str) -> str:
    """Write an entry so that the order of lines is that of places."""
    fulfillment, machine, seq, number = key
    cash = int(machine == Machine.COD)
    return f"{moment} {rank:02} {fulfillment:020} {cash} {seq:012} {number:020} {leaf} {machine}\n"


def _entry(line: str) -> LogEntry:
    _, rank, fulfillment, _, seq, number, leaf, machine = line.rstrip("\n").split(" ", 7)
    return LogEntry(KINDS[int(rank)].name, int(fulfillment), machine, int(seq), int(number), leaf)


def _name(row: Sequence[Any]) -> str:
    """Name a step by its shop, its parcel and its number."""
    names = dict(zip(TRANSITION.parts, row, strict=False))
    return f"{names['shop']}/{names['fulfillment_id']} {names['machine']}:{names['seq']}"


@cache
def _how_many() -> tuple[Select[Any], Select[Any]]:
    """Return the queries for how many places there are by kind, and how many rows by kind."""
    rows = [
        select(func.count()).select_from(kind.table).where(kind.chosen).scalar_subquery()
        for kind in KINDS
    ]
    return select(log.c.kind, func.count()).group_by(log.c.kind), select(*rows)


def _counts(connection: Connection) -> Sequence[int]:
    """Return how many rows each kind has."""
    return connection.execute(_how_many()[1]).one()


def _waiting(connection: Connection) -> list[int]:
    """Return of each kind how many rows have no place, as far as counting tells."""
    placed = {row[0]: row[1] for row in connection.execute(_how_many()[0])}
    counts = zip(KINDS, _counts(connection), strict=True)
    return [count - placed.get(kind.name, 0) for kind, count in counts]


def count_waiting(connection: Connection, *, size: int) -> int:
    """Count the entries that the first so many places of the log do not hold."""
    return max(0, sum(_counts(connection)) - size)


def _since(connection: Connection, kind: EntryKind, waiting: int) -> int | None:
    """Return a bound below which every row has its place; None if all have theirs.

    Counting is cheap, and what is new mostly stands at the end: a seal after a run does not go
    through the whole table. Where rows were taken away, the counts mislead: then it does.
    """
    if waiting == 0:
        return None
    if not 0 < waiting <= FEW:
        return connection.execute(select(func.min(kind.bound))).scalar()
    last = connection.execute(_from_the_end(kind), {"waiting": waiting})
    return min(last.scalars(), default=None)


@cache
def _from_the_end(kind: EntryKind) -> Select[Any]:
    return (
        select(kind.bound)
        .select_from(kind.table.outerjoin(log, kind.is_placed()))
        .where(kind.chosen, log.c.position.is_(None))
        .order_by(*(column.desc() for column in kind.order))
        .limit(bindparam("waiting", type_=Integer()))
    )


def _unplaced(connection: Connection, kind: EntryKind, since: int) -> Iterator[Sequence[Any]]:
    """Stream the rows without a place, in the order of their key.

    Each is the columns of its text, its key in the log, and for a step its hash.
    """
    query = _without_place(kind, connection.dialect.name)
    yield from streamed(connection, query, {"since": since}, at_once=ROWS_AT_ONCE)


@cache
def _without_place(kind: EntryKind, dialect: str) -> Select[Any]:
    more = [history.c.hash] if kind is TRANSITION else []
    return (
        select(*kind.columns(dialect), *kind.key, *more)
        .select_from(kind.joined().outerjoin(log, kind.is_placed()))
        .where(kind.chosen, kind.bound >= bindparam("since"), log.c.position.is_(None))
        .order_by(*kind.order)
    )
