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
    looked: int
    """How many parcels the shops have that are looked at once for each round."""
    asked: int
    """How many history rows there are when an auditor asks, and verifies."""
    listed: int
    """How many parcels there are when somebody lists them."""
    network: tuple[int, int]
    """How many shops and parcels there are when somebody asks how things stand."""
    most_naive: int
    """Up to how many parcels the naive script is run; beyond, its requests are only counted."""
    beside: tuple[int, int]
    """How many healthy shops there are, and how many that hang beside them."""
    connected: int
    """Of how many shops one thing is asked over TLS."""
    virtual: tuple[int, int, int]
    """How many shops a virtual day has, how many new parcels, and how many hours."""
    due: int
    """How many shops are due at once."""


FULL = Size(
    rounds=9,
    singles=60,
    shift=4_000,
    export=4_000,
    peers=667,
    peer_rounds=3,
    shops=(1_000, 10_000, 100_000),
    looks=3,
    looked=1_000,
    asked=1_000_000,
    listed=1_000_000,
    network=(10_000, 1_000_000),
    most_naive=10_000,
    beside=(200, 8),
    connected=50,
    virtual=(10_000, 60_000, 24),
    due=10_000,
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
    looked=20,
    asked=300,
    listed=3_000,
    network=(60, 3_000),
    most_naive=20,
    beside=(6, 1),
    connected=3,
    virtual=(60, 600, 1),
    due=60,
)
