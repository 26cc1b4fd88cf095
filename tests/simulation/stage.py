"""One simulated world: a platform, a database, a network, and the processes of a carrier."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from unittest import mock

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.platforms.haravan import haravan_client
from carrierflow.platforms.http import transport
from carrierflow.reconcile import changes
from carrierflow.sandbox.haravan import Dropped, FaultMix, Faults, Haravan, World
from carrierflow.sandbox.haravan.damage import damaged
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.storage import DatabaseClock
from carrierflow.storage import store as store_module

from .calls import TOPICS, WEBHOOKS, Line, connect
from .database import ENGINES, KEY, fresh_database
from .network import PAUSE, Network, nothing
from .scenario import ROOMY
from .scheduler import Scheduler
from .watch import LEGAL, Watch


SHOP = "alpha"
SETTLE = 45.0
TIMEOUT = 10.0
LONGEST_REPLY = 60_000
HUGE = 70_000

BUCKET = 16
"""The bucket of shops where requests are short."""


class Stage:
    """Everything that exists while one seed is played."""

    def __init__(self, scenario, scheduler):
        self.code, self.scenario, self.scheduler = SHOP, scenario, scheduler
        self.chance = random.Random(f"{scenario.seed}:actors")
        self.database = fresh_database()
        self.hiccups, self.drift = scenario.hiccups, scenario.drift
        self.answers, self.refs, self.rows, self.reports = [], [], {}, []
        self.abandoned = set()
        self.left_behind, self.recovered = (), 0
        self.settings = self._settings()
        self.world = self._world()
        self.haravan = Haravan(
            self.world, faults=self._faults(), send=Line(self).send, sleep=scheduler.sleep
        )
        self.watch = Watch(scheduler, self.world, self.database, drift=scenario.drift)
        self.network = self._network()
        scheduler.on_kill = self._killed
        self._own = ExitStack()
        self.app = self._own.enter_context(self.living())
        org_id = str(self.world.shop(SHOP).org_id)
        self.app.shops.add(SHOP, token="token", base_url="http://127.0.0.1", org_id=org_id)
        if scenario.calls:
            connect(self)
        self._plant()
        if scenario.neighbour:
            self._settle_neighbour()
        self.network.storm = scenario.storm

    @property
    def _bucket(self):
        return BUCKET if self.scenario.leak < ROOMY else 100_000

    def _settings(self):
        scenario = self.scenario
        return Settings(
            database_url=f"sqlite:///{self.database}",
            secret_key=KEY,
            lease_seconds=scenario.lease,
            max_reply_bytes=LONGEST_REPLY,
            rate_bucket=self._bucket,
            rate_leak=scenario.leak,
            request_timeout=TIMEOUT,
            settle_seconds=SETTLE,
            longest_pause_seconds=PAUSE,
            merchant_edit="reassert" if scenario.reassert else "hold",
            client_secret=App().client_secret,
        )

    def _world(self):
        scenario, skew = self.scenario, timedelta(seconds=self.scenario.skew)
        world = World(
            clock=lambda: self.scheduler.now() + skew, app=App(webhook_url=WEBHOOKS, topics=TOPICS)
        )
        world.add_shop(
            code=SHOP,
            token="token",
            bump_orders=scenario.bump,
            lifts_cod=scenario.lifts,
            bucket_size=self._bucket,
            leak_per_second=int(scenario.leak),
        )
        return world

    def _network(self):
        return Network(
            self.scheduler,
            self.haravan,
            seed=self.scenario.seed,
            jitter=self.scenario.jitter,
            timeout=TIMEOUT,
            settle=SETTLE,
            longest=LONGEST_REPLY,
            watch=self.watch,
        )

    def _settle_neighbour(self):
        """Put a parcel of another carrier into the first order; its row can never be read."""
        _, number = self.world.add_parcel(
            shop=SHOP,
            order_id=int(self.refs[0].order_id),
            tracking_number="elsewhere",
            tracking_company_code="ghn2018",
        )
        self.neighbour = (self.refs[0].order_id, str(number))
        mark, seed = f'"id":{number},'.encode(), f"{self.scenario.seed}:neighbour"

        def warp(outcome):
            if isinstance(outcome, Dropped) or mark not in outcome.body:
                return outcome
            body = damaged(outcome.body, random.Random(seed), only=number)
            return replace(outcome, body=body)

        self.network.warp = warp

    def _faults(self):
        rates = self.scenario.rates
        mix = FaultMix(
            rates=rates,
            late_seconds=(1, 20),
            stale_seconds=(1, 15),
            huge_size=HUGE,
            slow_seconds=(0.1, 12.0),
        )
        return Faults(mix=mix if rates else None, seed=self.scenario.seed)

    @contextmanager
    def living(self):
        """Build the application of a new process, for as long as it lives."""
        true, url = self.scheduler.now, self.settings.database_url
        drift = timedelta(seconds=self.chance.uniform(-self.drift, self.drift))
        with ENGINES.lent(url, self.scheduler, self.hiccups) as engine:
            yield build(
                self.settings,
                engine=engine,
                definition=DEFAULT,
                now=lambda: true() + drift,
                sleep=self.scheduler.sleep,
                database_clock=DatabaseClock(true),
            )

    def _plant(self):
        order = None
        for place, road in enumerate(self.scenario.roads):
            number = tracking_number(place)
            order, fulfillment = self.world.add_parcel(
                shop=SHOP,
                cod_amount=road.cod,
                order_id=order if road.joins else None,
                tracking_number=number,
            )
            ref = FulfillmentRef(shop=SHOP, order_id=str(order), fulfillment_id=str(fulfillment))
            self.refs.append(ref)
            if not road.late_open:
                self.app.ledger.open(self.opening(len(self.refs) - 1))

    def opening(self, number):
        """Return how the ledger hears of a parcel."""
        return Opening(
            ref=self.refs[number],
            cod_amount=self.scenario.roads[number].cod,
            tracking_number=tracking_number(number),
        )

    def _killed(self):
        """Note what the first kill leaves behind: what the next run finds."""
        if self.left_behind:
            return
        tables = ("history", "evidence", "attempts", "outcomes", "observations", "incidents")
        counts = [self.watch.rows(f"SELECT count(*) FROM carrierflow_{name}") for name in tables]
        versions = self.watch.rows("SELECT version FROM carrierflow_fulfillments ORDER BY id")
        sent = [(put.path, put.state) for put in self.network.sent]
        self.left_behind = (str(counts), str(versions), str(sent), len(self.world.recorder.puts))

    def run_ended(self):
        """Note that a run came to its end."""
        if self.left_behind and not self.recovered:
            self.recovered = self.scheduler.points

    def opened(self, ref):
        """Tell whether the ledger has heard of a parcel."""
        return bool(
            self.watch.rows(
                "SELECT 1 FROM carrierflow_fulfillments WHERE fulfillment_id = ?",
                ref.fulfillment_id,
            )
        )

    def shown(self, ref):
        """Return what the platform shows of a parcel."""
        self.world.settle()
        parcel = self.world.shop(SHOP).parcel(int(ref.order_id), int(ref.fulfillment_id))
        return str(parcel.carrier_status), str(parcel.cod_status)

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.world.recorder.report(LEGAL)

    def calm_down(self):
        """End every fault, from now on."""
        self.haravan.faults.plan()
        self.network.jitter, self.hiccups, self.drift = 0.0, 0.0, 0.0
        self.network.before_read = self.network.after_read = nothing
        self.network.storm = None
        self.scheduler.kill_rate = self.scheduler.stall_rate = 0.0

    def close(self):
        """Take everything down."""
        self.scheduler.bury()
        self.watch.close()
        self._own.close()


@contextmanager
def staged(scenario, *, kill_at=(), keep_lines=False):
    """Build the world of a scenario and take it down again."""
    scheduler = Scheduler(
        scenario.seed,
        kill_rate=scenario.kill_rate,
        kill_at=kill_at,
        stall_rate=scenario.stall_rate,
    )
    scheduler.keep_lines = keep_lines
    with ExitStack() as stack:
        dice = random.Random(f"{scenario.seed}:store")
        stack.enter_context(mock.patch.object(store_module, "random", dice))
        stack.enter_context(mock.patch.object(changes, "BATCH", scenario.page))
        stack.enter_context(mock.patch.object(haravan_client, "MOST_ORDERS", scenario.page))
        stage = Stage(scenario, scheduler)
        stack.callback(stage.close)
        stack.enter_context(mock.patch.object(transport, "new_session", stage.network.session))
        yield stage


def tracking_number(place):
    """Return the number under which the platform asks for a parcel."""
    return f"T-{place}"
