"""The tour: some days of a carrier's life against a sandbox, told on one screen."""

from __future__ import annotations

from carrierflow.demo.figures import Figures
from carrierflow.demo.scenario import Scenario, write
from carrierflow.demo.screen import draw
from carrierflow.demo.story import tell


__all__ = ["Figures", "Scenario", "draw", "tell", "write"]
