"""Tours that many tests look at; each seed is played once."""

from __future__ import annotations

import functools

import pytest
from terminals import runner

from carrierflow.cli import cli
from carrierflow.demo import play, write
from carrierflow.sandbox.sandboxes import SANDBOXES


PARCELS = 40
PLATFORMS = tuple(SANDBOXES)

platforms = pytest.mark.parametrize("platform", PLATFORMS)


def write_days(platform, *, parcels=PARCELS, seed=1):
    """Write the days of a platform's tour."""
    return write(parcels=parcels, seed=seed, cast=SANDBOXES[platform].tour.cast)


@pytest.fixture(scope="session")
def tour():
    """Play the tour of a platform and a seed, and return its figures."""

    def played(platform, seed):
        return play(write_days(platform, seed=seed), SANDBOXES[platform].tour)

    return functools.cache(played)


@pytest.fixture
def run_demo():
    """Run `carrierflow demo` with some arguments."""
    return _run


@pytest.fixture(scope="session")
def shown():
    """Return the result of `carrierflow demo` with some arguments, run once for all tests."""
    return functools.cache(_run)


def _run(*arguments):
    return runner().invoke(cli, ["demo", "--parcels", str(PARCELS), *arguments])
