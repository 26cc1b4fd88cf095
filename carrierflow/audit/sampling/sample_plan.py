"""Plans of samples: why so many, drawn from what; and the sample itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from carrierflow.audit.sampling.draws import by_amount, proportional, random_units
from carrierflow.audit.sampling.factors import planning_factor, size_for_rate
from carrierflow.audit.sampling.population import SampleUnit, Stratum
from carrierflow.domain.model import Status
from carrierflow.errors import InvalidInput


__all__ = ["AuditSample", "DrawnParcel", "SampleMethod", "SamplePlan", "StratumSize", "drawn_by"]

PERCENT = 100


class SampleMethod(StrEnum):
    """How a sample is drawn."""

    PARCELS = "parcels"
    STRATA = "strata"
    AMOUNT = "amount"


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplePlan:
    """What an auditor decides before anything is drawn; with the checkpoint it decides the rest.

    Rates are in percent, amounts in đồng.
    """

    method: SampleMethod
    seed: str
    confidence: float = 95.0
    tolerable: float = 5.0
    """Of parcels and strata: how many in a hundred may be wrong."""
    expected: float = 0.0
    """Of parcels and strata: how many in a hundred are expected to be."""
    materiality: int | None = None
    """By amount: how much may be wrong; it is needed there."""
    expected_amount: int = 0
    """By amount: how much is expected to be."""
    count: int | None = None
    """So many, whatever the rates would ask for; not by amount."""
    by: Stratum | None = None
    shop: str | None = None
    status: Status | None = None
    """Only parcels that stood there, with their delivery or their cash."""

    def __post_init__(self) -> None:
        """Refuse what cannot be a plan.

        Raises:
            InvalidInput: if a number is none of its kind, or one that is needed is not there.
        """
        if not self.seed or not self.seed.isprintable():
            raise InvalidInput("A seed is a line of text.")
        if not 50 <= self.confidence < PERCENT:  # noqa: PLR2004 - below, a coin says as much
            raise InvalidInput("Confidence is from 50 to below 100 percent.")
        if not 0 <= self.expected < self.tolerable <= PERCENT:
            raise InvalidInput("More errors must be tolerable than are expected.")
        if (self.method is SampleMethod.STRATA) != (self.by is not None):
            raise InvalidInput("Strata, and nothing else, are by something.")
        if self.method is SampleMethod.AMOUNT:
            self._check_amounts()

    def _check_amounts(self) -> None:
        if self.materiality is None or self.materiality < 1:
            raise InvalidInput("A sample by amount needs the amount that is material.")
        if not 0 <= self.expected_amount < self.materiality:
            raise InvalidInput("More must be material than is expected to be wrong.")
        if self.count is not None:
            raise InvalidInput("How many are drawn by amount follows from what is material.")

    @property
    def interval(self) -> int:
        """By amount: of how many đồng one is drawn."""
        material = self.materiality or 1
        share = self.expected_amount / material
        return max(1, math.floor(material / planning_factor(share, self.confidence / PERCENT)))


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnParcel:
    """One parcel of a sample."""

    number: int
    unit: SampleUnit
    stratum: str = ""
    hits: int = 1
    """By amount: how many of its đồng were drawn."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StratumSize:
    """A stratum, and how many parcels of it were drawn."""

    name: str
    parcels: int
    drawn: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditSample:
    """Parcels that a seed and a checkpoint chose."""

    plan: SamplePlan
    size: int
    """Of the log at the checkpoint."""
    root: str
    """Of the log at the checkpoint, in hex."""
    parcels: int
    """How many there were to draw from."""
    amount: int
    """How much cash they have together."""
    strata: tuple[StratumSize, ...]
    drawn: tuple[DrawnParcel, ...]


def drawn_by(plan: SamplePlan, units: Sequence[SampleUnit], *, size: int, root: str) -> AuditSample:
    """Draw a sample from parcels in the order of the log.

    Raises:
        InvalidInput: if the plan asks for what no sample can tell.
    """
    units = [unit for unit in units if plan.status in {None, unit.delivery, unit.cash}]
    strata, found = DRAWN[plan.method](plan, units, root)
    return AuditSample(
        plan=plan,
        size=size,
        root=root,
        parcels=len(units),
        amount=sum(unit.amount for unit in units),
        strata=tuple(strata),
        drawn=tuple(
            DrawnParcel(number=number, unit=unit, stratum=stratum, hits=hits)
            for number, (unit, stratum, hits) in enumerate(found, 1)
        ),
    )


Found = tuple[Sequence[StratumSize], Sequence[tuple[SampleUnit, str, int]]]


def _wanted(plan: SamplePlan, parcels: int) -> int:
    if plan.count is not None:
        return min(plan.count, parcels)
    wanted, _ = size_for_rate(
        parcels,
        tolerable=plan.tolerable / PERCENT,
        expected=plan.expected / PERCENT,
        confidence=plan.confidence / PERCENT,
    )
    return wanted


def _parcels(plan: SamplePlan, units: Sequence[SampleUnit], root: str) -> Found:
    some = random_units(units, _wanted(plan, len(units)), seed=plan.seed, root=root)
    return (), [(unit, "", 1) for unit in some]


def _strata(plan: SamplePlan, units: Sequence[SampleUnit], root: str) -> Found:
    if not units or plan.by is None:
        return (), ()
    shared = proportional(units, plan.by, _wanted(plan, len(units)))
    sizes = [
        StratumSize(name=name, parcels=len(some), drawn=wanted)
        for name, (some, wanted) in shared.items()
    ]
    return sizes, list(_each_stratum(plan, {n: u for n, (u, _) in shared.items()}, sizes, root))


def _each_stratum(
    plan: SamplePlan, units: dict[str, list[SampleUnit]], sizes: Sequence[StratumSize], root: str
) -> Iterator[tuple[SampleUnit, str, int]]:
    for each in sizes:
        some = random_units(
            units[each.name], each.drawn, seed=plan.seed, root=root, within=(each.name,)
        )
        yield from ((unit, each.name, 1) for unit in some)


def _amount(plan: SamplePlan, units: Sequence[SampleUnit], root: str) -> Found:
    found = by_amount(units, plan.interval, seed=plan.seed, root=root)
    return (), [(unit, "", hits) for unit, hits in found]


DRAWN = {SampleMethod.PARCELS: _parcels, SampleMethod.STRATA: _strata, SampleMethod.AMOUNT: _amount}
