"""What one seed stands for: shop, roads, faults, clocks, who acts and how often."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Machine, Status
from carrierflow.sandbox.haravan import FaultKind


ROOMY = 100_000.0
"""The leak of a bucket that never holds anybody up."""

PROFILES = {"calm": 12, "network": 24, "kills": 22, "merchant": 28, "crowd": 14}

CALLS = tuple(kind for kind in FaultKind if kind.startswith("call_"))
PEOPLE = tuple(
    kind for kind in FaultKind if kind.startswith("merchant_") or kind is FaultKind.NONSENSE_WORD
)
ODD = (
    *(FaultKind.ODD_ROW, FaultKind.ODD_DATE, FaultKind.ODD_HEADER, FaultKind.THROTTLE_LONG),
    *(FaultKind.PROXY_BEFORE, FaultKind.PROXY_AFTER),
    *(FaultKind.BARE_ORDERS, FaultKind.IDS_IGNORED),
)
ABSENT = (FaultKind.REFUSAL_BEFORE, FaultKind.REFUSAL_AFTER)
"""What other platforms were seen to do, and Haravan was not."""
NETWORK = tuple(kind for kind in FaultKind if kind not in {*CALLS, *PEOPLE, *ODD, *ABSENT})

STORMS = (301, 307, 404, 408, 409, 422, 425, 499)
"""What a proxy answers for a while; none of it says anything about a parcel."""

CALLED = 0.4
"""In how many shops the platform calls the carrier."""

STORMY, NEIGHBOURLY, HIDING = 0.3, 0.3, 0.3
"""In how many shops a proxy storms, a row can never be read, an order hides for a while."""

SPARING = 0.5
"""How many of those storms spare what only reads."""

FIXED = tuple(range(8))
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
class Storm:
    """A proxy's bad minute: what it answers in the platform's place, and from when to when."""

    begins: float
    ends: float
    status: int
    spares_reads: bool = False
    """Whether it looks at requests that write alone, as web application firewalls do."""


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
    platform: str = "haravan"
    roads: tuple[Road, ...]
    tellings: tuple[Telling, ...]
    rates: dict = field(default_factory=dict)
    kill_rate: float = 0.0
    stall_rate: float = 0.0
    jitter: float = 0.0
    hiccups: float = 0.0
    skew: float = 0.0
    """How far the platform's clock is before the carrier's."""
    drift: float = 0.0
    """How far the clocks of the carrier's own processes may lie apart from the true time."""
    lease: float = 60.0
    bump: bool = True
    lifts: bool = True
    page: int = 50
    leak: float = ROOMY
    crons: tuple[float, ...] = (120.0,)
    tail: float = 60.0
    """How long cron runs on when the scanner has told everything."""
    gap: tuple[float, float] | None = None
    """From when to when no cron runs."""
    plan_every: float | None = None
    full_share: float = 0.2
    wait_share: float = 0.1
    calls: bool = False
    """Whether the platform calls the carrier: polls, cancels and webhooks."""
    poll_every: float = 60.0
    hinted_every: float | None = None
    edits: int = 0
    operator: bool = False
    reassert: bool = False
    """Whether the carrier's policy is to undo a merchant's edit once."""
    storm: Storm | None = None
    hidden: float | None = None
    """From when on an order is not to be seen for a while, wherever it is asked for."""
    neighbour: bool = False
    """Whether a parcel of another carrier, in an order of ours, can never be read."""

    options: dict = field(default_factory=dict)
    """What the platform's shop is like."""
    choices: dict = field(default_factory=dict)
    """What the carrier chose for this shop."""
    moves: tuple = ()
    """What the platform does to parcels by itself: when, to which, and what."""

    @property
    def is_tight(self):
        """Tell whether requests are short."""
        return self.leak < ROOMY

    @property
    def people(self):
        """Tell whether anybody but the carrier touches parcels, or the platform talks nonsense."""
        return self.profile in {"merchant", "crowd"}

    @property
    def sweeps(self):
        """Tell whether edits must be found by the sweep alone."""
        return self.profile == "crowd"

    def is_away(self, moment):
        """Tell whether nobody runs cron at a moment, in seconds."""
        return self.gap is not None and self.gap[0] < moment < self.gap[1]

    @property
    def horizon(self):
        """When the scanner has told everything, and cron is back."""
        told = max((telling.at for telling in self.tellings), default=0.0)
        return max(told, self.gap[1] + 90.0 if self.gap else 0.0) + self.tail


