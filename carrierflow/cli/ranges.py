"""How large a number may be that is given as an option: what is beyond was meant otherwise."""

from __future__ import annotations

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

MILLION = 1_000_000
CENTURY = 36_525
"""In days."""

CASH = click.IntRange(0, MOST_CASH)
COUNT = click.IntRange(0, MILLION)
SOME = click.IntRange(1, MILLION)
DAYS = click.FloatRange(0, CENTURY)
HOURS = click.FloatRange(0, CENTURY * 24)
SOME_HOURS = click.FloatRange(0, CENTURY * 24, min_open=True)
SEED = click.IntRange(0, 2**63 - 1)
SOME_CASH = click.IntRange(1, MOST_CASH)
POSITION = click.IntRange(0, 2**63 - 1)
PERCENT = click.FloatRange(0, 100)
SECONDS = click.FloatRange(0, 3600)
