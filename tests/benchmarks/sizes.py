"""How much work there is in a full run, and in one that only shows that everything runs."""

from __future__ import annotations

from dataclasses import dataclass


__all__ = ["FULL", "SMALL", "Size"]


@dataclass(frozen=True, kw_only=True)
class Size:
    """How many parcels and rounds each benchmark takes."""

    rounds: int
    singles: int
    shift: int
    export: int
    peers: int
    peer_rounds: int
    shops: tuple[int, ...]
    """How many parcels the shops have that are reconciled."""
    looks: int
    asked: int
    """How many history rows there are when an auditor asks, and verifies."""
    listed: int
    """How many parcels there are when somebody lists them."""
    most_naive: int
    """Up to how many parcels the naive script is run; beyond, its requests are only counted."""
    beside: tuple[int, int]
    """How many healthy shops there are, and how many that hang beside them."""


FULL = Size(
    rounds=9,
    singles=60,
    shift=4_000,
    export=4_000,
    peers=667,
    peer_rounds=3,
    shops=(1_000, 10_000, 100_000),
    looks=3,
    asked=1_000_000,
    listed=1_000_000,
    most_naive=10_000,
    beside=(200, 8),
)
SMALL = Size(
    rounds=2,
    singles=3,
    shift=6,
    export=6,
    peers=4,
    peer_rounds=2,
    shops=(20, 40),
    looks=1,
    asked=300,
    listed=3_000,
    most_naive=20,
    beside=(6, 1),
)