def draw(seed):
    """Return the scenario of a seed, as Haravan plays it; others adapt it."""
    chance = random.Random(f"{seed}:scenario")
    (profile,) = chance.choices(list(PROFILES), PROFILES.values())
    calls, odd = _calls(seed), _odd(seed, profile)
    if profile == "crowd":
        return replace(_crowd(seed, chance), **calls)
    roads = tuple(_road(chance) for _ in range(chance.randint(3, 12)))
    rough = profile != "calm"
    tight = chance.random() < 0.15
    return Scenario(
        seed=seed,
        profile=profile,
        roads=roads,
        tellings=tellings_of(chance, roads),
        rates=_rates(chance, profile) | _call_rates(seed, profile, **calls) | odd.pop("rates"),
        **odd,
        **calls,
        kill_rate=chance.choice([0.002, 0.01, 0.03]) if profile == "kills" else 0.0,
        stall_rate=chance.choice([0, 0.002, 0.01]) if rough else 0.0,
        jitter=chance.choice([0, 0.01, 0.05]) if rough else 0.0,
        hiccups=chance.choice([0, 0.005, 0.02]) if rough else 0.0,
        skew=round(chance.uniform(-2, 2), 3),
        drift=chance.choice([0.0, 0.4]) if rough else 0.0,
        lease=chance.choice([5.0, 20.0, 60.0]),
        bump=chance.random() < 0.7,
        lifts=chance.random() < 0.85,
        page=chance.choice([3, 5, 50]),
        leak=2.0 if tight else ROOMY,
        crons=tuple(
            chance.choice([10.0, 25.0, 40.0, 80.0, 200.0]) for _ in range(chance.randint(1, 2))
        ),
        plan_every=60.0 if tight else chance.choice([None, None, 100.0]),
        edits=chance.randint(1, 5) if profile == "merchant" else 0,
        operator=profile == "merchant" and chance.random() < 0.5,
        reassert=profile == "merchant" and chance.random() < 0.3,
    )


def adapted(drawn, kinds, most, **changes):
    """Return a scenario for a platform that has these faults, with fewer parcels."""
    chance = random.Random(f"{drawn.seed}:{changes['platform']}")
    rates = {kind: rate for kind, rate in drawn.rates.items() if kind in kinds}
    if rates and (further := [kind for kind in ABSENT if kind in kinds]):
        rates[chance.choice(further)] = chance.uniform(0.01, 0.05)
    return replace(
        drawn,
        roads=drawn.roads[:most],
        tellings=tuple(each for each in drawn.tellings if each.parcel < most),
        rates=rates,
        **{"calls": False, "lifts": True, "reassert": False, **changes},
    )


def _crowd(seed, chance):
    """Return a shop with more orders than a page, a tight bucket, and a cron that was away."""
    roads = tuple(_road(chance, longest=3) for _ in range(chance.randint(12, 20)))
    tellings = tellings_of(chance, roads)
    begins = chance.uniform(60, 120)
    return Scenario(
        seed=seed,
        profile="crowd",
        roads=roads,
        tellings=tellings,
        skew=round(chance.uniform(-2, 2), 3),
        lease=chance.choice([20.0, 60.0]),
        page=chance.choice([3, 5]),
        leak=2.0,
        crons=(30.0,) if chance.random() < 0.5 else (40.0, 60.0),
        gap=(begins, begins + chance.uniform(500, 1500)),
        plan_every=25.0,
        full_share=0.0,
        wait_share=0.0,
        edits=chance.randint(8, 12),
    )


