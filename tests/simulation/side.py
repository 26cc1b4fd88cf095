"""What a platform is to the simulation: its world, its door, and what its judge says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from carrierflow.app.settings import Settings
from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import FaultKind, FaultMix, Faults

from .database import KEY


SHOP = "alpha"
SETTLE = 45.0
TIMEOUT = 10.0
PAUSE = 120.0
"""Seconds for which what a platform asks for is heeded; an hour of silence is nobody's wish."""

BAD_REQUEST, SERVER_ERROR = 400, 500
TURNED_AWAY = {401, 403, 429}
"""What is said at the platform's door. Another refusal may be a proxy's, and prove nothing."""

BUCKET = 16
"""The bucket of shops where requests are short."""

ROOMY_BUCKET = 100_000

UNAWARE = 36.0
"""How long after somebody's move a write may leave that knows nothing of it: an observation of 15
seconds, 15 of them stale, a send deadline of 2, and what clocks differ."""

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one write is about, by its address."""

    order: str
    fulfillment: str
    name: str
    """What the platform calls it."""
    operations: tuple[str, ...]
    """What its intent may be called in the ledger."""


class Side(ABC):
    """The platform's side of a stage; each platform has one of its own.

    It builds the sandbox, and says in the terms of that sandbox what the invariants ask.
    """

    name: str
    lists: str | None
    """What the address of a list of changed orders holds; None where there is no such list."""
    longest_reply = 60_000
    throttles = (FaultKind.THROTTLE_429, FaultKind.THROTTLE_429_BARE, FaultKind.THROTTLE_LONG)
    """The faults by which a request is told to come later."""
    leads = False
    """Whether the platform's word becomes history."""
    verify_within = 24 * HOUR
    numbers: object
    """How a reply names what it shows, as a pattern."""

    def __init__(self, stage):
        self.stage = stage
        self.scenario, self.scheduler = stage.scenario, stage.scheduler
        self.settings = self._settings()
        self.faults = self._faults()
        self.world = self._world()
        self._changed_at = {}

    @classmethod
    @abstractmethod
    def draw(cls, seed):
        """Return the scenario of a seed."""

    @classmethod
    @abstractmethod
    def sometimes(cls):
        """Return what has to be reached by two hundred seeds, or it is not tested."""

    @classmethod
    @abstractmethod
    def pages(cls, size):
        """Return the patch that makes a page of orders so long."""

    @abstractmethod
    def connect(self):
        """Add the shop to the application."""

    @abstractmethod
    def add_parcel(self, place, road, joined):
        """Put a parcel on the platform, in the order `joined` if there is one; return both ids."""

    @abstractmethod
    def opening(self, place):
        """Return what the ledger is told of a parcel beside its reference and its cash."""

    @abstractmethod
    def answer(self, request):
        """Let the platform answer one request."""

    @abstractmethod
    def told(self, request):
        """Return what a request that writes is about."""

    @abstractmethod
    def start(self):
        """Set those to work who move parcels on the platform."""

    @abstractmethod
    def shown(self, ref):
        """Return what the platform shows of a parcel."""

    @abstractmethod
    def agrees(self, ref, parcel):
        """Tell whether the platform shows what it should of a parcel of the ledger's."""

    @abstractmethod
    def touched(self):
        """Return the ids of the parcels that were moved by others."""

    @abstractmethod
    def doubled(self):
        """Return how often each write was received that an earlier one of ours had done."""

    @abstractmethod
    def missing(self):
        """Return how many writes lead from the parcels as opened to the ledger as it is."""

    @abstractmethod
    def judged(self):
        """Return the sandbox's own judgement."""

    @abstractmethod
    def moved(self):
        """P2: check everything that the platform did since this was last asked."""

    @abstractmethod
    def forbids(self, told):
        """Return the state that forbids a write, if any does that was shown for long."""

    @property
    def skew(self):
        """How far the platform's clock is before the carrier's."""
        return timedelta(seconds=self.scenario.skew)

    @property
    def rests_in_full(self):
        """Whether the runs at rest have to look at everything: no list tells what changed."""
        return self.scenario.people and not self.scenario.sweeps

    @property
    def received(self):
        """How many writes were received that the platform looked at, and how many did nothing."""
        judged = self.judged()
        return judged.writes_received, len(judged.no_ops)

    def most_reads(self, report):
        """P4: return how many reads a run without faults may make; None where no bound holds."""
        raise NotImplementedError

    def explains(self, incident):  # noqa: ARG002 (for those who can)
        """Tell whether the platform's own ways explain an incident."""
        return False

    def settle_neighbour(self):
        """Put a parcel of another carrier into the first order; its row can never be read."""
        raise NotImplementedError

    def changed_at(self, order_id):
        """Return when an order changed last, in ticks."""
        raise NotImplementedError

    def rename(self, order_id):
        """Change something of an order that is no status."""
        raise NotImplementedError

    def edit(self, ref):
        """Let somebody in the shop move a parcel."""
        raise NotImplementedError

    def newest_change(self):
        """Return when an order of ours changed last, in seconds."""
        return max(self.changed_at(ref.order_id) for ref in self.stage.refs) / TICKS_PER_SECOND

    def turned_away(self, outcome):
        """Tell whether a request was certainly not let in."""
        return outcome.status in TURNED_AWAY

    def says_no(self, outcome):
        """Tell whether an answer is a no, whoever says it."""
        return BAD_REQUEST <= outcome.status < SERVER_ERROR

    def age(self, fulfillment):
        """Return how long ago a parcel was last moved, by whomever; None if it never was."""
        changed_at = self._changed_at.get(fulfillment)
        return None if changed_at is None else (self.world.now() - changed_at) / TICKS_PER_SECOND

    def known(self, ref):
        """Return what the ledger has of the history of a parcel's delivery."""
        return self.stage.watch.history(ref.fulfillment_id, "delivery")

    @abstractmethod
    def _world(self):
        """Build the sandbox."""

    @property
    def _bucket(self):
        return BUCKET if self.scenario.is_tight else ROOMY_BUCKET

    def _settings(self, **more):
        scenario = self.scenario
        return Settings(
            database_url=f"sqlite:///{self.stage.database}",
            secret_key=KEY,
            lease_seconds=scenario.lease,
            max_reply_bytes=self.longest_reply,
            rate_bucket=self._bucket,
            rate_leak=scenario.leak,
            request_timeout=TIMEOUT,
            settle_seconds=SETTLE,
            longest_pause_seconds=PAUSE,
            merchant_edit="reassert" if scenario.reassert else "hold",
            **more,
        )

    def _faults(self):
        rates = self.scenario.rates
        mix = FaultMix(
            rates=rates,
            late_seconds=(1, 20),
            stale_seconds=(1, 15),
            huge_size=self.longest_reply + 10_000,
            slow_seconds=(0.1, 12.0),
        )
        return Faults(mix=mix if rates else None, seed=self.scenario.seed)


def counted(writes, key):
    """Count writes by what they are about."""
    return Counter(key(write) for write in writes)
