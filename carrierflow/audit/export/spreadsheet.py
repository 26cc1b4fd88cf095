"""Entries as rows of a spreadsheet, for people in Vietnam who open it with a double click.

The file is UTF-8 with a byte order mark, because spreadsheets take it for something else
without. A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from carrierflow.audit.reports.calendar import VIETNAM
from carrierflow.domain.lifecycle import MACHINE_LABELS, label_of
from carrierflow.domain.model import Machine


__all__ = ["BOM", "HEADINGS", "cells_of", "record"]

BOM = b"\xef\xbb\xbf"

HEADINGS = (
    "Vị trí trong nhật ký",
    "Cửa hàng",
    "Mã đơn hàng",
    "Mã vận đơn",
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

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a cell must not begin with: spreadsheets would compute it."""


def cells_of(index: int, ref: Sequence[str], row: Sequence[Any], own: str) -> tuple[Any, ...]:
    """Return the cells of an entry, from the columns of its canonical text."""
    machine, seq, start, end, source, actor, reason, _, occurred, recorded, inferred = row[:11]
    return (
        index,
        *ref,
        MACHINE_LABELS[Machine(machine)].vi,
        seq,
        _label(start),
        _label(end),
        end,
        source,
        actor,
        reason,
        _local(occurred),
        _local(recorded),
        "có" if inferred else "không",
        row[12],
        own,
    )


def record(cells: Sequence[Any]) -> bytes:
    """Write one row as CSV, safe to open."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([_safe(cell) for cell in cells])
    return line.getvalue().encode()


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _label(place: str) -> str:
    """Name a status; a word that is none is shown as it is, for an auditor must see it."""
    try:
        return label_of(place).vi
    except ValueError:
        return place


def _local(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(VIETNAM):%Y-%m-%d %H:%M:%S}"
