"""A carrier whose work is done by processes of their own; time is real, and settings are quick."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from carrier import LEGAL, Carrier, random_walk
from onflow_carrier import OnflowCarrier
from sapo_carrier import SapoCarrier
from sqlalchemy import select, union_all

from carrierflow.domain import clock
from carrierflow.domain.model import Event, Opening, Status
from carrierflow.errors import ShopHeld
from carrierflow.reconcile import EndReason
from carrierflow.sandbox.faults import FaultKind, FaultMix, Faults
from carrierflow.sandbox.haravan import SandboxServer, World
from carrierflow.sandbox.onflow import OnflowServer, OnflowWorld
from carrierflow.sandbox.sapo import SapoServer, SapoWorld
from carrierflow.storage.tables import evidence, history


__all__ = ["DAY", "PLATFORMS", "QUICK", "BusyCarrier", "busy", "kept", "quick_faults"]

QUICK = {
    "settle_seconds": 0.5,
    "request_timeout": 1.0,
    "connect_timeout": 0.5,
    "send_deadline_seconds": 0.5,
    "lease_seconds": 0.4,
    "get_backoff_seconds": 0.01,
    "rate_bucket": 100_000,
    "rate_leak": 100_000.0,
}

DAY = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=number) for number in range(12)]


WIRE = {
    FaultKind.LOST_REQUEST: 0.05,
    FaultKind.LOST_REPLY: 0.05,
    FaultKind.LATE_APPLY: 0.05,
    FaultKind.ERROR_500_BEFORE: 0.03,
    FaultKind.ERROR_502_AFTER: 0.03,
    FaultKind.THROTTLE_429: 0.005,
    FaultKind.HTML: 0.02,
    FaultKind.EMPTY_BODY: 0.02,
    FaultKind.TRUNCATED_BODY: 0.02,
    FaultKind.STALE_READ: 0.05,
}


def quick_faults(seed):
    """Return what goes wrong on a bad network, where a settle window is half a second.

    A pause that a platform asks for takes a whole second, so there are few.
    """
    mix = FaultMix(rates=WIRE, late_seconds=(0.01, 0.3), stale_seconds=(0.01, 0.2))
    return Faults(mix=mix, seed=seed, late_limit=0.3)


class Busy:
    """What a carrier of any platform has whose scanners and runs are processes of their own."""

    def __init__(self, url, world, server, **settings):
        super().__init__(url, world, server, **settings)
        self.refs, self.events, self.all_due = [], [], 0
        self.environment = os.environ | {
            "CARRIERFLOW_DATABASE_URL": url,
            "CARRIERFLOW_SECRET_KEY": self.settings.secret_key.get_secret_value(),
            "CARRIERFLOW_ACTOR": "desk",
            **{f"CARRIERFLOW_{name.upper()}": str(value) for name, value in settings.items()},
        }

    def start(self, *arguments):
        """Start the command line as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "carrierflow", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def happenings(self, shop, count, *, seed):
        """Make parcels on the platform, and return what happened to them, in order of time."""
        rng, events = random.Random(seed), []
        for _ in range(count):
            cod = rng.choice([0, 250_000])
            with self.server.lock:
                ref = self.platform_parcel(shop, cod=cod)
            walk = random_walk(rng, cod=cod)
            self.refs += [ref] * bool(walk)
            self.all_due += self.due(walk)
            events += [
                Event(
                    shop=shop,
                    fulfillment_id=ref.fulfillment_id,
                    status=Status(status),
                    occurred_at=DAY[index],
                    key=f"{ref.fulfillment_id}-{index}",
                    opening=Opening(ref=ref, cod_amount=cod),
                )
                for index, status in enumerate(walk)
            ]
        events.sort(key=lambda event: event.occurred_at)
        self.events += events
        return events

    def record_all(self, events):
        """Record events that are all new."""
        assert {"accepted"} == {answer.verdict for answer in self.app.ledger.record_many(events)}

    @property
    def unpublished(self):
        """How many writes are due that the platform has not had yet."""
        return self.all_due - self.judgement().applied

    def until_in_order(self, *, most=100):
        """Reconcile until nothing is left to do; a shop that is named never rests."""
        shops = [shop.code for shop in self.app.shops.all()]
        for _ in range(most):
            try:
                (report,) = self.app.reconcile(shops, full=True, wait=True)
            except ShopHeld:
                clock.sleep(0.1)
                continue
            if report.end_reason is EndReason.DONE and not report.left:
                return
        raise AssertionError(f"not in order after {most} runs: {report}")

    def assert_in_agreement(self, *, ambiguous):
        """Both sides agree, by legal steps, each told once unless its outcome was unknown.

        A run may meet a parcel before the scanner has told of it, and says so; nothing else was
        a person's business.
        """
        self.until_in_order()
        judged = self.judgement()
        assert [] == self.apart()
        assert () == judged.illegal
        assert len(judged.repeated) <= ambiguous
        assert self.all_due == judged.applied
        assert {"unknown_here"} >= {incident.kind for incident in self.app.incidents.all()}
        assert {event.key: 1 for event in self.events} == kept(self.app.store.engine)
        assert self.app.verify().ok

    def apart(self):
        """Return the parcels on which both sides disagree."""
        return [ref for ref in self.refs if not self.agrees(ref)]


class BusyCarrier(Busy, Carrier):
    """A busy carrier on Haravan."""


class BusySapoCarrier(Busy, SapoCarrier):
    """A busy carrier on Sapo."""


class BusyOnflowCarrier(Busy, OnflowCarrier):
    """A busy carrier on Onflow."""


def kept(engine):
    """Count for each key how often it stands in history or evidence."""
    query = union_all(
        select(history.c.event_key).where(history.c.event_key.is_not(None)),
        select(evidence.c.event_key).where(evidence.c.event_key.is_not(None)),
    )
    with engine.connect() as connection:
        return Counter(connection.execute(query).scalars())


ROOMY = {"bucket_size": 100_000, "leak_per_second": 100_000}

PLATFORMS = {
    "haravan": (BusyCarrier, World, partial(SandboxServer, legal=LEGAL), ROOMY),
    "sapo": (BusySapoCarrier, SapoWorld, SapoServer, {}),
    "onflow": (BusyOnflowCarrier, OnflowWorld, OnflowServer, ROOMY),
}
"""Of each platform: its carrier, world and server, and a shop without any limit to speak of."""


@contextmanager
def busy(url, *, platform="haravan", faults=None, shops=("alpha",), latency=0.01, **settings):
    """Build a carrier with shops that may be asked as fast as we like; take it down again."""
    kind, make_world, serve, options = PLATFORMS[platform]
    world = make_world()
    with serve(world, latency=latency, faults=faults or Faults()) as server:
        carrier = kind(url, world, server, **QUICK | settings)
        try:
            carrier.connect(*shops, **options)
            yield carrier
        finally:
            carrier.close()
