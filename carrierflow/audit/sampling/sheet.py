"""The sheet that an auditor fills in: a CSV file with the plan on top and a line for each parcel.

It can be opened with a double click and saved by any spreadsheet, with commas, semicolons or
tabulators. The last three columns are the auditor's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from carrierflow.audit.export.spreadsheet import BOM, record, safe
from carrierflow.audit.sampling.population import Stratum
from carrierflow.audit.sampling.sample_plan import (
    AuditSample,
    DrawnParcel,
    SampleMethod,
    SamplePlan,
    StratumSize,
)
from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput


__all__ = ["FilledSheet", "SheetLine", "differing_lines", "read_sheet", "sheet_of"]

FORM = "carrierflow-sample/1"
COLUMNS = (
    "Số thứ tự (number)",
    "Cửa hàng (shop)",
    "Mã đơn hàng (order)",
    "Mã vận đơn (fulfillment)",
    "Mã theo dõi (tracking number)",
    "Nhóm (stratum)",
    "Số lần chọn (hits)",
    "Giá trị sổ sách (book amount)",
    "Giá trị kiểm tra (audited amount)",
    "Sai lệch: có/không (deviation: yes/no)",
    "Ghi chú (remark)",
)
AUDITED, DEVIATION = 8, 9
OWN = slice(0, 8)
"""The columns that are ours."""

YES = frozenset({"yes", "y", "có", "co", "x", "1", "true"})
NO = frozenset({"no", "n", "không", "khong", "0", "false"})
AMOUNT = re.compile(r"[0-9]{1,3}(?:[., \u00a0\u202f][0-9]{3})+|[0-9]+")
STRATUM = "stratum "


@dataclass(frozen=True, kw_only=True, slots=True)
class SheetLine:
    """One parcel as it was drawn, and what the auditor found."""

    own: tuple[str, ...]
    """The cells that were there when the sheet was made."""
    stratum: str
    amount: int
    audited: int | None
    """None where nothing was filled in."""
    deviates: bool | None
    """None where nothing was filled in, neither here nor as an amount."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilledSheet:
    """A sheet as it came back."""

    plan: SamplePlan
    size: int
    root: str
    parcels: int
    amount: int
    strata: tuple[StratumSize, ...]
    lines: tuple[SheetLine, ...]


def sheet_of(sample: AuditSample) -> bytes:
    """Return the sheet of a sample, to be filled in."""
    rows: list[Sequence[object]] = [(FORM,), *_head(sample), (), COLUMNS]
    rows += [(*own_cells(each), "", "", "") for each in sample.drawn]
    return BOM + b"".join(map(record, rows))


def own_cells(each: DrawnParcel) -> tuple[object, ...]:
    """Return the cells of a parcel that are not the auditor's."""
    unit, ref = each.unit, each.unit.ref
    return (
        each.number,
        ref.shop,
        ref.order_id,
        ref.fulfillment_id,
        unit.tracking_number or "",
        each.stratum,
        each.hits,
        unit.amount,
    )


def _head(sample: AuditSample) -> Iterator[tuple[object, ...]]:
    plan = sample.plan
    by_amount = plan.method is SampleMethod.AMOUNT
    facts = {
        "method": plan.method,
        "seed": plan.seed,
        "size": sample.size,
        "root": sample.root,
        "parcels": sample.parcels,
        "amount": sample.amount,
        "drawn": len(sample.drawn),
        "confidence": plan.confidence,
        "tolerable": None if by_amount else plan.tolerable,
        "expected": None if by_amount else plan.expected,
        "materiality": plan.materiality,
        "expected_amount": plan.expected_amount if by_amount else None,
        "interval": plan.interval if by_amount else None,
        "count": plan.count,
        "by": plan.by,
        "shop": plan.shop,
        "status": plan.status,
    }
    yield from ((name, str(fact)) for name, fact in facts.items() if fact is not None)
    yield from ((f"{STRATUM}{s.name}", s.parcels, s.drawn) for s in sample.strata)


def read_sheet(content: bytes) -> FilledSheet:
    """Read a sheet that was filled in.

    Raises:
        InvalidInput: if it is none, or what stands in a cell cannot be understood; the sentence
            names the line.
    """
    try:
        text = content.removeprefix(BOM).decode()
    except UnicodeDecodeError:
        raise InvalidInput("The sheet is not UTF-8: save it as CSV UTF-8.") from None
    if not text.lstrip('"').startswith(FORM):
        raise InvalidInput(f"This is no sheet of a sample: its first cell is not {FORM}.")
    rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text)))
    head: dict[str, list[str]] = {}
    for number, row in enumerate(rows[1:], 2):
        if row and row[0] == COLUMNS[0]:
            filled = enumerate(rows[number:], number + 1)
            lines = [_line(cells, at) for at, cells in filled if any(cells)]
            return _sheet(head, lines)
        if any(row):
            head[_plain(row[0])] = row[1:]
    raise InvalidInput("The sheet has no line of headings.")


