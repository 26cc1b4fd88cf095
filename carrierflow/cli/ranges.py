"""How large a number may be that is given as an option: what is beyond was meant otherwise."""

from __future__ import annotations

from math import isnan
from typing import Any

import click

from carrierflow.domain.limits import MOST_CASH


__all__ = [
    "CASH",
    "COUNT",
    "DAYS",
    "HOURS",
    "PERCENT",
    "POSITION",
    "SECONDS",
    "SEED",
    "SOME",
    "SOME_CASH",
    "SOME_HOURS",
]


class FloatRange(click.FloatRange):
    """A range that what is no number lies outside of: it is neither below one end nor above."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found: float = super().convert(value, param, ctx)
        if isnan(found):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return found


MILLION = 1_000_000
CENTURY = 36_525
"""In days."""

CASH = click.IntRange(0, MOST_CASH)
COUNT = click.IntRange(0, MILLION)
SOME = click.IntRange(1, MILLION)
DAYS = FloatRange(0, CENTURY)
HOURS = FloatRange(0, CENTURY * 24)
SOME_HOURS = FloatRange(0, CENTURY * 24, min_open=True)
SEED = click.IntRange(0, 2**63 - 1)
SOME_CASH = click.IntRange(1, MOST_CASH)
POSITION = click.IntRange(0, 2**63 - 1)
PERCENT = FloatRange(0, 100)
SECONDS = FloatRange(0, 3600)
