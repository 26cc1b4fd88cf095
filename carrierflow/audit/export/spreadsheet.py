"""Entries as rows of a spreadsheet, for people in Vietnam who open it with a double click.

The file is UTF-8 with a byte order mark, because spreadsheets take it for something else
without. A cell that a spreadsheet would take for a formula begins with an apostrophe; what does
not print is shown by its code.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.domain.foreign_text import shown
from carrierflow.domain.lifecycle import MACHINE_LABELS, label_of
from carrierflow.domain.model import Machine


__all__ = ["BOM", "HEADINGS", "TERMS", "record", "safe", "sheet_rows"]

BOM = b"\xef\xbb\xbf"

HEADINGS = (
    "Vị trí trong nhật ký",
    "Cửa hàng",
    "Mã đơn hàng",
    "Mã phiếu giao hàng",
    "Mã vận đơn",
    "Tiền thu hộ (đồng)",
    "Loại",
    "Bước",
    "Từ trạng thái",
    "Đến trạng thái",
    "Mã trạng thái",
    "Nguồn",
    "Người thực hiện",
    "Lý do",
    "Xảy ra lúc (giờ Việt Nam)",
    "Ghi nhận lúc (giờ Việt Nam)",
    "Suy ra",
    "Sửa bước",
    "Mã băm",
)

REVISION = "revision"
TERMS = ("opening", REVISION)
"""The kinds of entries that say what was agreed about a parcel."""

FORMULA = ("=", "+", "-", "@")
"""What a cell must not begin with: spreadsheets would compute it."""


def sheet_rows(entries: Path, places: Path) -> Iterator[tuple[int, bytes]]:
    """Make the rows of an export's lines: the number of each line, and its row.

    Only steps have one, each with what was agreed about its parcel by then; what it was opened
    with counts from the beginning, though it may stand behind its first steps in the log.
    """
    terms = _openings(entries)
    with entries.open("rb") as lines, places.open("rb") as stated:
        for number, (line, place) in enumerate(zip(lines, stated, strict=False), 1):
            text = line.removesuffix(b"\n")
            entry = json.loads(text)
            ref = _ref(entry)
            if entry.get("kind") == REVISION:
                terms[ref] = entry["tracking_number"], entry["cod_amount"]
            if "kind" in entry:
                continue
            waybill, amount = terms.get(ref, (None, None))
            index, own = int(place.partition(b" ")[0]), sha256(text).hexdigest()
            agreed = waybill, None if amount is None else int(amount)
            yield number, record((index, *ref, *agreed, *_cells(entry), own))


def _openings(entries: Path) -> dict[tuple[str, ...], tuple[str | None, str]]:
    with entries.open("rb") as lines:
        found = [json.loads(line) for line in lines if b'"kind":"opening"' in line]
    return {_ref(entry): (entry["tracking_number"], entry["cod_amount"]) for entry in found}


def _ref(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(entry.get(name) or "" for name in ("shop", "order_id", "fulfillment_id"))


def _cells(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        MACHINE_LABELS[Machine(entry["machine"])].vi,
        int(entry["seq"]),
        _label(entry["from"]),
        _label(entry["to"]),
        entry["to"],
        entry["source"],
        entry["actor"],
        entry["reason"],
        _local(entry["occurred_at"]),
        _local(entry["recorded_at"]),
        "có" if entry["inferred"] else "không",
        entry["amends"],
    )


def record(cells: Sequence[Any]) -> bytes:
    """Write one row as CSV, safe to open."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([safe(cell) for cell in cells])
    return line.getvalue().encode()


def safe(cell: Any) -> Any:
    """Return a cell that nothing computes and that steers nothing that shows it."""
    if not isinstance(cell, str):
        return cell
    text = shown(cell)
    return f"'{text}" if text.startswith(FORMULA) else text


def _label(place: str) -> str:
    """Name a status; a word that is none is shown as it is, for an auditor must see it."""
    try:
        return label_of(place).vi
    except ValueError:
        return place


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}"
