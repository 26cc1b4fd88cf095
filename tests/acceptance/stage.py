"""A carrier, its shops, and a Haravan on loopback; time is virtual, sockets and SQL are real."""

from __future__ import annotations

import random
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.lifecycle import DEFAULT, Lifecycle
from carrierflow.domain.model import Event, FulfillmentRef, Machine, Opening, Status
from carrierflow.sandbox.haravan import Faults, ManualClock, SandboxServer, World
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key


START = datetime(2026, 3, 2, 1, tzinfo=UTC)

LEGAL = {
    machine.machine.value: {(edge.from_status, str(edge.to_status)) for edge in machine.edges}
    for machine in DEFAULT.machines
}

STEP = 0.002
"""Seconds that pass whenever the carrier looks at the clock."""


class Stage:
    """One carrier with its ledger and its shops."""

    def __init__(self, url, server, world, clock, **settings):
        self.clock, self.world, self.server = clock, world, server
        self.on_look = None
        self._apps = []
        self.settings = Settings(
            database_url=url, secret_key=generate_key(), get_backoff_seconds=0.01, **settings
        )
        self.app = self.another_app()
        self.app.upgrade()

    def another_app(self):
        """Return another process, as it were, on the same database."""
        return self.app_that_sleeps(self.clock.advance)

    def app_that_sleeps(self, sleep):
        """Return another one that waits in its own way."""
        clock = DatabaseClock(self.now)
        app = build(self.settings, now=self.now, sleep=sleep, database_clock=clock)
        self._apps.append(app)
        return app

    def close(self):
        """Let the database go."""
        for app in self._apps:
            app.store.engine.dispose()

    def now(self):
        """Return the time; looking at it takes some."""
        if self.on_look is not None:
            self.on_look()
        self.clock.advance(STEP)
        return self.clock()

    def connect(self, *codes, **options):
        """Connect shops."""
        for code in codes:
            self.world.add_shop(code=code, token=f"token-{code}", **options)
            self.app.shops.add(code, token=f"token-{code}", base_url=self.server.url, org_id="1000")

    def parcel(self, shop, *, cod=0, walk=(), platform="readytopick"):
        """Make a parcel on both sides, and record a walk that the platform knows nothing of."""
        order, fulfillment = self.world.add_parcel(
            shop=shop, cod_amount=cod, carrier_status=platform
        )
        ref = FulfillmentRef(shop=shop, order_id=str(order), fulfillment_id=str(fulfillment))
        number = f"T-{ref.fulfillment_id}"
        self.app.ledger.open(Opening(ref=ref, cod_amount=cod, tracking_number=number))
        self.record(ref, *walk)
        return ref

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

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report(LEGAL)


@contextmanager
def staged(url, *, faults=None, **settings):
    """Build a stage and take it down again."""
    clock = ManualClock(START)
    world = World(clock=clock)
    with SandboxServer(world, legal=LEGAL, faults=faults or Faults()) as server:
        stage = Stage(url, server, world, clock, **settings)
        try:
            yield stage
        finally:
            stage.close()


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


def random_parcels(stage, shop, count, *, seed):
    """Make parcels with random legal histories, the platform lagging at a random point.

    Returns them, and how many PUTs a perfect push would now make.
    """
    rng = random.Random(seed)
    behind = []
    for _ in range(count):
        cod = rng.choice([0, 0, 120_000, 999_000])
        walk = random_walk(rng, cod=cod)
        shown = rng.randrange(len(walk) + 1)
        behind.append((stage.parcel(shop, cod=cod, walk=walk[:shown]), walk[shown:]))
    stage.clock.advance(60)
    stage.app.reconcile([shop], full=True)
    for ref, rest in behind:
        stage.record(ref, *rest)
    return [ref for ref, _ in behind], sum(len(rest) for _, rest in behind)
