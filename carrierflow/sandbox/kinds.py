"""What each sandbox offers to whoever starts one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from carrierflow.sandbox.http_server import LocalServer
    from carrierflow.sandbox.legal_steps import Legal
    from carrierflow.sandbox.tour_side import TourSide


__all__ = ["SandboxKind", "SandboxPlan", "example_cash"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxPlan:
    """What a sandbox begins with."""

    tokens: Mapping[str, str]
    """Each shop's token, by its code."""
    parcels: int
    """How many parcels each shop has."""
    legal: Legal
    app: Mapping[str, Any]
    """What concerns the app that a carrier has there, where the platform has apps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxKind:
    """One platform that runs on a laptop."""

    title: str
    open: Callable[[str, int, SandboxPlan], LocalServer[Any]]
    """Makes a sandbox for a host and a port, on the clock of the machine."""
    tour: type[TourSide]
    """What the tour finds there."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Pages for people: what each is, and its path."""


def example_cash(index: int) -> int:
    """Return the cash of a parcel to begin with, in đồng: every third has none."""
    return 50_000 * (index % 3)
