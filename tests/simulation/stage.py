"""One simulated world: a platform, a database, a network, and the processes of a carrier."""

from __future__ import annotations

import random
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from unittest import mock

from carrierflow.app.build import build
from carrierflow.domain.lifecycle import DEFAULT
from carrierflow.domain.model import FulfillmentRef, Opening
from carrierflow.platforms.http import connection
from carrierflow.reconcile import changes
from carrierflow.storage import DatabaseClock
from carrierflow.storage import store as store_module

from .database import ENGINES, fresh_database
from .network import Network, nothing
from .scheduler import Scheduler
from .side import SHOP
from .sides import SIDES
from .watch import Watch


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
        self.side = SIDES[scenario.platform](self)
        self.settings, self.world = self.side.settings, self.side.world
        self.faults = self.side.faults
        self.watch = Watch(scheduler, self.side, self.database, drift=scenario.drift)
        self.network = Network(
            scheduler, self.side, self.watch, seed=scenario.seed, jitter=scenario.jitter
        )
        scheduler.on_kill = self._killed
        self._own = ExitStack()
        self.app = self._own.enter_context(self.living())
        self.side.connect()
        self._plant()
        if scenario.neighbour:
            self.side.settle_neighbour()
        self.network.storm = scenario.storm

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
            order, number = self.side.add_parcel(place, road, order if road.joins else None)
            ref = FulfillmentRef(shop=SHOP, order_id=str(order), fulfillment_id=str(number))
            self.refs.append(ref)
            if not road.late_open:
                self.app.ledger.open(self.opening(place))

    def opening(self, place):
        """Return how the ledger hears of a parcel."""
        cod, more = self.scenario.roads[place].cod, self.side.opening(place)
        return Opening(ref=self.refs[place], cod_amount=cod, **more)

    def _killed(self):
        """Note what the first kill leaves behind: what the next run finds."""
        if self.left_behind:
            return
        tables = ("history", "evidence", "attempts", "outcomes", "observations", "incidents")
        counts = [self.watch.rows(f"SELECT count(*) FROM carrierflow_{name}") for name in tables]
        versions = self.watch.rows("SELECT version FROM carrierflow_fulfillments ORDER BY id")
        sent = [(put.path, put.state) for put in self.network.sent]
        self.left_behind = (str(counts), str(versions), str(sent), self.side.received[0])

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

    def judged(self):
        """Return the sandbox's own judgement."""
        return self.side.judged()

    def calm_down(self):
        """End every fault, from now on."""
        self.faults.plan()
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
        stack.enter_context(SIDES[scenario.platform].pages(scenario.page))
        stage = Stage(scenario, scheduler)
        stack.callback(stage.close)
        stack.enter_context(mock.patch.object(connection, "new_session", stage.network.session))
        yield stage
