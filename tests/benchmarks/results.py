"""What was measured, and whether it keeps what was promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from .measure import Spread


__all__ = ["Budget", "Figure", "missed"]

MET, NOISE, MISSED = "met", "noise", "missed"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One bar of the plot and one row of the table."""

    bench: str
    where: str
    """The database, or how many parcels."""
    who: str
    spread: Spread
    unit: str
    note: str = ""

    def document(self):
        """Return it as JSON has it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A promise about a number, beside the number."""

    promise: str
    where: str
    limit: float
    spread: Spread
    unit: str = "times"
    at_least: bool = False
    """Whether more is better; otherwise less is."""

    @property
    def verdict(self):
        """Say whether the median keeps the promise, or at least the better quartile does.

        The quartiles are as far apart as the machine is noisy. Where the limit lies between the
        median and the better one, the machine has to be quieter before anybody can tell.
        """
        if self._keeps(self.spread.value):
            return MET
        better = self.spread.high if self.at_least else self.spread.low
        return NOISE if self._keeps(better) else MISSED

    def _keeps(self, value):
        return value >= self.limit if self.at_least else value <= self.limit

    def document(self):
        """Return it as JSON has it."""
        return asdict(self) | {"verdict": self.verdict}


def missed(budgets):
    """Return those budgets that were missed beyond doubt."""
    return [budget for budget in budgets if budget.verdict == MISSED]
