"""Tours that many tests look at; each seed is played once."""

from __future__ import annotations

import functools

import pytest
from terminals import runner

from carrierflow.cli import cli
from carrierflow.demo import play, write


PARCELS = 40


@pytest.fixture(scope="session")
def tour():
    """Play the tour of a seed and return its figures."""
    return functools.cache(lambda seed: play(write(parcels=PARCELS, seed=seed)))


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
