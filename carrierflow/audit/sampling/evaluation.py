"""What a filled-in sample says of all parcels: the likely error, and the most that there may be.

Of a sample of parcels the limit is the exact one for so many of so many (hypergeometric). By
amount it is Stringer's: what is found in a parcel of the interval or more counts as it is, each
other error by the part of its amount that is wrong, the worst first, with Poisson's factors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from carrierflow.audit.sampling.factors import confidence_factor, most_errors
from carrierflow.audit.sampling.sample_plan import PERCENT, SampleMethod
from carrierflow.audit.sampling.sheet import FilledSheet, SheetLine
from carrierflow.errors import InvalidInput


__all__ = ["AmountResult", "RateResult", "SampleEvaluation", "evaluated"]


@dataclass(frozen=True, kw_only=True, slots=True)
class RateResult:
    """How many parcels of a population are wrong, by those that were looked at."""

    stratum: str | None
    """None for all parcels together."""
    parcels: int
    looked_at: int
    deviations: int
    projected: float
    """In percent."""
    upper_limit: float
    """In percent; at the confidence of the plan no more are wrong."""
    upper_parcels: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AmountResult:
    """By how much a total is wrong in one direction, by the đồng that were looked at."""

    direction: str
    """`overstated`: the books say more than there was; or `understated`."""
    errors: int
    known: int
    """Found in parcels of the interval or more, which were all looked at."""
    projected: int
    """What is known, and what the others stand for."""
    precision: int
    """What the limit allows for beyond it, because so few were looked at."""
    upper_limit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleEvaluation:
    """What follows from a sample."""

    method: SampleMethod
    confidence: float
    accepted: bool
    """Whether no limit is above what is tolerable or material."""
    rates: tuple[RateResult, ...]
    """All parcels first, then stratum by stratum; nothing by amount."""
    amounts: tuple[AmountResult, ...]
    """By amount: too much first, then too little."""


def evaluated(sheet: FilledSheet) -> SampleEvaluation:
    """Say what follows from a sheet.

    Raises:
        InvalidInput: if a line is not filled in.
    """
    plan = sheet.plan
    by_amount = plan.method is SampleMethod.AMOUNT
    missing = [
        line.own[0]
        for line in sheet.lines
        if (line.audited is None if by_amount else line.deviates is None)
    ]
    if missing:
        what = "audited amount" if by_amount else "answer"
        raise InvalidInput(f"{len(missing)} parcels have no {what} yet, first number {missing[0]}.")
    rates = () if by_amount else tuple(_rates(sheet))
    amounts = tuple(_amounts(sheet)) if by_amount else ()
    material = plan.materiality or 0
    return SampleEvaluation(
        method=plan.method,
        confidence=plan.confidence,
        accepted=all(rate.upper_limit <= plan.tolerable for rate in rates[:1])
        and all(each.upper_limit <= material for each in amounts),
        rates=rates,
        amounts=amounts,
    )


def _rates(sheet: FilledSheet) -> list[RateResult]:
    parts = [
        _rate(
            [line for line in sheet.lines if line.stratum == each.name],
            each.parcels,
            sheet,
            stratum=each.name,
        )
        for each in sheet.strata
    ]
    return [_rate(sheet.lines, sheet.parcels, sheet, parts=parts), *parts]


def _rate(
    lines: Sequence[SheetLine],
    parcels: int,
    sheet: FilledSheet,
    *,
    stratum: str | None = None,
    parts: Sequence[RateResult] = (),
) -> RateResult:
    found, size = sum(bool(line.deviates) for line in lines), len(lines)
    most = most_errors(parcels, size, found, sheet.plan.confidence / PERCENT) if size else parcels
    if parts:
        projected = sum(part.projected * part.parcels for part in parts) / max(parcels, 1)
    else:
        projected = PERCENT * found / size if size else 0.0
    return RateResult(
        stratum=stratum,
        parcels=parcels,
        looked_at=size,
        deviations=found,
        projected=round(projected, 2),
        upper_limit=round(PERCENT * most / parcels, 2) if parcels else 0.0,
        upper_parcels=most,
    )


def _amounts(sheet: FilledSheet) -> list[AmountResult]:
    differences = [(line.amount, line.amount - (line.audited or 0)) for line in sheet.lines]
    return [
        _amount(direction, [(book, sign * wrong) for book, wrong in differences], sheet)
        for direction, sign in (("overstated", 1), ("understated", -1))
    ]


def _amount(
    direction: str, differences: Sequence[tuple[int, int]], sheet: FilledSheet
) -> AmountResult:
    interval, confidence = sheet.plan.interval, sheet.plan.confidence / PERCENT
    errors = [(book, wrong) for book, wrong in differences if wrong > 0]
    known = sum(wrong for book, wrong in errors if book >= interval)
    parts = sorted((wrong / book for book, wrong in errors if book < interval), reverse=True)
    factors = [confidence_factor(n, confidence) for n in range(len(parts) + 1)]
    steps = [after - before for before, after in pairwise(factors)]
    likely = known + interval * sum(parts)
    above = [factor * part for factor, part in zip(steps, parts, strict=True)]
    seen = sum(book for book, _ in differences if book >= interval)
    basic = factors[0] if seen < sheet.amount else 0.0
    limit = known + interval * (basic + sum(above))
    return AmountResult(
        direction=direction,
        errors=len(errors),
        known=known,
        projected=round(likely),
        precision=round(limit) - round(likely),
        upper_limit=round(limit),
    )
