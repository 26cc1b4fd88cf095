"""The platforms that are played, by their names."""

from __future__ import annotations

from .haravan_side import HaravanSide
from .onflow_side import OnflowSide
from .sapo_side import SapoSide


SIDES = {side.name: side for side in (HaravanSide, SapoSide, OnflowSide)}
