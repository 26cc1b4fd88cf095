"""`record-file`: files of scans, from wherever they can be read."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

import click

from carrierflow.cli.grouped_errors import GroupedErrors
from carrierflow.cli.sender_options import sender_of, sender_options
from carrierflow.cli.session import FAILED, Session, command, moment, tell
from carrierflow.cli.streams import why_lost
from carrierflow.domain import limits
from carrierflow.domain.model import Recorded
from carrierflow.errors import CarrierflowError, FileAlreadyRecorded, InvalidInput
from carrierflow.ledger.files import (
    EventRow,
    RowFormat,
    VerdictCounts,
    digest_of,
    read_rows,
    verdict_line,
)


__all__ = ["register"]


def register(cli: click.Group) -> None:
    """Add this command."""
    command(cli, "record-file", example="carrierflow record-file scans.jsonl --verdicts out.jsonl")(
        record_file
    )


@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--fill-gaps", is_flag=True, help="Infer steps whose scans are missing.")
@click.option("--force", is_flag=True, help="Record a file again that was recorded before.")
@click.option(
    "--format",
    "kind",
    type=click.Choice([form.value for form in RowFormat]),
    help="By default, what the name says.",
)
@click.option(
    "--verdicts", type=click.File("w", encoding="utf-8"), help="Write one verdict for each row."
)
@sender_options
def record_file(
    session: Session,
    file: Path,
    kind: str | None,
    verdicts: IO[str] | None,
    *,
    fill_gaps: bool,
    force: bool,
    **sender: Any,
) -> None:
    """Record many events from JSON lines or CSV; - reads stdin.

    Every row is accounted for. Exits with 1 where rows were rejected: malformed, or a key used
    again with other content. After an interruption record the file again: rows that are known
    already are reported as duplicates. The first ten errors of a kind are told one by one.
    """
    written = sender_of(**sender)
    with _opened(file) as stream:
        digest = digest_of(stream)
        known = session.app.file_recorded_at(digest)
        if known is not None and not force:
            raise FileAlreadyRecorded(str(file), recorded_at=moment(known) or "")
        counts, errors = VerdictCounts(), GroupedErrors()
        with session.progress("rows") as update:
            rows = read_rows(
                stream,
                kind=RowFormat(kind) if kind else None,
                name=str(file),
                fill_gaps=fill_gaps,
                sender=written,
            )
            for row, answer in session.app.record_rows(rows):
                counts = counts.add(answer)
                if verdicts is not None:
                    verdicts.write(_verdict(row, answer))
                if not session.as_json and _is_told(answer, errors):
                    tell(f"row {row.number}: {answer}")
                update(counts.rows, None)
    for line in errors.untold():
        tell(line)
    if verdicts is not None:
        _keep(verdicts)
    if counts.rows:  # files of a header alone are all the same bytes
        session.app.file_recorded(digest, name=_storable(file.name), row_count=counts.rows)
    _report_counts(session, counts)


def _is_told(answer: Recorded | InvalidInput, errors: GroupedErrors) -> bool:
    return isinstance(answer, CarrierflowError) and errors.add(answer)


def _verdict(row: EventRow, answer: Recorded | InvalidInput) -> str:
    line = verdict_line(row.number, row.event, answer)
    return json.dumps(line, ensure_ascii=False) + "\n"


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Open a file that is read twice; what can be read but once is copied to one first.

    A pipe, `<(...)` and standard input are of that kind.
    """
    with ExitStack() as stack:
        if str(file) == "-":
            if sys.stdin is None:
                raise InvalidInput("Standard input is closed.")
            stream: BinaryIO = sys.stdin.buffer
        else:
            try:
                stream = stack.enter_context(file.open("rb"))
            except FileNotFoundError:
                raise InvalidInput(f"There is no file {file}.") from None
            except OSError as error:
                raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error
        if not _can_be_read_twice(stream):
            spool = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(stream, spool)
            spool.seek(0)
            stream = spool
        yield stream


def _can_be_read_twice(stream: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode) and stream.tell() == 0
    except OSError:  # where standard input is no file of the system's
        return False


def _keep(verdicts: IO[str]) -> None:
    """See to it that the verdicts are on disk before the file is called recorded."""
    verdicts.flush()
    problem = why_lost(verdicts)
    if problem is not None:
        raise InvalidInput(
            f"The verdicts cannot be written: {problem.strerror}. The rows are recorded; record "
            "the file again to have their verdicts."
        )
    with suppress(io.UnsupportedOperation):
        if stat.S_ISREG(os.fstat(verdicts.fileno()).st_mode):
            os.fsync(verdicts.fileno())


def _storable(name: str) -> str:
    """Return the name of a file as databases hold it, bytes that are no UTF-8 by their codes."""
    readable = os.fsencode(name).decode("utf-8", errors="backslashreplace")
    return limits.cut(readable, limits.FILE_NAME)


def _report_counts(session: Session, counts: VerdictCounts) -> None:
    document = {
        name: getattr(counts, name)
        for name in ("accepted", "duplicate", "late", "refused", "rejected", "rows")
    }
    line = ", ".join(f"{value} {name}" for name, value in document.items())
    session.emit(document, lambda c: c.say(line))
    if counts.rejected:
        raise click.exceptions.Exit(FAILED)
