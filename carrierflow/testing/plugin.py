"""Fixtures for pytest: `pytest_plugins = ["carrierflow.testing.plugin"]` in a `conftest.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carrierflow.app.carrierflow import Carrierflow
from carrierflow.sandbox.clocks import ManualClock
from carrierflow.testing.host_world import HostWorld


__all__ = ["carrierflow_app", "carrierflow_clock", "carrierflow_settings", "carrierflow_world"]


@pytest.fixture
def carrierflow_settings() -> dict[str, Any]:
    """What the world is built with; override it in a `conftest.py` of your own."""
    return {}


@pytest.fixture
def carrierflow_world(tmp_path: Path, carrierflow_settings: dict[str, Any]) -> Iterator[HostWorld]:
    """A carrier on a SQLite file of this test's own, with a shop `myshop` and its platform."""
    given = {"database_url": f"sqlite:///{tmp_path / 'carrierflow.db'}", **carrierflow_settings}
    with HostWorld(**given) as world:
        world.shop()
        yield world


@pytest.fixture
def carrierflow_app(carrierflow_world: HostWorld) -> Carrierflow:
    """The `Carrierflow` of that world."""
    return carrierflow_world.app


@pytest.fixture
def carrierflow_clock(carrierflow_world: HostWorld) -> ManualClock:
    """The clock of that world; `advance(seconds)` moves it on."""
    return carrierflow_world.clock
