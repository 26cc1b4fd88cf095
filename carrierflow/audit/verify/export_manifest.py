"""What an export says of itself: compared with what is there, under the key of the log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from carrierflow.audit.export.format import (
    ENTRIES,
    ENTRY_FILES,
    FORM,
    MANIFEST,
    PLACES,
    SHEET,
    SIGNATURE,
    SUMS,
)
from carrierflow.audit.export.manifest import is_manifest_signed
from carrierflow.audit.export.spreadsheet import BOM, HEADINGS, record, sheet_rows
from carrierflow.audit.log.checkpoint import Checkpoint, SignedNote
from carrierflow.audit.log.kept import Trust
from carrierflow.audit.verify.replay import Findings
from carrierflow.domain.canonical import stamp
from carrierflow.errors import InvalidInput


__all__ = ["ExportManifest"]

SCOPE = ("shop", "fulfillment_id", "since", "until")
DAMAGED = f"{MANIFEST} cannot be read; the export is damaged."
FIGURES = ("rows", "left_out", "kinds", "shops")


@dataclass(frozen=True, slots=True)
class ExportManifest:
    """The manifest of one export."""

    folder: Path
    said: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> ExportManifest:
        """Read the manifest of a directory.

        Raises:
            InvalidInput: if it is no export, or of a form that is not known.
        """
        if not (folder / MANIFEST).is_file():
            raise InvalidInput(f"{folder} is no export: it has no {MANIFEST}.")
        try:
            said: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            form, scope = said["form"], said["scope"]
            known = form in ENTRY_FILES and isinstance(said["whole"], bool)
            figures = FIGURES if form == FORM else ("rows",)
            whole = all(name in said for name in figures)
            if not known or not set(SCOPE) <= set(scope) or not whole:
                raise InvalidInput(f"This version cannot read exports of the form {form!r}.")
            known_files = form != FORM or isinstance(said["files"], dict)
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInput(DAMAGED) from error
        if not known_files:
            raise InvalidInput(DAMAGED)
        return cls(folder, said)

    @property
    def is_signed_form(self) -> bool:
        """Tell whether it is of the form whose manifest is signed."""
        return bool(self.said["form"] == FORM)

    @property
    def entries(self) -> str:
        """The name of the file of entries."""
        return ENTRY_FILES[self.said["form"]]

    @property
    def whole(self) -> bool:
        """Tell whether it says that nothing is left out."""
        return bool(self.said["whole"])

    @property
    def cuts_chains(self) -> bool:
        """Tell whether a parcel's history may begin or end in the middle."""
        return any(self.said["scope"][name] is not None for name in ("since", "until"))

    @property
    def part(self) -> str | None:
        """What part of the log it is, in words; None if it is all of it."""
        if self.whole:
            return None
        words = [f"{n.removesuffix('_id')} {v}" for n, v in self.said["scope"].items() if v]
        return f"{self.said['rows']:,} of {self.said.get('size', 0):,} entries, {', '.join(words)}"

    def check_files(self, findings: Findings) -> None:
        """Compare the bytes of every file with both lists of digests; each is named once.

        Where lines were named already, their file is not: that its bytes are others is known.
        """
        sums, listed = self._sums(), dict(self.said["files"]) if self.is_signed_form else {}
        explained = {self.entries} if any(_is_line(p.where) for p in findings.problems) else set()
        for name in sorted({*sums, *listed, *self._here()} - explained):
            what = self._flaw(name, sums.get(name), listed.get(name))
            if what is not None:
                findings.add(name, what)

    def _here(self) -> set[str]:
        if not self.is_signed_form:
            return set()
        return {file.name for file in self.folder.iterdir()} - {SUMS}

    def _flaw(self, name: str, summed: str | None, listed: str | None) -> str | None:
        """Return what is wrong with a file, by what the lists say of it; None if nothing is."""
        file, ours = self.folder / Path(name).name, name in {MANIFEST, SIGNATURE}
        if not file.is_file():
            return "it is missing"
        digest = _digest(file)
        if self.is_signed_form and not ours and listed is None:
            return f"{MANIFEST} does not name it: it was put there"
        if listed is not None and digest != listed:
            return f"its bytes are not those that {MANIFEST} names"
        if digest != summed:
            return f"its bytes are not those that {SUMS} names"
        return None

    def check_signature(self, newest: Checkpoint, trust: Trust, findings: Findings) -> None:
        """Say if the manifest is not what the key of the log signed, or of another checkpoint."""
        if not self.is_signed_form:
            if newest.at is not None:
                what = "it is of an older form than its checkpoint: its signature was taken away"
                findings.add(MANIFEST, what)
            findings.remarks.append(
                "The export is of a form whose manifest is not signed: that a part is complete "
                "cannot be proven."
            )
            return
        said = [self.said.get(name) for name in ("origin", "size", "root", "signed_at")]
        at = stamp(newest.at) if newest.at else None
        if said != [newest.origin, newest.size, newest.root.hex(), at]:
            findings.add(MANIFEST, "it is of another checkpoint than the one that is there")
        if self.whole != all(self.said["scope"][name] is None for name in SCOPE):
            findings.add(MANIFEST, "it says that it is a part and the whole")
        if not trust.keys:
            return
        file = self.folder / SIGNATURE
        if not file.is_file():
            findings.add(SIGNATURE, "it is missing: nobody signed what this export is")
            return
        raw, origin = (self.folder / MANIFEST).read_bytes(), newest.origin
        try:
            note = SignedNote.parse(file.read_text(encoding="utf-8"))
        except InvalidInput as error:
            findings.add(SIGNATURE, str(error))
            return
        if not is_manifest_signed(note, origin, raw, list(trust.keys), trust.check):
            findings.add(MANIFEST, "it is not what the verifier key signed: it was changed")

    def compare(self, found: Mapping[str, Any], findings: Findings) -> None:
        """Compare the figures with those of the lines; what is not counted is not compared."""
        for name in FIGURES:
            said = self.said.get(name)
            if name in found and name in self.said and found[name] != said:
                what = _first_difference(said, found[name])
                findings.add(MANIFEST, f"{name}: {what}")

    def check_sheet(self, findings: Findings) -> None:
        """Compare the spreadsheet with the lines, row by row."""
        if not (self.folder / SHEET).is_file() or not self.is_signed_form:
            return
        expected = sheet_rows(self.folder / ENTRIES, self.folder / PLACES)
        with (self.folder / SHEET).open("rb") as rows:
            head = BOM + record(HEADINGS)
            what = None if rows.read(len(head)) == head else "its headings are not ours"
            try:
                while what is None and (next_row := next(expected, None)) is not None:
                    number, row = next_row
                    if rows.read(len(row)) != row:
                        what = f"it does not say what line {number} of {ENTRIES} says"
            except (ValueError, KeyError, TypeError):
                return
            if what is None and rows.read(1):
                what = f"it has rows that {ENTRIES} has not"
        if what is not None:
            findings.add(SHEET, what)

    def _sums(self) -> dict[str, str]:
        text = (self.folder / SUMS).read_text(encoding="utf-8")
        pairs = (line.partition("  ") for line in text.splitlines())
        return {name: value for value, _, name in pairs}


def _is_line(where: str) -> bool:
    return where.startswith(("line ", "place "))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()


def _first_difference(said: Any, found: Any) -> str:
    """Return where two figures differ, by the way to it."""
    if isinstance(said, dict) and isinstance(found, dict):
        for key in sorted({*said, *found}):
            if said.get(key) != found.get(key):
                return f"{key}: {_first_difference(said.get(key), found.get(key))}"
    return f"the manifest says {said}, the lines {found}"
