"""Verifying the live database: its parcels, its log, and the checkpoints that speak of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from carrierflow.audit.derived.comparison import QUESTIONS
from carrierflow.audit.log.checkpoint import VerifierKey
from carrierflow.audit.log.entry_kinds import KINDS, TRANSITION
from carrierflow.audit.log.kept import (
    OWN,
    KeptCheckpoint,
    TreeCheck,
    Trust,
    kept_in,
    leaf_in,
    own_in,
)
from carrierflow.audit.log.keys import is_signature
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.sql import (
    Log,
    SealProgress,
    checkpoint_rows,
    definition_names,
    entries_at,
    leaves,
    seal_progress,
)
from carrierflow.audit.verify.entries import place_name
from carrierflow.audit.verify.kept_elsewhere import AnchorCheck, check_times
from carrierflow.audit.verify.nodes import expected_nodes
from carrierflow.audit.verify.places import EMPTY, STEP, Places
from carrierflow.audit.verify.replay import (
    MOST_PROBLEMS,
    Findings,
    Rules,
    Verification,
)
from carrierflow.audit.verify.side_by_side import (
    HISTORY,
    PARTS,
    Part,
    SharedReplay,
    looked_at,
    replayed,
    spans,
)
from carrierflow.audit.verify.sql import definition_rows
from carrierflow.audit.verify.time_order import TOLERANCE, TimeCheck
from carrierflow.errors import InvalidInput
from carrierflow.storage import Connection, SqlStore
from carrierflow.storage.timeouts import DatabaseTimeouts


__all__ = ["DatabaseVerifier", "read_kept", "trusted"]

GONE = "it stands at place {place} of the log and is gone"
CHANGED_SINCE = "its content is not what was sealed at place {place}: it was changed since"


class DatabaseVerifier:
    """Looks at a database as if nobody could be trusted who can write it."""

    def __init__(
        self,
        store: SqlStore,
        sealer: LogSealer,
        *,
        lifecycles: Sequence[str] = (),
        retired_anchors: Sequence[str] = (),
        tolerance: timedelta = TOLERANCE,
        timeouts: DatabaseTimeouts | None = None,
    ) -> None:
        """`tolerance` is how far time may run backwards along the log.

        `timeouts` are for the connections of further processes.

        `lifecycles` are the ids of those that may be there; any, where none is named.
        """
        self._lifecycles = lifecycles
        self._tolerance = tolerance
        self._timeouts = timeouts
        self._store = store
        self._sealer = sealer
        self._retired = retired_anchors

    def verify(
        self,
        progress: Callable[[int], None] | None = None,
        *,
        keys: Sequence[VerifierKey] = (),
        kept: Sequence[KeptCheckpoint] = (),
        processes: int = 1,
    ) -> Verification:
        """Replay every parcel, then compare the log with every checkpoint.

        Several processes share the replay, each over connections of its own; one compares the log.
        Where a row cannot be read, one goes over all of it, and says what it always says of that.
        Where `keys` are given no others count, neither those of the settings nor the seal key.

        Raises:
            ConfigurationError, InvalidInput: if a key or a file of the settings cannot be used.
            InvalidInput: if several processes are wanted, and none but this one can read it.
        """
        if processes < 1:
            raise InvalidInput("It takes at least one process to verify.")
        trust = trusted(keys or self._sealer.trusted_keys)
        with Places(self._size()) as places:
            findings = Findings()
            if processes == 1:
                found = self._alone(places, findings, progress)
            else:
                found = self._side_by_side(places, findings, progress, processes)
            if findings.unreadable and processes > 1:
                return self.verify(progress, keys=keys, kept=kept)
            with self._store.reading() as connection:
                own = own_in(checkpoint_rows(connection), findings)
                known = [*own, *self._anchored(connection, own, findings), *kept]
                trust.look_at(known, findings)
                signed = check_times([each.note for each in own], findings, self._tolerance)
                times = TimeCheck(findings, tolerance=self._tolerance, signed=signed)
                self._compare(connection, known, places, times, findings)
                self._look_for_foreign(connection, findings)
                _compare_derived(connection, findings)
                with findings.reading(OWN):
                    _tell_tail(seal_progress(connection), findings)
        return replace(
            found,
            checkpoints=len(known),
            problems=tuple(findings.problems),
            remarks=tuple(findings.remarks),
        )

    def _size(self) -> int:
        with self._store.reading() as connection:
            return Log(connection).size

    def _alone(
        self, places: Places, findings: Findings, progress: Callable[[int], None] | None
    ) -> Verification:
        counted = partial(_counted, progress=progress) if progress else iter
        found = Verification()
        with findings.reading(HISTORY):
            counts = replayed(
                self._store.reading, places, findings, rules=findings, counted=counted
            )
            found = Verification(rows=counts[0], fulfillments=counts[1], sealed=counts[2])
        kinds, sealed = {TRANSITION.name: found.rows}, found.sealed
        for kind in KINDS[1:]:
            with findings.reading(kind.name):
                kinds[kind.name], placed = looked_at(self._store.reading, kind, places, counted)
                sealed += placed
        return replace(found, kinds=kinds, sealed=sealed)

    def _side_by_side(
        self,
        places: Places,
        findings: Findings,
        progress: Callable[[int], None] | None,
        processes: int,
    ) -> Verification:
        """Do as `_alone`, by several processes: what is found stands in the same order."""
        shared = SharedReplay(
            self._store.engine, places, processes=processes, timeouts=self._timeouts
        )
        with self._store.reading() as connection:
            cut = spans(connection, PARTS * processes)
            with findings.reading(HISTORY):
                Rules(definition_rows(connection), findings)
        done = []
        for part in shared.done(cut):
            done.append(part)
            findings.take_over(part.problems)
            for kind, moment in part.waiting.items():
                with findings.reading(kind):
                    places.wait(kind, moment)
            if progress:
                progress(sum(each.rows for each in done))
        return _counted_together(done[: len(cut)], done[len(cut) :])

    def _anchored(
        self, connection: Connection, own: Sequence[KeptCheckpoint], findings: Findings
    ) -> list[KeptCheckpoint]:
        anchoring = self._sealer.anchoring
        check = AnchorCheck(
            anchoring=anchoring,
            tolerance=self._tolerance,
            retired=self._retired,
            findings=findings,
        )
        return check.look_at(connection, own)

    def _look_for_foreign(self, connection: Connection, findings: Findings) -> None:
        """Name lifecycles that nobody's settings know: steps may have been made legal by them."""
        for name in definition_names(connection).values() if self._lifecycles else ():
            if name not in self._lifecycles:
                what = "no setting names this lifecycle; `audit definitions` says what rests on it"
                findings.add(f"definition {name[:12]}", what)

    def _compare(
        self,
        connection: Connection,
        known: Sequence[KeptCheckpoint],
        places: Places,
        times: TimeCheck,
        findings: Findings,
    ) -> None:
        """Go through the log in its order: its places, its times, its tree."""
        nodes = expected_nodes(connection, places.size, findings)
        tree = TreeCheck(known, findings, more=nodes)
        wrong: dict[int, str] = {}
        for some in leaves(connection):
            start = tree.size
            if some[-1][0] != start + len(some) - 1:
                gap = next(n for n, row in enumerate(some, start) if row[0] != n)
                findings.add("log", f"place {gap} is missing: an entry was taken out of the log")
                break
            hashes = [leaf_in(row[1]) for row in some]
            tree.add(hashes)
            for position, what in _follow(start, hashes, places, times):
                if len(wrong) < MOST_PROBLEMS:
                    wrong[position] = what
        else:
            tree.finish()
            times.finish(places.waiting)
        _name_wrong(connection, wrong, findings)


