"""Exports: the entries of a scope with everything that proves them, from one database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from carrierflow.audit.export.format import Contents, Exported, Line, Scope, write_export
from carrierflow.audit.export.sql import definition_texts, scoped_entries
from carrierflow.audit.log.checkpoint import DASH, Checkpoint, SignedNote
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.sql import Given, Log, all_checkpoints, all_given
from carrierflow.audit.log.timestamps import TIMESTAMP
from carrierflow.audit.log.unplaced import count_waiting
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.canonical import stamp
from carrierflow.domain.clock import Clock
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import NotSealed
from carrierflow.storage import Connection, SqlStore, queries
from carrierflow.storage.administration import administer
from carrierflow.storage.shops import shop_number


__all__ = ["Exporter"]


@guarded_methods
class Exporter:
    """Writes what is sealed into directories that can be verified without us."""

    def __init__(self, store: SqlStore, sealer: LogSealer, *, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock

    def export(
        self,
        folder: Path,
        scope: Scope | None = None,
        *,
        since_checkpoints: Sequence[Checkpoint] = (),
        sheet: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Exported:
        """Write the sealed entries of a scope into a new or empty directory.

        For each of `since_checkpoints`, which an auditor has kept, it holds the proof that the
        log still begins with it. `sheet` adds a CSV file for spreadsheets.

        Raises:
            UnknownShop, UnknownFulfillment, InvalidInput: if there is no such scope, or the
                directory cannot be used.
            NotSealed: if there is no checkpoint.
            HistoryBroken: if the log no longer begins with a checkpoint that was kept.
        """
        scope = scope or Scope()
        with self._store.reading() as connection:
            self._check(scope)
            newest, contents = self._contents(connection, scope, since_checkpoints)
        size = newest.size
        self._store.transact(lambda c: self._told(c, scope, size))
        with self._store.reading() as nodes:
            lines = self._lines(scope, size, progress=progress)
            left_out = None if scope.is_whole else Log(nodes).subtree
            return write_export(folder, contents, lines, left_out=left_out, sheet=sheet)

    def _contents(
        self, connection: Connection, scope: Scope, since: Sequence[Checkpoint]
    ) -> tuple[Checkpoint, Contents]:
        notes = all_checkpoints(connection)
        if not notes:
            raise NotSealed("The history")
        newest, given = SignedNote.parse(notes[-1]), defaultdict(list)
        for each in all_given(connection):
            given[each.size].append(each)
        size = newest.checkpoint.size
        cosigned = [
            _cosigned(note, given[SignedNote.parse(note).checkpoint.size])
            for note in (notes if scope.is_whole else notes[-1:])
        ]
        stamps = [
            (each.size, each.receipt)
            for some in given.values()
            for each in some
            if each.receipt and each.anchor == TIMESTAMP
        ]
        return newest.checkpoint, Contents(
            scope=scope,
            made_at=self._clock(),
            unsealed=count_waiting(connection, size=size),
            definitions=definition_texts(connection),
            checkpoints=cosigned,
            consistency=[self._sealer.prove_consistency(old, to=newest) for old in since],
            stamps=sorted(stamps) if scope.is_whole else [s for s in stamps if s[0] == size],
            sign=self._signer(),
        )

    def _told(self, connection: Connection, scope: Scope, size: int) -> None:
        """Write down that an export is made, before it is: none is there that nobody knows of."""
        spans = {"since": scope.since, "until": scope.until}
        details = {name: stamp(moment) for name, moment in spans.items() if moment is not None}
        administer(
            connection,
            AdministrationKind.EXPORTED,
            now=self._clock(),
            shop=scope.shop,
            subject=scope.fulfillment_id or "",
            details=details | {"size": str(size)},
        )

    def _check(self, scope: Scope) -> None:
        with self._store.reading() as connection:
            if scope.shop is not None and scope.fulfillment_id is not None:
                queries.find_parcel(connection, scope.shop, scope.fulfillment_id)
            elif scope.shop is not None:
                shop_number(connection, scope.shop)

    def _signer(self) -> Callable[[str], SignedNote] | None:
        return self._sealer.key.sign if self._sealer.can_seal else None

    def _lines(
        self, scope: Scope, size: int, *, progress: Callable[[int], None] | None
    ) -> Iterator[Line]:
        done = 0
        with self._store.reading() as rows:
            for some in scoped_entries(rows, scope, size=size):
                for each in some:
                    yield Line(
                        kind=each.kind.name,
                        text=each.kind.text(each.row),
                        index=each.position,
                        leaf=bytes.fromhex(each.leaf),
                    )
                done += len(some)
                if progress is not None:
                    progress(done)


def _cosigned(note: str, given: Sequence[Given]) -> str:
    """Return a checkpoint with the cosignatures that witnesses made under it."""
    lines = (f"{each.receipt}\n" for each in given if (each.receipt or "").startswith(DASH))
    return f"{note}{''.join(lines)}"
