"""One carrier's world: its ledger, its shops and a Haravan on loopback; sockets and SQL are real.

Time is virtual where a clock is given, and else the machine's. The simulation has a stage of its
own, in which the network and the processes are played, too.
"""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status
from carrierflow.sandbox.haravan import Faults, ManualClock, SandboxServer, World
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import metadata, shops


START = datetime(2026, 3, 2, 1, tzinfo=UTC)

LEGAL = {
    machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
    for machine in DEFAULT.machines
}

STEP = 0.002
"""Seconds of virtual time that pass whenever the carrier looks at the clock."""


@dataclass(frozen=True)
class Judgement:
    """What a sandbox's judge says, whatever its platform: writes that had an effect, and two evils.

    `illegal` no document allows; `repeated` had been done before, so that only an unknown outcome
    excuses them.
    """

    applied: int
    illegal: tuple
    repeated: tuple


class Carrier:
    """One carrier with its ledger and its shops; `app` is one process of it, as it were."""

    step = STEP

    def __init__(self, url, world, server, *, clock=None, **settings):
        self.world, self.server, self.clock = world, server, clock
        self.on_look = None
        self._apps = []
        self.settings = Settings(database_url=url, secret_key=generate_key(), **settings)
        self.app = self.another_app()
        self.app.upgrade()

    def another_app(self, *, sleep=None, **settings):
        """Return another process on the same database; it may wait in its own way."""
        changed = self.settings if not settings else self._settings_with(**settings)
        by = {} if self.clock is None else self._by_the_clock(sleep)
        self._apps.append(build(changed, **by))
        return self._apps[-1]

    def _settings_with(self, **settings):
        return Settings(**self.settings.model_dump(exclude_unset=True) | settings)

    def _by_the_clock(self, sleep):
        return {
            "now": self.now,
            "sleep": sleep or self.clock.advance,
            "database_clock": DatabaseClock(self.now),
        }

    def close(self):
        """Let the database go."""
        for app in self._apps:
            app.store.engine.dispose()

    def now(self):
        """Return the time; looking at it takes some."""
        if self.on_look is not None:
            self.on_look()
        self.clock.advance(self.step)
        return self.clock()

    def connect(self, *codes, **options):
        """Connect shops, each open at the platform under the options given."""
        for code in codes:
            self.world.add_shop(code=code, token=f"token-{code}", **options)
            self.app.shops.add(code, token=f"token-{code}", base_url=self.server.url, org_id="1000")

    def parcel(self, shop, *, cod=0, walk=(), platform="readytopick"):
        """Make a parcel on both sides, and record a walk that the platform knows nothing of."""
        ref = self.platform_parcel(shop, cod=cod, carrier_status=platform)
        number = f"T-{ref.fulfillment_id}"
        self.app.ledger.open(Opening(ref=ref, cod_amount=cod, tracking_number=number))
        self.record(ref, *walk)
        return ref

    def platform_parcel(self, shop, *, cod=0, **options):
        """Make a parcel on the platform alone."""
        order, fulfillment = self.world.add_parcel(shop=shop, cod_amount=cod, **options)
        return FulfillmentRef(shop=shop, order_id=str(order), fulfillment_id=str(fulfillment))

    def record(self, ref, *walk):
        """Record some legal steps, an hour of the road apart."""
        since = self.app.parcel(ref.shop, ref.fulfillment_id).delivery.since
        moment = since or self.clock() - timedelta(days=5)
        for status in walk:
            moment += timedelta(hours=1)
            answer = self.app.ledger.record(
                Event(
                    shop=ref.shop,
                    fulfillment_id=ref.fulfillment_id,
                    status=Status(status),
                    occurred_at=moment,
                )
            )
            assert answer.verdict == "accepted", answer.sentence

    def shown(self, ref):
        """Return what the platform shows of a parcel."""
        parcel = self.world.shop(ref.shop).parcel(int(ref.order_id), int(ref.fulfillment_id))
        return str(parcel.carrier_status), str(parcel.cod_status)

    def known(self, ref):
        """Return what the ledger says of a parcel."""
        parcel = self.app.parcel(ref.shop, ref.fulfillment_id)
        return parcel.delivery.status, parcel.cod.status

    def agrees(self, ref):
        """Tell whether the platform shows what the ledger says."""
        return self.known(ref) == self.shown(ref)

    def due(self, walk):
        """Return how many writes it takes to tell a walk that begins at readytopick."""
        return len(walk)

    @property
    def writes(self):
        """How many writes the platform has received so far."""
        return len(self.world.recorder.puts)

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report(LEGAL)

    def rows(self):
        """Return every row that a plan must not touch."""
        with self.app.store.engine.connect() as connection:
            return {
                table.name: connection.execute(select(table)).all()
                for table in metadata.sorted_tables
                if table is not shops
            }

    def judgement(self):
        """Return of it what every platform's judge says."""
        judged = self.judged()
        return Judgement(
            applied=judged.puts_applied - judged.no_ops,
            illegal=judged.illegal + judged.after_cancel,
            repeated=judged.duplicates,
        )


@contextmanager
def carrying(url, *, faults=None, **settings):
    """Build a carrier and its Haravan in virtual time, and take them down again."""
    clock = ManualClock(START)
    world = World(clock=clock)
    server = SandboxServer(world, legal=LEGAL, faults=faults or Faults())
    with carried(Carrier, url, server, **settings) as carrier:
        yield carrier


@contextmanager
def carried(kind, url, server, **settings):
    """Serve a platform and build a carrier of some kind beside it; take both down again.

    Time is that of the platform's world.
    """
    with server:
        clock = server.world.clock
        carrier = kind(url, server.world, server, clock=clock, get_backoff_seconds=0.01, **settings)
        try:
            yield carrier
        finally:
            carrier.close()


def random_walk(rng, *, cod, longest=7):
    """Return a legal history of a parcel, and of its cash if it was delivered and remitted."""
    lifecycle, place, walk = Lifecycle(DEFAULT), "readytopick", []
    for _ in range(rng.randrange(longest + 1)):
        following = lifecycle.allowed(Machine.DELIVERY, place)
        if not following:
            break
        weights = [1 if status == "cancel" else 6 for status in following]
        place = rng.choices(following, weights)[0]
        walk.append(place)
    if place == "delivered" and cod and rng.random() < 0.5:
        walk.append(Status.CODRECEIPT)
    return walk


def random_parcels(carrier, shop, count, *, seed):
    """Make parcels with random legal histories, the platform lagging at a random point.

    Returns them, and how many PUTs a perfect push would now make.
    """
    rng = random.Random(seed)
    behind = []
    for _ in range(count):
        cod = rng.choice([0, 0, 120_000, 999_000])
        walk = random_walk(rng, cod=cod)
        shown = rng.randrange(len(walk) + 1)
        behind.append((carrier.parcel(shop, cod=cod, walk=walk[:shown]), walk[shown:]))
    carrier.clock.advance(60)
    carrier.app.reconcile([shop], full=True)
    for ref, rest in behind:
        carrier.record(ref, *rest)
    return [ref for ref, _ in behind], sum(len(rest) for _, rest in behind)
