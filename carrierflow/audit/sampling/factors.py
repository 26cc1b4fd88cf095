"""The arithmetic of audit sampling: sizes, factors and limits that tables print in part.

Counts of parcels go by the hypergeometric distribution, which is exact for a population of a
known size and becomes the binomial one of the tables where that is large. Amounts go by Poisson's,
through the gamma distribution, which knows parts of an error too.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

from carrierflow.errors import InvalidInput


__all__ = ["confidence_factor", "most_errors", "planning_factor", "size_for_rate"]

EXACT = 1e-12
"""How near to a limit counts as at it."""

HIGHEST_FACTOR = 200.0
"""Beyond it the expected errors are so near to the material ones that a sample tells nothing."""


def confidence_factor(errors: float, confidence: float) -> float:
    """Return how many errors there may be, at most, where so many were found.

    It is the mean of Poisson's distribution at which so few are as unlikely as the risk: for 0, 1,
    2 at 0.95 it is 3.00, 4.74, 6.30.
    """
    shape = errors + 1
    return _solved(lambda x: _gamma(shape, x) >= confidence, shape + 12 * math.sqrt(shape) + 30)


def planning_factor(expected_share: float, confidence: float) -> float:
    """Return by what to divide the material amount, so that it gives the sampling interval.

    `expected_share` is the expected error as a part of the material one. The factor covers the
    errors that are then to be found, whole or in part.

    Raises:
        InvalidInput: if so much is expected that no sample can tell it from too much.
    """

    def covers(factor: float) -> bool:
        return confidence_factor(factor * expected_share, confidence) <= factor

    if not covers(HIGHEST_FACTOR):
        raise InvalidInput("What is expected is too near to what is material for any sample.")
    return _solved(covers, HIGHEST_FACTOR)


def _solved(holds: Callable[[float], bool], high: float) -> float:
    """Return from where on it holds, between 0 and a number at which it does."""
    low = 0.0
    while high - low > EXACT * high:
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def _gamma(shape: float, x: float) -> float:
    """Return the share of a gamma distribution up to a number, by its series."""
    if x <= 0:
        return 0.0
    term = math.exp(shape * math.log(x) - x - math.lgamma(shape + 1))
    total, at = term, shape
    while term > total * EXACT / 1000:
        at += 1
        term *= x / at
        total += term
    return total


def most_errors(population: int, sample: int, found: int, confidence: float) -> int:
    """Return how many errors the population may have, at most, where a sample has so many."""
    risk = 1 - confidence
    first_too_many = bisect_left(
        range(population + 1),
        x=True,
        lo=found,
        key=lambda errors: _at_most(found, errors, population, sample) <= risk + EXACT,
    )
    return first_too_many - 1


def size_for_rate(
    population: int, *, tolerable: float, expected: float, confidence: float
) -> tuple[int, int]:
    """Return how many to look at, and how many errors among them would still be tolerable.

    It is the smallest sample that, with as many errors as are expected, shows that there are no
    more than tolerable.

    Raises:
        InvalidInput: if as many are expected as are tolerable.
    """
    if expected >= tolerable:
        raise InvalidInput("More errors must be tolerable than are expected.")
    too_many = math.floor(population * tolerable + EXACT) + 1
    if too_many > population:
        return min(population, 1), 0
    risk = 1 - confidence + EXACT
    for allowed in range(population + 1):
        size = bisect_left(
            range(population + 1),
            x=True,
            lo=allowed,
            key=lambda n, k=allowed: _at_most(k, too_many, population, n) <= risk,  # type: ignore[misc]  # k is bound
        )
        if math.ceil(size * expected - EXACT) <= allowed or size >= population:
            return min(size, population), allowed
    raise AssertionError(population)


def _at_most(found: int, errors: int, population: int, sample: int) -> float:
    """Return how likely a sample has no more errors than that, of so many in the population."""
    total = _log_choose(population, sample)
    lowest = max(0, sample - (population - errors))
    highest = min(found, errors, sample)
    return math.fsum(
        math.exp(_log_choose(errors, k) + _log_choose(population - errors, sample - k) - total)
        for k in range(lowest, highest + 1)
    )


def _log_choose(of: int, some: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(some + 1) - math.lgamma(of - some + 1)
