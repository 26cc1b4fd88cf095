"""What it costs to find out that nothing is to be done: a run at a shop in order, and who is due.

Beside a run stands what its transactions cost by hand: the same rows, taken and let go, written
with Core. The platform answers at once and inside this process, so only we and the database work.
"""

# ruff: noqa: ARG002 - the port's signatures, and the race's

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from counting import counted
from databases import create
from sqlalchemy import bindparam, func, insert, select, update

from carrierflow import PlatformProfile, Projection
from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.hearing import Hearing
from carrierflow.domain.shop import ShopState
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.tables import fulfillments, run_ends, runs, shops

from .measure import Spread, race, ratios, timed
from .results import Budget, Figure
from .servers import ServerTime, settle


__all__ = ["idling"]

OURS, BY_HAND = "carrierflow", "by hand"
RUNS = 40
"""Runs of a round."""

MILLISECONDS = {"sqlite": 3, "postgres": 5}
TRANSACTIONS, STATEMENTS = 6, 8
CLAIMED, CLAIMING = 1_000, 60
"""How many shops are claimed at once, and in how many milliseconds."""


def idling(kinds, size, folder):
    """Look at a shop in which nothing is to be done, and claim many, on each database."""
    for kind in kinds:
        with create(kind, folder) as database, closing(Idle(database, size)) as idle:
            contestants = {OURS: idle, BY_HAND: ByHand(idle.app.store.engine)}
            timings = race(contestants, rounds=size.rounds, elsewhere=idle.server)
            claims = [idle.claim() for _ in range(size.rounds)]
            yield from _found(kind, timings, idle.counted(), claims)


def _found(kind, timings, counted, claims):
    bench = "a run with nothing to do"
    for who, rounds in timings.items():
        spread = Spread.of([timing.busy / RUNS * 1e3 for timing in rounds])
        yield Figure(bench=bench, where=kind, who=who, spread=spread, unit="ms")
        if who == OURS and kind in MILLISECONDS:
            limit = MILLISECONDS[kind]
            yield Budget(promise=bench, where=kind, limit=limit, spread=spread, unit="ms")
    spread = ratios(timings[OURS], timings[BY_HAND])
    yield Figure(
        bench=f"{bench}, against its rows", where=kind, who=OURS, spread=spread, unit="times"
    )
    for what, limit, number in zip(
        ("transactions", "statements"), (TRANSACTIONS, STATEMENTS), counted, strict=True
    ):
        spread = Spread.of([float(number)])
        yield Budget(promise=f"{what} of {bench}", where=kind, limit=limit, spread=spread, unit="")
    spread = Spread.of([seconds * 1e3 for seconds in claims])
    promise = f"claiming {CLAIMED:,} of ten thousand shops"
    yield Budget(promise=promise, where=kind, limit=CLAIMING, spread=spread, unit="ms")


class Quiet:
    """A platform on which nothing ever changes."""

    one_by_one = False
    projection = Projection(looks_as={}, writes=())

    def __init__(self, link):
        self._budget = link.budget
        self.requests = Requests()

    def orders_changed(self, since, *, page=1):
        """Return that nothing changed; asking is counted as it always is."""
        self._budget.spend()
        self.requests.get += 1
        return ()

    def orders(self, order_ids):
        """Return none; there are none."""
        return ()

    def close(self):
        """Hold nothing."""


class Requests:
    """Counts what is asked."""

    def __init__(self):
        self.get = self.put = self.throttled = self.alone = 0
        self.hearing = Hearing()


PROFILE = PlatformProfile(
    name="quiet",
    title="Quiet",
    base_url="http://127.0.0.1",
    connect=Quiet,
    projection=Quiet.projection,
    defaults={
        "remote_ahead": "hold",
        "merchant_edit": "hold",
        "verify_within_hours": "24",
        "rate_bucket": "100000",
        "rate_leak": "100000",
    },
)