def trusted(keys: Iterable[VerifierKey]) -> Trust:
    """Return that the signatures of some keys count, and no others."""
    return Trust(keys=list(keys), check=is_signature)


def read_kept(file: Path, *, where: str) -> list[KeptCheckpoint]:
    """Return the checkpoints in a file that somebody kept.

    Raises:
        InvalidInput: if it cannot be read, or holds something else or nothing at all: what was
            compared with nothing is not verified.
    """
    found = kept_in(_text_of(file), where=where)
    if not found:
        raise InvalidInput(f"{file} holds no checkpoint, so there is nothing to compare with.")
    return found


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}.") from error


def _follow(
    start: int, hashes: Sequence[bytes], places: Places, times: TimeCheck
) -> Iterator[tuple[int, str]]:
    """Compare some places with what was found for them; yield those where it is not that."""
    found = places.read(start, len(hashes))
    for position, (leaf, (own, moment, mark)) in enumerate(zip(hashes, found, strict=False), start):
        if mark == EMPTY:
            yield position, GONE
            continue
        if leaf != own:
            yield position, CHANGED_SINCE
        said = moment.rstrip(b"\0").decode(errors="replace")
        times.add(position, said, is_step=mark == STEP)


def _compare_derived(connection: Connection, findings: Findings) -> None:
    """Compare rows that change with the entries that they follow from."""
    for rows, questions in QUESTIONS.items():
        for ask in questions:
            with findings.reading(rows):
                for where, what in ask(connection, MOST_PROBLEMS):
                    findings.add(where, what)


def _counted_together(history: Sequence[Part], others: Sequence[Part]) -> Verification:
    """Add up what parts held: ranges of parcels, then the other kinds of entries."""
    kinds = {TRANSITION.name: sum(part.rows for part in history)}
    kinds |= {kind.name: part.rows for kind, part in zip(KINDS[1:], others, strict=True)}
    return Verification(
        rows=kinds[TRANSITION.name],
        fulfillments=sum(part.fulfillments for part in history),
        sealed=sum(part.sealed for part in (*history, *others)),
        kinds=kinds,
    )


def _tell_tail(progress: SealProgress, findings: Findings) -> None:
    """Say what is behind the last checkpoint: whoever owns the database could still rewrite it."""
    if progress.tail and progress.sealed_at is not None:
        findings.remarks.append(
            f"{progress.tail} entries are behind the last checkpoint, which was signed at "
            f"{progress.sealed_at:%Y-%m-%d %H:%M} UTC; `carrierflow audit seal` seals them."
        )


def _name_wrong(connection: Connection, wrong: Mapping[int, str], findings: Findings) -> None:
    for row in entries_at(connection, list(wrong)) if wrong else ():
        where = place_name(row.kind, row[2:])
        findings.add(where, wrong[row.position].format(place=row.position))


def _counted(
    rows: Iterator[Sequence[Any]], progress: Callable[[int], None]
) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(rows, 1):
        if number % 1000 == 0:
            progress(number)
        yield row
