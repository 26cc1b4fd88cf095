"""The tour: some days of a carrier's life against a sandbox, told on one screen."""

from __future__ import annotations

from carrierflow.demo.scenario import Scenario, write
from carrierflow.demo.screen import draw
from carrierflow.demo.tour import play
from carrierflow.demo.tour_figures import TourFigures


__all__ = ["Scenario", "TourFigures", "draw", "play", "write"]
