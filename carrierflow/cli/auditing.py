"""`audit`: proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from carrierflow.audit.export.format import Exported, Scope
from carrierflow.audit.log.anchoring import Anchored
from carrierflow.audit.log.checkpoint import NoteKey, SignedNote, VerifierKey, split_notes
from carrierflow.audit.log.kept import KeptCheckpoint, Trust
from carrierflow.audit.log.sealer import Sealing
from carrierflow.audit.log.timestamps import TimestampAuthority
from carrierflow.audit.log.witness import HttpWitness, WitnessKey
from carrierflow.audit.verify.database import read_kept, trusted
from carrierflow.audit.verify.export import Expectations, verify_export
from carrierflow.audit.verify.replay import Verification
from carrierflow.cli.calendar_days import SINCE, WHEN
from carrierflow.cli.session import ANCHOR_BROKEN, FAILED, Session, command, print_exactly
from carrierflow.domain.model import Machine
from carrierflow.errors import InvalidInput


__all__ = ["ENTRY", "audit", "register"]


@click.group()
def audit() -> None:
    """Prove what happened."""


def register(cli: click.Group) -> None:
    """Add these commands."""
    cli.add_command(audit)


class Entry(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """One entry of a parcel: its machine and its number."""

    name = "entry"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Machine, int]:
        """Read `delivery:3`; anything else is a usage error."""
        machine, _, seq = str(value).partition(":")
        if machine not in tuple(Machine) or not seq.isdecimal():
            self.fail("an entry is written like delivery:3 or cod:2", param, ctx)
        return Machine(machine), int(seq)


class PublicKey(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """The public half of a key of one kind."""

    name = "key"

    def __init__(self, kind: type[NoteKey]) -> None:
        self._kind = kind

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> NoteKey:
        """Read a key as it is published; anything else is a usage error."""
        try:
            return self._kind.parse(str(value))
        except InvalidInput as error:
            self.fail(str(error), param, ctx)


MOST_PROCESSES = 64

ENTRY = Entry()
VERIFIER_KEY = PublicKey(VerifierKey)
WITNESS_KEY = PublicKey(WitnessKey)


@command(audit, "verify", example="carrierflow audit verify --checkpoint kept.txt --json")
@click.option(
    "--checkpoint",
    "kept_files",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="A file of checkpoints that somebody kept; may be repeated.",
)
@click.option(
    "--verifier-key",
    "keys",
    type=VERIFIER_KEY,
    multiple=True,
    help="The key that must have signed the checkpoints, and no other; may be repeated.",
)
@click.option(
    "--export",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Verify this export, and no database.",
)
@click.option(
    "--witness-key",
    "witnesses",
    type=WITNESS_KEY,
    multiple=True,
    help="A witness that must have cosigned the export's checkpoint; may be repeated.",
)
@click.option(
    "--unauthenticated",
    is_flag=True,
    help="Accept an export of which no signature is checked, for want of a key.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_PROCESSES),
    default=1,
    show_default=True,
    help="How many processes share the replay of a database.",
)
def verify(
    session: Session,
    folder: Path | None,
    *,
    kept_files: Sequence[Path],
    keys: Sequence[VerifierKey],
    witnesses: Sequence[WitnessKey],
    unauthenticated: bool,
    processes: int,
) -> None:
    """Replay the whole history: hashes, links, legal steps, couplings, heads, log, checkpoints.

    With --export it needs the directory and nothing else. Exits with 1 and names the first bad
    row if anything is not as it was written.
    """
    if folder is not None and processes > 1:
        raise click.UsageError(
            "An export is read by one process, line after line; leave --processes away."
        )
    kept = [each for file in kept_files for each in read_kept(file, where=str(file))]
    began = time.perf_counter()
    with session.progress("rows") as update:

        def progress(rows: int) -> None:
            update(rows, None)

        if folder is None:
            done = session.app.verify(progress, keys=keys, kept=kept, processes=processes)
        else:
            named = keys or map(VerifierKey.parse, session.settings.verifier_keys)
            trust = trusted(named)
            expected = _expectations(session, trust, kept, witnesses, accepted=unauthenticated)
            done = verify_export(folder, expected, progress=progress)
    _emit_verification(session, done, time.perf_counter() - began)


def _expectations(
    session: Session,
    trust: Trust,
    kept: Sequence[KeptCheckpoint],
    witnesses: Sequence[WitnessKey],
    *,
    accepted: bool,
) -> Expectations:
    settings = session.settings
    named = [HttpWitness.parse(text).key for text in settings.witnesses]
    roots = settings.timestamp_roots
    return Expectations(
        trust=trust,
        kept=kept,
        witnesses=witnesses or named,
        stamps=TimestampAuthority(roots) if roots else None,
        tolerance=timedelta(seconds=settings.clock_tolerance_seconds),
        unauthenticated=accepted,
    )


def _emit_verification(session: Session, done: Verification, seconds: float) -> None:
    first = done.problems[0] if done.problems else None
    document = {
        "ok": done.ok,
        "reason": done.reason,
        "rows": done.rows,
        "fulfillments": done.fulfillments,
        "part": done.part,
        "sealed": done.sealed,
        "kinds": dict(done.kinds),
        "checkpoints": done.checkpoints,
        "first_bad": f"{first.where}: {first.what}" if first else None,
        "problems": [{"where": p.where, "what": p.what} for p in done.problems],
        "remarks": list(done.remarks),
        "rows_per_second": round(sum(done.kinds.values()) / seconds) if seconds else None,
    }
    lines = [f"{p.where}: {p.what}" for p in done.problems]
    if done.ok:
        lines.append(
            f"{sum(done.kinds.values())} entries are as they were written, {done.rows} of them "
            f"steps of {done.fulfillments} fulfillments; {done.sealed} are sealed, "
            f"{done.checkpoints} checkpoints agree."
        )
    if done.part:
        lines.append(f"It is a part: {done.part}.")
    if done.unauthenticated:
        lines.append("No signature was checked: name the key (--verifier-key), or accept that.")
    lines += [f"Note: {remark}" for remark in done.remarks]
    session.emit(document, lambda c: c.say(*lines))
    if not done.ok:
        raise click.exceptions.Exit(ANCHOR_BROKEN if done.reason == "anchor" else FAILED)


@command(
    audit,
    "export",
    example="carrierflow audit export march --shop myshop --since 2026-03-01 --csv --actor lan",
    by_person=True,
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--shop", help="Only the parcels of this shop.")
@click.option("--fulfillment", help="Only this parcel; takes --shop as well.")
@click.option("--since", type=SINCE, help="Only what was recorded from this day or time on.")
@click.option("--until", type=WHEN, help="Only what was recorded up to this day or time.")
@click.option(
    "--checkpoint",
    "kept_files",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help="Checkpoints that the auditor kept; the export proves that the log continues them.",
)
@click.option("--csv", "sheet", is_flag=True, help="Add history.csv for spreadsheets.")
def export(
    session: Session,
    folder: Path,
    *,
    fulfillment: str | None,
    kept_files: Sequence[Path],
    sheet: bool,
    **period: Any,
) -> None:
    """Write what is sealed into FOLDER, with everything that proves it.

    Without further options the whole log. FOLDER must be new or empty. `audit verify --export
    FOLDER` checks it, and so do OpenSSL, Go and sha256sum.
    """
    scope = Scope(fulfillment_id=fulfillment, **period)
    if fulfillment is not None and scope.shop is None:
        raise InvalidInput("A parcel is named by --shop and --fulfillment together.")
    kept = [each.seen for file in kept_files for each in read_kept(file, where=str(file))]
    with session.progress("rows") as update:
        done = session.app.exporter.export(
            folder,
            scope,
            since_checkpoints=kept,
            sheet=sheet,
            progress=lambda rows: update(rows, None),
        )
    document = {
        "folder": str(done.folder),
        "rows": done.rows,
        "size": done.size,
        "unsealed": done.unsealed,
        "files": list(done.files),
    }
    session.emit(document, lambda c: c.say(_exported(done)))


def _exported(done: Exported) -> str:
    text = f"{done.rows} of {done.size} sealed entries are in {done.folder}."
    if done.unsealed:
        text += f" {done.unsealed} are not sealed yet and were left out; `audit seal` seals them."
    return text


@command(audit, "seal", example="carrierflow audit seal")
def seal(session: Session) -> None:
    """Give every entry its place in the log, sign a checkpoint, and hand it to the anchors.

    Runs of `reconcile` do this too when they end. Exits with 1 if an entry is not as it was
    written, an anchor did not take the checkpoint, or no key is set: then places are given, and
    nothing is signed.
    """
    with session.progress("rows") as update:
        done = session.app.sealer.seal(lambda rows: update(rows, None))
    session.emit(_sealing(done), lambda c: c.say(*_sealing_lines(done)))
    if not done.ok:
        raise click.exceptions.Exit(FAILED)


def _sealing(done: Sealing) -> dict[str, Any]:
    seen = done.checkpoint.checkpoint if done.checkpoint else None
    return {
        "sealed": done.sealed,
        "size": done.size,
        "root": seen.root.hex() if seen else None,
        "checkpoint": str(done.checkpoint) if done.checkpoint else None,
        "broken": list(done.broken),
        "anchors": [_anchored(each) for each in done.anchored],
    }


def _anchored(each: Anchored) -> dict[str, Any]:
    problem = str(each.problem) if each.problem else None
    return {"anchor": each.anchor, "kept": each.kept, "problem": problem}


def _sealing_lines(done: Sealing) -> list[str]:
    if not done.has_key:
        text = f"{done.sealed} entries got their places, and the log has {done.size}. Nothing is "
        text += "signed: set seal_key_file; `carrierflow keys generate-seal` makes a key."
        lines = [text]
    elif done.checkpoint is None:
        return ["There is no history to seal."]
    else:
        lines = [f"{done.sealed} entries were sealed; the checkpoint covers {done.size}."]
    lines += [f"{name} does not hash to its hash; it was changed." for name in done.broken]
    for each in done.anchored:
        lines.append(str(each.problem or f"The {each.anchor} anchor has every checkpoint."))
    return lines


@command(audit, "checkpoint", example="carrierflow audit checkpoint --since kept.txt")
@click.option(
    "--since",
    type=click.Path(path_type=Path, dir_okay=False),
    help="An older checkpoint; prove that the newest continues it.",
)
def checkpoint(session: Session, since: Path | None) -> None:
    """Print the newest checkpoint, a signed note.

    With --since FILE print instead the proof that it continues the last checkpoint in FILE.
    Exits with 1 if it does not: the log was rolled back, or another was put in its place.
    """
    note = session.app.sealer.newest()
    seen = note.checkpoint
    proof = session.app.sealer.prove_consistency(_last_note(since).checkpoint) if since else None
    document = {
        "origin": seen.origin,
        "size": seen.size,
        "root": seen.root.hex(),
        "checkpoint": str(note),
        "since": proof.old_size if proof else None,
        "proof": str(proof) if proof else None,
    }
    session.emit(document, lambda _: print_exactly(str(proof or note)))


def _last_note(file: Path) -> SignedNote:
    try:
        notes = list(split_notes(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} cannot be read: {error}.") from error
    if not notes:
        raise InvalidInput(f"{file} holds no checkpoint.")
    return SignedNote.parse(notes[-1])


@command(
    audit, "prove", example="carrierflow audit prove myshop 2001 delivery:3 > entry.tlog-proof"
)
@click.argument("shop")
@click.argument("fulfillment_id")
@click.argument("entry", type=ENTRY)
def prove(session: Session, shop: str, fulfillment_id: str, entry: tuple[Machine, int]) -> None:
    """Print the proof that one entry stands in the log, with the checkpoint that it leads to.

    ENTRY is a machine and a number, as `history` shows them: delivery:3.
    """
    proof = session.app.sealer.prove(shop, fulfillment_id, *entry)
    document = {
        "entry": proof.entry,
        "index": proof.index,
        "path": [step.hex() for step in proof.path],
        "checkpoint": str(proof.checkpoint),
        "proof": str(proof),
    }
    session.emit(document, lambda _: print_exactly(str(proof)))
