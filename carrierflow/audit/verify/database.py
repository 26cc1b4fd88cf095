"""Verifying the live database: its parcels, its log, and the checkpoints that speak of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from carrierflow.audit.log.checkpoint import VerifierKey
from carrierflow.audit.log.kept import OWN, KeptCheckpoint, TreeCheck, Trust, kept_in
from carrierflow.audit.log.keys import is_signature
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.log.sql import all_checkpoints, definition_names, leaves, lost_entries
from carrierflow.audit.verify.replay import (
    MOST_PROBLEMS,
    Findings,
    HeadRow,
    Rules,
    Stored,
    Verification,
    verify_parcels,
)
from carrierflow.audit.verify.sql import definition_rows, entry_rows, head_row, head_rows
from carrierflow.errors import InvalidInput
from carrierflow.storage import Connection, SqlStore


__all__ = ["DatabaseVerifier", "read_kept", "trusted"]

ANCHOR = "anchored checkpoint"


class DatabaseVerifier:
    """Looks at a database as if nobody could be trusted who can write it."""

    def __init__(
        self,
        store: SqlStore,
        sealer: LogSealer,
        *,
        verifier_keys: Sequence[str] = (),
        anchor_file: Path | None = None,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._verifier_keys = verifier_keys
        self._anchor_file = anchor_file

    def verify(
        self,
        progress: Callable[[int], None] | None = None,
        *,
        keys: Sequence[VerifierKey] = (),
        kept: Sequence[KeptCheckpoint] = (),
    ) -> Verification:
        """Replay every parcel, then compare the log with every checkpoint.

        Raises:
            ConfigurationError, InvalidInput: if a key or a file of the settings cannot be used.
        """
        own_keys = [self._sealer.key.verifier] if self._sealer.can_seal else []
        findings, trust = Findings(), trusted(self._verifier_keys, [*own_keys, *keys])
        rows, parcels, sealed = self._replay(findings, progress)
        with self._store.reading() as connection:
            own = "\n".join(all_checkpoints(connection))
            known = [*kept_in(own, where=OWN), *self._anchored(), *kept]
            trust.look_at(known, findings)
            places = self._compare(connection, known, findings)
            if places != sealed:
                _name_lost(connection, findings)
        return Verification(
            rows=rows,
            fulfillments=parcels,
            problems=tuple(findings.problems),
            sealed=sealed,
            checkpoints=len(known),
            remarks=tuple(findings.remarks),
        )

    def _replay(
        self, findings: Findings, progress: Callable[[int], None] | None
    ) -> tuple[int, int, int]:
        with self._store.reading() as heads, self._store.reading() as entries:
            rules = Rules(definition_rows(heads), findings)
            rows = entry_rows(entries)
            stored = Stored(
                definitions=definition_names(heads),
                heads=head_rows(heads),
                rows=_counted(rows, progress) if progress else rows,
                reread=self._reread,
            )
            return verify_parcels(rules, stored, findings)

    def _reread(self, head: HeadRow) -> HeadRow:
        with self._store.reading() as connection:
            return head_row(connection, head.parcel) or head

    def _anchored(self) -> list[KeptCheckpoint]:
        file = self._anchor_file
        if file is None or not file.exists():
            return []
        return kept_in(_text_of(file), where=ANCHOR)

    def _compare(
        self, connection: Connection, known: Sequence[KeptCheckpoint], findings: Findings
    ) -> int | None:
        """Go through the log in its order; return how many places it has, if it has no gap."""
        tree = TreeCheck(known, findings)
        for some in leaves(connection):
            if some[-1][0] != tree.size + len(some) - 1:
                gap = next(n for n, row in enumerate(some, tree.size) if row[0] != n)
                findings.add("log", f"place {gap} is missing: an entry was taken out of the log")
                return None
            tree.add([bytes.fromhex(row[1]) for row in some])
        tree.finish()
        return tree.size


def trusted(verifier_keys: Iterable[str], keys: Iterable[VerifierKey] = ()) -> Trust:
    """Return whose signatures count: keys as settings write them, and some more.

    Raises:
        InvalidInput: if a setting is no key.
    """
    named = [VerifierKey.parse(text) for text in verifier_keys]
    return Trust(keys=[*named, *keys], check=is_signature)


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


def _name_lost(connection: Connection, findings: Findings) -> None:
    for row in lost_entries(connection, most=MOST_PROBLEMS):
        where = f"fulfillment {row.fulfillment} {row.machine}:{row.seq}"
        findings.add(where, f"it stands at place {row.position} of the log and is gone")


def _counted(
    rows: Iterator[Sequence[Any]], progress: Callable[[int], None]
) -> Iterator[Sequence[Any]]:
    for number, row in enumerate(rows, 1):
        if number % 1000 == 0:
            progress(number)
        yield row
