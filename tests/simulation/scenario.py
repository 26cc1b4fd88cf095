"""What one seed stands for: shop, roads, faults, clocks, who acts and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from carrierflow.lifecycle import DEFAULT, Lifecycle
from carrierflow.model import Machine, Status
from carrierflow.sandbox import FaultKind


PROFILES = {"calm": 12, "network": 30, "kills": 26, "merchant": 32}

INCOMING = tuple(kind for kind in FaultKind if not kind.name.startswith("CALL"))
NETWORK = tuple(
    kind
    for kind in INCOMING
    if not kind.name.startswith("MERCHANT") and kind is not FaultKind.NONSENSE_WORD
)
PEOPLE = tuple(kind for kind in INCOMING if kind not in NETWORK)

FIXED = tuple(range(25))
"""The seeds of the fast test."""

LIFECYCLE = Lifecycle(DEFAULT)


@dataclass(frozen=True, kw_only=True)
class Road:
    """One parcel: what it costs, what it lives through, when the scanner tells of it."""

    cod: int
    steps: tuple[tuple[float, str], ...]
    """When each step happens, in seconds, and its status."""
    joins: bool = False
    """Whether it lies in the order of the parcel before it."""
    late_open: bool = False
    """Whether the ledger hears of it only with its first event."""


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One event as the scanner tells it: when, of which parcel, and how often."""

    at: float
    parcel: int
    status: str
    happened: float
    key: str | None


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that a seed decides before time begins."""

    seed: int
    profile: str
    roads: tuple[Road, ...]
    tellings: tuple[Telling, ...]
    rates: dict = field(default_factory=dict)
    kill_rate: float = 0.0
    jitter: float = 0.0
    hiccups: float = 0.0
    skew: float = 0.0
    lease: float = 60.0
    bump: bool = True
    page: int = 50
    leak: float = 100_000.0
    crons: tuple[float, ...] = (120.0,)
    plan_every: float | None = None
    full_share: float = 0.2
    wait_share: float = 0.1
    edits: int = 0
    operator: bool = False

    @property
    def people(self):
        """Tell whether anybody but the carrier touches parcels, or the platform talks nonsense."""
        return self.profile == "merchant"

    @property
    def horizon(self):
        """When the scanner has told everything."""
        return max((telling.at for telling in self.tellings), default=0.0) + 60.0


def draw(seed):
    """Return the scenario of a seed."""
    chance = random.Random(f"{seed}:scenario")
    (profile,) = chance.choices(list(PROFILES), PROFILES.values())
    roads = tuple(_road(chance) for _ in range(chance.randint(3, 12)))
    rough = profile != "calm"
    tight = chance.random() < 0.15
    return Scenario(
        seed=seed,
        profile=profile,
        roads=roads,
        tellings=_tellings(chance, roads),
        rates=_rates(chance, profile),
        kill_rate=chance.choice([0.002, 0.01, 0.03]) if profile == "kills" else 0.0,
        jitter=chance.choice([0, 0.01, 0.05]) if rough else 0.0,
        hiccups=chance.choice([0, 0.005, 0.02]) if rough else 0.0,
        skew=round(chance.uniform(-2, 2), 3),
        lease=chance.choice([5.0, 20.0, 60.0]),
        bump=chance.random() < 0.7,
        page=chance.choice([3, 5, 50]),
        leak=2.0 if tight else 100_000.0,
        crons=tuple(chance.choice([15.0, 40.0, 80.0, 200.0]) for _ in range(chance.randint(1, 2))),
        plan_every=15.0 if tight else chance.choice([None, None, 100.0]),
        edits=chance.randint(1, 5) if profile == "merchant" else 0,
        operator=profile == "merchant" and chance.random() < 0.4,
    )


def small(profile, walks, *, seed=0, **options):
    """Return a scenario that is written by hand: some walks, told in time, one cron."""
    chance = random.Random(f"{seed}:small")
    roads = tuple(
        Road(cod=90_000, steps=tuple((20.0 * n, status) for n, status in enumerate(walk, 1)))
        for walk in walks
    )
    tellings = _tellings(chance, roads, orderly=True)
    fixed = {"lease": 5.0, "crons": (60.0,), "full_share": 0.0, "wait_share": 0.0}
    return Scenario(seed=seed, profile=profile, roads=roads, tellings=tellings, **(fixed | options))


def _road(chance):
    cod = chance.choice([0, 120_000, 999_000])
    moment, place, steps = chance.uniform(0, 150), "readytopick", []
    pace = chance.choice([8, 40, 120])
    for _ in range(chance.randrange(8)):
        following = LIFECYCLE.allowed(Machine.DELIVERY, place)
        if not following:
            break
        weights = [1 if status == "cancel" else 6 for status in following]
        place = chance.choices(following, weights)[0]
        moment += chance.uniform(0.2, 1) * pace
        steps.append((moment, str(place)))
    if place == "delivered" and cod and chance.random() < 0.6:
        steps.append((moment + chance.uniform(1, pace), str(Status.CODRECEIPT)))
    return Road(
        cod=cod,
        steps=tuple(steps),
        joins=chance.random() < 0.15,
        late_open=chance.random() < 0.15,
    )


def _tellings(chance, roads, *, orderly=False):
    told = []
    for number, road in enumerate(roads):
        for place, (moment, status) in enumerate(road.steps):
            key = f"k{number}-{place}" if chance.random() < 0.5 else None
            late = 0.5 if orderly else chance.choice([0.5, 0.5, 5.0, 60.0, 200.0]) * chance.random()
            times = 1 if orderly else chance.choices([1, 2, 3], [8, 2, 1])[0]
            told += [
                Telling(
                    at=moment + late + again * chance.uniform(0, 100),
                    parcel=number,
                    status=status,
                    happened=moment,
                    key=key,
                )
                for again in range(times)
            ]
    return tuple(sorted(told, key=lambda each: (each.at, each.parcel)))


def _rates(chance, profile):
    if profile == "calm":
        return {}
    rates = {kind: chance.uniform(0.02, 0.1) for kind in chance.sample(NETWORK, 4)}
    if chance.random() < 0.4:
        rates[FaultKind.STALE_READ] = chance.uniform(0.1, 0.25)
    if profile == "merchant":
        rates |= {kind: chance.uniform(0.005, 0.03) for kind in chance.sample(PEOPLE, 2)}
    return rates
