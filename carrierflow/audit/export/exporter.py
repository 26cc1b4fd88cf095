"""Exports: the entries of a scope with everything that proves them, from one database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from carrierflow.audit.export.format import Contents, Exported, Line, Scope, write_export
from carrierflow.audit.export.spreadsheet import HEADINGS, cells_of
from carrierflow.audit.export.sql import Placed, definition_texts, scoped_entries
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.entry_kinds import TRANSITION
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.sql import Log, all_checkpoints
from carrierflow.audit.log.tree import inclusion_proof
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
            notes = all_checkpoints(connection)
            if not notes:
                raise NotSealed("The history")
            newest = SignedNote.parse(notes[-1])
            size = newest.checkpoint.size
            contents = Contents(
                scope=scope,
                made_at=self._clock(),
                unsealed=count_waiting(connection, size=size),
                definitions=definition_texts(connection),
                checkpoints=notes if scope.is_whole else notes[-1:],
                consistency=[
                    self._sealer.prove_consistency(old, to=newest) for old in since_checkpoints
                ],
            )
        self._store.transact(lambda c: self._told(c, scope, size))
        lines = self._lines(scope, size, sheet=sheet, progress=progress)
        return write_export(folder, contents, lines, sheet=HEADINGS if sheet else ())

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

    def _lines(
        self, scope: Scope, size: int, *, sheet: bool, progress: Callable[[int], None] | None
    ) -> Iterator[Line]:
        done, whole = 0, scope.is_whole
        with self._store.reading() as rows, self._store.reading() as nodes:
            tree = Log(nodes)
            for some in scoped_entries(rows, scope, size=size):
                for each in some:
                    index = each.position
                    yield Line(
                        kind=each.kind.name,
                        text=each.kind.text(each.row),
                        index=index,
                        leaf=bytes.fromhex(each.leaf),
                        path=() if whole else inclusion_proof(tree.subtree, index, size),
                        cells=_cells(each) if sheet else (),
                    )
                done += len(some)
                if progress is not None:
                    progress(done)


def _cells(each: Placed) -> tuple[Any, ...]:
    """Return what the spreadsheet shows of an entry: of steps alone."""
    if each.kind is not TRANSITION:
        return ()
    row, width = each.row, TRANSITION.width
    fulfillment_id, order_id, shop = row[width - 4 : width - 1]
    return cells_of(each.position, (shop, order_id, fulfillment_id), row, row[width])