class Idle:
    """A carrier with many shops that are in order."""

    def __init__(self, database, size):
        settings = Settings(database_url=database.url, secret_key=generate_key())
        self.app = build(settings, platforms=[PROFILE])
        self.app.upgrade()
        self.app.shops.add("first", platform="quiet", token="t" * 20)
        self.app.reconcile_shop("first")  # the first look of all only notes where to begin
        self._fill(max(size.network[0], 2 * CLAIMED))
        settle(self.app.store.engine)
        self.app.close()
        self.server = ServerTime(self.app.store.engine)

    def _fill(self, count):
        with self.app.store.begin() as connection:
            (row,) = connection.execute(select(shops)).mappings()
            copied = {name: value for name, value in row.items() if name != "id"}
            others = [
                copied | {"code": f"shop-{n}", "next_due": row["added_at"]} for n in range(count)
            ]
            connection.execute(insert(shops), others)

    def close(self):
        """Let the database go."""
        self.app.close()

    def prepare(self, number):
        """Return the runs of one round."""
        return lambda: [self._run() for _ in range(RUNS)]

    def _run(self):
        report = self.app.reconcile_shop("first")
        assert ("done", 1) == (report.end_reason, report.requests.get), report

    def counted(self):
        """Return how many transactions and statements one run takes."""
        with counted(self.app.store.engine) as found:
            self._run()
        return found.transactions, len(found.statements)

    def claim(self):
        """Claim shops that are due, and offer them again; return the seconds."""
        codes = []
        hold = timedelta(minutes=1)
        took = timed(lambda: codes.extend(self.app.due(CLAIMED, hold=hold)), elsewhere=self.server)
        assert CLAIMED == len(codes)
        self.app._queue.give_back(codes)
        return took.busy


class ByHand:
    """The rows of a run, written with Core by somebody who knows that nothing is to be done."""

    def __init__(self, engine):
        self._engine = engine
        self._number = 0

    def prepare(self, number):
        """Return the runs of one round."""
        return lambda: [self._run() for _ in range(RUNS)]

    def _run(self):
        self._number += 1
        run, now = f"by hand {self._number}", datetime.now(UTC)
        with self._engine.begin() as connection:
            shop = connection.execute(READ, {"code": "first"}).one()
            mine = {"this": shop.id, "run": run, "until": now + timedelta(minutes=1)}
            assert 1 == connection.execute(TAKE, mine).rowcount
            began = {"id": run, "kind": "reconcile", "shop": shop.id, "started_at": now}
            connection.execute(insert(runs), began)
        with self._engine.connect() as connection:
            assert 0 == connection.execute(COUNT, {"this": shop.id}).scalar_one()
        with self._engine.begin() as connection:
            ended = {"ended_at": now, "end_reason": "done", "counters": "{}"}
            connection.execute(END, {"its": run, **{f"new_{k}": v for k, v in ended.items()}})
            row = began | ended | {"run": run, "recorded_at": now}
            del row["id"]
            connection.execute(insert(run_ends), row)
            assert 1 == connection.execute(LEAVE, {"this": shop.id, "due": now}).rowcount


s, f = shops.c, fulfillments.c
READ = select(shops).where(s.code == bindparam("code"))
TAKE = (
    update(shops)
    .where(s.id == bindparam("this"), s.state == ShopState.ACTIVE, s.lease_until.is_(None))
    .values(lease_owner=bindparam("run"), lease_until=bindparam("until"), fence=s.fence + 1)
)
COUNT = select(func.count()).where(f.shop == bindparam("this"), f.open)
END = (
    update(runs)
    .where(runs.c.id == bindparam("its"))
    .values({n: bindparam(f"new_{n}") for n in ("ended_at", "end_reason", "counters")})
)
LEAVE = (
    update(shops)
    .where(s.id == bindparam("this"))
    .values(lease_owner=None, lease_until=None, next_due=bindparam("due"))
)
