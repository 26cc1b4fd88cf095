"""What a report rests on: the checkpoint that covers the history, and the export it goes with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select

from carrierflow.audit.export.named import NamedExport, name_export
from carrierflow.audit.log.checkpoint import Checkpoint
from carrierflow.audit.log.sql import Log, newest_checkpoint
from carrierflow.audit.log.unplaced import count_waiting
from carrierflow.errors import InvalidInput
from carrierflow.storage.tables import checkpoints


__all__ = ["ReportBasis", "basis_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportBasis:
    """The newest checkpoint at the time of a report."""

    checkpoint: Checkpoint | None
    """None where nothing is sealed: such a report rests on the database alone."""
    sealed_at: datetime | None
    unsealed: int
    """Entries that no checkpoint covers yet."""
    export: NamedExport | None = None
    """The export that was named; its log is this one."""


def basis_of(connection: Connection, export: Path | None = None) -> ReportBasis:
    """Say what a report that is read now rests on.

    Raises:
        InvalidInput: if the export cannot be read, or is one of another log.
    """
    note = newest_checkpoint(connection)
    size = note.checkpoint.size if note else 0
    query = select(checkpoints.c.sealed_at).where(checkpoints.c.size == size)
    return ReportBasis(
        checkpoint=note.checkpoint if note else None,
        sealed_at=connection.execute(query).scalar() if note else None,
        unsealed=count_waiting(connection, size=size),
        export=None if export is None else _of_this_log(connection, name_export(export)),
    )


def _of_this_log(connection: Connection, export: NamedExport) -> NamedExport:
    log = Log(connection)
    if export.size > log.size or log.root(export.size).hex() != export.root:
        raise InvalidInput("The export is of another log: its root is not one of this one.")
    return export
