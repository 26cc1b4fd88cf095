"""Verifying by several processes: parcels by ranges of their numbers, other entries by kind.

Each part is read as one process would read it, over a connection of its own; what stands at which
place of the log is written into one file that all of them share. The parts come back in the order
in which one process goes through them, so what is found first is the same. The log, its tree and
its checkpoints are compared once everything is written down, by the process that asked.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import Any

from carrierflow.audit.log.entry_kinds import KINDS, EntryKind
from carrierflow.audit.log.sql import definition_names
from carrierflow.audit.verify.entries import take_in
from carrierflow.audit.verify.places import Places
from carrierflow.audit.verify.replay import (
    Findings,
    HeadRow,
    Problem,
    Rules,
    Stored,
    verify_parcels,
)
from carrierflow.audit.verify.sql import (
    ALL_PARCELS,
    Span,
    definition_rows,
    entry_rows,
    head_row,
    head_rows,
    kind_rows,
    parcel_bounds,
)
from carrierflow.errors import ConfigurationError, InvalidInput
from carrierflow.storage import Connection, Engine, build_engine
from carrierflow.storage.engine import is_built_here, is_in_memory, translated
from carrierflow.storage.timeouts import DatabaseTimeouts


__all__ = ["HISTORY", "PARTS", "Part", "Reading", "SharedReplay", "looked_at", "replayed", "spans"]

HISTORY = "history"
"""Where it is named that steps cannot be read."""

PARTS = 4
"""Ranges of parcels for each process: some take longer than others."""

Reading = Callable[[], Any]
"""Opens a connection that only reads."""

Counted = Callable[[Iterator[Sequence[Any]]], Iterator[Sequence[Any]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What was found in one part."""

    rows: int = 0
    fulfillments: int = 0
    sealed: int = 0
    problems: Sequence[Problem] = ()
    waiting: Mapping[str, str] = field(default_factory=dict)
    """The earliest moment of what has no place yet, by kind."""


def replayed(
    reading: Reading,
    places: Places,
    findings: Findings,
    *,
    rules: Findings,
    span: Span = ALL_PARCELS,
    counted: Counted = iter,
) -> tuple[int, int, int]:
    """Replay the parcels of a span; return how many entries, fulfillments and places there are.

    What is wrong with the definitions goes into `rules`.
    """
    with reading() as heads, reading() as entries:
        return verify_parcels(
            Rules(definition_rows(heads), rules),
            Stored(
                definitions=definition_names(heads),
                heads=head_rows(heads, span),
                places=places,
                rows=counted(entry_rows(entries, span)),
                reread=lambda head: _reread(reading, head),
            ),
            findings,
        )


def _reread(reading: Reading, head: HeadRow) -> HeadRow:
    with reading() as connection:
        return head_row(connection, head.parcel) or head


def spans(connection: Connection, count: int) -> list[Span]:
    """Cut all parcels into about so many ranges of numbers, without a gap before or between."""
    first, last = parcel_bounds(connection)
    step = max(1, -(-(last - first + 1) // count))
    cuts = [None, *range(first + step, last + 1, step), None]
    return [Span(*pair) for pair in pairwise(cuts)]


class SharedReplay:
    """The parts of one database, each done by one of some processes."""

    def __init__(
        self, engine: Engine, places: Places, *, processes: int, timeouts: DatabaseTimeouts | None
    ) -> None:
        """Raises `InvalidInput` where another process would not see the same database."""
        if is_in_memory(engine):
            raise InvalidInput(
                "A database in memory is seen by this process alone, so it cannot be verified by "
                "several; leave --processes away."
            )
        if not is_built_here(engine):
            raise InvalidInput(
                "An engine of your own may connect in ways that its URL does not say, so another "
                "process cannot; verify by one, or by the command."
            )
        url = engine.url.render_as_string(hide_password=False)
        self._database = _Database(url, timeouts, places.file, places.size)
        self._processes = processes

    def done(self, cut: Sequence[Span]) -> Iterator[Part]:
        """Yield what was found in each range of parcels, then in each kind of other entries.

        Raises:
            ConfigurationError: if a process was ended before it was done.
        """
        parts: list[Span | str] = [*cut, *(kind.name for kind in KINDS[1:])]
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin)
        try:
            coming = [pool.submit(_do, self._database, part) for part in parts]
            for each in coming:
                yield each.result()
        except BrokenProcessPool as error:
            raise ConfigurationError(
                "A process that verified was ended from outside, so nothing is said of this "
                "database; verify it again, by fewer processes if memory was short."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Database:
    """Where a process reads, and where it writes down what it found for each place."""

    url: str = field(repr=False)
    timeouts: DatabaseTimeouts | None
    places: Path
    size: int


def _begin() -> None:
    """Let a worker end at once where its parent ends, and without a word where it is stopped."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(database: _Database, part: Span | str) -> Part:
    """Do one part, within a worker."""
    engine = build_engine(database.url, database.timeouts)

    @contextmanager
    def reading() -> Iterator[Connection]:
        with translated(), engine.connect() as connection:
            yield connection.execution_options(carrierflow_reads_only=True)

    findings = Findings()
    try:
        with Places(database.size, shared=database.places) as places:
            done = Part()
            if isinstance(part, Span):
                with findings.reading(HISTORY):
                    counts = replayed(reading, places, findings, rules=Findings(), span=part)
                    done = Part(rows=counts[0], fulfillments=counts[1], sealed=counts[2])
            else:
                with findings.reading(part):
                    rows, placed = looked_at(reading, _kind(part), places)
                    done = Part(rows=rows, sealed=placed)
            return replace(done, problems=findings.problems, waiting=places.waiting)
    finally:
        engine.dispose()


def _kind(name: str) -> EntryKind:
    return next(kind for kind in KINDS if kind.name == name)


def looked_at(
    reading: Reading, kind: EntryKind, places: Places, counted: Counted = iter
) -> tuple[int, int]:
    """Write down what all entries of a kind say; return how many there are and have a place."""
    with reading() as connection:
        return take_in(kind, counted(kind_rows(connection, kind)), places)