def traits(scenario):
    """Return what is special about a scenario, to be counted."""
    found = {
        "clocks apart": scenario.drift > 0,
        "platform's clock fast": scenario.skew > 1,
        "platform's clock slow": scenario.skew < -1,
        "orders without a bump": not scenario.bump,
        "cash without a lift": not scenario.lifts,
        "tight bucket": scenario.is_tight,
        "page of 3": scenario.page == 3,
        "several crons": len(scenario.crons) > 1,
        "cron away": scenario.gap is not None,
        "edits undone": scenario.reassert,
        "platform calls": scenario.calls,
        "a row is never readable": scenario.neighbour,
        "an order hides": scenario.hidden is not None,
        "blank replies": scenario.options.get("blank_replies", False),
        "all listed": not scenario.options.get("filters_modified", True),
        "oldest first": not scenario.options.get("newest_first", True),
        "a no in a 200": scenario.options.get("refusal_status") == 200,
        "a second cancel is refused": not scenario.options.get("cancels_again", True),
        "shipped cancelled at once": scenario.choices.get("cancel_shipped") == "now",
    }
    return [name for name, is_so in found.items() if is_so]


def small(profile, walks, *, seed=0, **options):
    """Return a scenario that is written by hand: some walks, told in time, one cron."""
    chance = random.Random(f"{seed}:small")
    roads = tuple(
        Road(cod=90_000, steps=tuple((20.0 * n, status) for n, status in enumerate(walk, 1)))
        for walk in walks
    )
    tellings = tellings_of(chance, roads, orderly=True)
    fixed = {"lease": 5.0, "crons": (60.0,), "full_share": 0.0, "wait_share": 0.0, "tail": 140.0}
    return Scenario(seed=seed, profile=profile, roads=roads, tellings=tellings, **(fixed | options))


def _road(chance, *, longest=8):
    cod = chance.choice([0, 120_000, 999_000])
    moment, place, steps = chance.uniform(0, 150), "readytopick", []
    pace = chance.choice([8, 40, 120])
    for _ in range(chance.randrange(longest)):
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


def tellings_of(chance, roads, *, orderly=False):
    """Return how a scanner tells what happens: late, twice, under keys or not."""
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


def _calls(seed):
    chance = random.Random(f"{seed}:calls")
    return {
        "calls": chance.random() < CALLED,
        "poll_every": chance.choice([30.0, 60.0, 120.0]),
        "hinted_every": chance.choice([None, 20.0]),
    }


def _call_rates(seed, profile, *, calls, **_others):
    chance = random.Random(f"{seed}:call faults")
    if profile == "calm" or not calls:
        return {}
    return {kind: chance.uniform(0.02, 0.1) for kind in chance.sample(CALLS, 3)}


def _odd(seed, profile):
    """Return what is odd about a shop's rows, and about what lies between it and us."""
    chance = random.Random(f"{seed}:odd")
    if profile in {"calm", "crowd"}:
        return {"rates": {}}
    begins = chance.uniform(10, 200)
    storm = Storm(begins=begins, ends=begins + chance.uniform(20, 90), status=chance.choice(STORMS))
    odd = {
        "rates": {kind: chance.uniform(0.005, 0.03) for kind in chance.sample(ODD, 2)},
        "storm": storm if chance.random() < STORMY else None,
        "neighbour": chance.random() < NEIGHBOURLY,
        "hidden": chance.uniform(30, 200) if chance.random() < HIDING else None,
    }
    if odd["storm"] is not None and chance.random() < SPARING:
        odd["storm"] = replace(storm, spares_reads=True)
    return odd


def _rates(chance, profile):
    if profile == "calm":
        return {}
    rates = {kind: chance.uniform(0.02, 0.1) for kind in chance.sample(NETWORK, 4)}
    if chance.random() < 0.4:
        rates[FaultKind.STALE_READ] = chance.uniform(0.1, 0.25)
    if profile == "merchant":
        rates |= {kind: chance.uniform(0.005, 0.03) for kind in chance.sample(PEOPLE, 2)}
    return rates