def _delimiter(text: str) -> str:
    """Return what parts the cells: spreadsheets write what their country is used to."""
    line = next((line for line in text.splitlines() if "(number)" in line), "")
    return max(",;\t", key=line.count)


def _sheet(head: Mapping[str, Sequence[str]], lines: Sequence[SheetLine]) -> FilledSheet:
    facts = {name: _plain(cells[0]) if cells else "" for name, cells in head.items()}
    try:
        plan = SamplePlan(
            method=SampleMethod(facts["method"]),
            seed=facts["seed"],
            confidence=_decimal(facts["confidence"]),
            tolerable=_decimal(facts.get("tolerable", "5")),
            expected=_decimal(facts.get("expected", "0")),
            materiality=_number(facts.get("materiality")),
            expected_amount=_number(facts.get("expected_amount")) or 0,
            count=_number(facts.get("count")),
            by=Stratum(facts["by"]) if "by" in facts else None,
            shop=facts.get("shop"),
            status=Status(facts["status"]) if "status" in facts else None,
        )
        strata = [
            StratumSize(name=name.removeprefix(STRATUM), parcels=int(cells[0]), drawn=int(cells[1]))
            for name, cells in head.items()
            if name.startswith(STRATUM)
        ]
        sheet = FilledSheet(
            plan=plan,
            size=int(facts["size"]),
            root=facts["root"],
            parcels=int(facts["parcels"]),
            amount=int(facts["amount"]),
            strata=tuple(strata),
            lines=tuple(lines),
        )
        wanted = int(facts["drawn"])
    except (KeyError, ValueError, IndexError) as error:
        if isinstance(error, InvalidInput):
            raise
        raise InvalidInput(f"The head of the sheet was changed: {error}.") from error
    if len(lines) != wanted:
        raise InvalidInput(f"{wanted} parcels were drawn, and the sheet has {len(lines)}.")
    return sheet


def _line(cells: Sequence[str], at: int) -> SheetLine:
    own = tuple(map(_plain, cells[OWN]))
    amount = _number(own[-1]) if len(own) == OWN.stop else None
    if amount is None:
        raise InvalidInput(f"Line {at}: cells are missing.")
    audited = _filled(cells, AUDITED)
    if audited and not AMOUNT.fullmatch(audited):
        raise InvalidInput(f"Line {at}: the audited amount is no amount in whole đồng.")
    said = _filled(cells, DEVIATION).casefold()
    if said and said not in YES | NO:
        raise InvalidInput(f"Line {at}: the deviation is neither yes (có) nor no (không).")
    found = _number(audited)
    differs = None if found is None else found != amount
    return SheetLine(
        own=own,
        stratum=own[5],
        amount=amount,
        audited=found,
        deviates=(said in YES or bool(differs)) if said or differs is not None else None,
    )


def _filled(cells: Sequence[str], place: int) -> str:
    return cells[place].strip().removesuffix("₫").strip() if place < len(cells) else ""


def _number(text: str | None) -> int | None:
    return int(re.sub(r"\D", "", text)) if text else None


def _decimal(text: str) -> float:
    return float(text.replace(",", "."))


def _plain(cell: str) -> str:
    """Return a cell without the apostrophe that kept a spreadsheet from computing it."""
    return cell[1:] if cell.startswith("'") and cell[1:2] in set("=+-@") else cell


def differing_lines(sheet: FilledSheet, drawn: AuditSample) -> Iterator[str]:
    """Say where a sheet is not what is drawn by its own plan."""
    totals = (sheet.parcels, sheet.amount, sheet.strata)
    if totals != (drawn.parcels, drawn.amount, drawn.strata):
        yield "The totals on the sheet are not those of the parcels that it was drawn from."
    wanted = [tuple(_plain(str(safe(cell))) for cell in own_cells(each)) for each in drawn.drawn]
    for number, (line, own) in enumerate(zip_longest(sheet.lines, wanted), 1):
        if line is None:
            yield f"Number {number} was drawn and is not on the sheet."
        elif line.own != own:
            yield f"Number {number} on the sheet is not the parcel that was drawn."
