"""What it costs to keep a shop in agreement, against the script that asks for each parcel.

The platform is another process on this machine; its time is virtual, and its bucket Haravan's.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from carrierflow.app.build import build
from carrierflow.app.settings import Settings
from carrierflow.domain.model import Event, FulfillmentRef, Opening, Status
from carrierflow.reconcile.changes import BATCH
from carrierflow.reconcile.evaluate import accept
from carrierflow.storage import DatabaseClock
from carrierflow.storage.encryption import generate_key
from carrierflow.storage.reconcile import SAVE_PARCEL, SqlReconcileStore
from carrierflow.storage.rows import guarded, head_values, look_values

from .measure import Spread, peak_memory, timed
from .naive import Naive
from .platform_process import BUCKETS, ids_of, platform_process
from .results import Budget, Figure


__all__ = ["reconciling"]

OURS, NAIVE = "carrierflow", "naive script"
PLACES = {"ours": 0, "naive": 1}
"""The shops of the two, and where their ids begin."""

CASH = 250_000
SHARES = (0, 2, 20)
"""Percent of the parcels with a step that the platform does not show yet."""

MICROSECONDS = 150
GETS = 1 / 40
WALL = 1.1
MEMORY = 1.2
FEWEST_CALLS = 1_000
"""Below this, what the first burst saves is as long as the run."""


def reconciling(kinds, size, folder):
    """Reconcile shops of each size; the ledger is on SQLite."""
    peaks = {}
    for parcels in size.shops:
        with _staged(Path(folder), parcels) as stage:
            if parcels <= size.most_naive:
                yield stage.first_look()
            else:
                stage.skip_first_look()
            yield from stage.in_agreement(size.looks)
            yield from stage.against_the_script(with_script=parcels <= size.most_naive)
            peaks[parcels] = stage.peak_memory()
    for parcels, peak in peaks.items():
        yield _figure("peak memory", parcels, OURS, peak / 2**20, "MiB")
    *_, before, last = peaks
    yield Budget(
        promise=f"peak memory, against {before:,} parcels",
        where=_parcels(last),
        limit=MEMORY,
        spread=Spread.of([peaks[last] / peaks[before]]),
    )


@contextmanager
def _staged(folder, parcels):
    with platform_process(PLACES, parcels, cash=CASH, status="picking") as platform:
        stage = Stage(platform, parcels, folder / f"{parcels}.db")
        try:
            yield stage
        finally:
            stage.close()


class Stage:
    """A carrier with one shop of its own, and a script with another like it."""

    def __init__(self, platform, parcels, path):
        self.platform, self.parcels = platform, parcels
        self._next = 0
        settings = {"database_url": f"sqlite:///{path}", "secret_key": generate_key()}
        bucket, leak = BUCKETS["fast"]
        self._real = self._app(Settings(**settings))
        self._fast = self._app(Settings(**settings, rate_bucket=bucket, rate_leak=leak))
        self._real.upgrade()
        self._real.shops.add("ours", token="token-ours", base_url=platform.url)
        opened = self._real.ledger.record_many(
            self._event(number, Status.PICKING) for number in range(parcels)
        )
        assert all(answer.verdict == "accepted" for answer in opened)
        self.script = Naive(platform.url, "token-naive", platform.clock.advance)
        self.wanted = {ids_of(PLACES["naive"], number): "picking" for number in range(parcels)}

    def _app(self, settings):
        clock = self.platform.clock
        return build(settings, now=clock, sleep=clock.advance, database_clock=DatabaseClock(clock))

    def close(self):
        """Let the database go."""
        for app in (self._real, self._fast):
            app.store.engine.dispose()

    def _event(self, number, status):
        order, fulfillment = ids_of(PLACES["ours"], number)
        ref = FulfillmentRef(shop="ours", order_id=f"{order}", fulfillment_id=f"{fulfillment}")
        return Event(
            shop="ours",
            fulfillment_id=ref.fulfillment_id,
            status=status,
            occurred_at=self.platform.clock(),
            opening=Opening(ref=ref, cod_amount=CASH),
        )

    def first_look(self):
        """The first look at every parcel: everything is new, and written."""
        self.platform.bucket(real=False)
        return self._cpu("first look", [timed(lambda: self._look(self._fast))])

    def skip_first_look(self):
        """Write what a first look would, in bulk; the looks that follow prove that it did."""
        self.platform.bucket(real=False)
        store = self._fast.store
        shop = store.shop("ours")
        with closing(self._fast.reconciler.connect(shop)) as platform:
            for start in range(0, self.parcels, BATCH):
                numbers = range(start, min(start + BATCH, self.parcels))
                ids = [str(ids_of(PLACES["ours"], number)[0]) for number in numbers]
                seen = {o.order_id: o.fulfillments[0] for o in platform.orders(ids)}
                known = SqlReconcileStore(store).parcels_of(shop, ids)
                rows = [_looked_at(p, seen[p.ref.order_id]) for p in known]
                with store.begin() as connection:
                    connection.execute(SAVE_PARCEL, rows)

    def in_agreement(self, looks):
        """Looks at which nothing is new."""
        self.platform.bucket(real=False)
        later = [timed(lambda: self._look(self._fast)) for _ in range(looks)]
        figure = self._cpu("in agreement", later)
        yield figure
        yield Budget(
            promise="CPU for a parcel in agreement",
            where=_parcels(self.parcels),
            limit=MICROSECONDS,
            spread=figure.spread,
            unit="µs",
        )

    def _cpu(self, bench, timings):
        micros = Spread.of([timing.busy / self.parcels * 1e6 for timing in timings])
        return Figure(
            bench=f"CPU per parcel, {bench}",
            where=_parcels(self.parcels),
            who=OURS,
            spread=micros,
            unit="µs",
        )

    def _look(self, app):
        self.platform.clock.advance(60)
        (report,) = app.reconcile(["ours"], full=True)
        assert report.end_reason == "done", report.sentence
        assert report.checked == report.in_sync == self.parcels
        return report

    def against_the_script(self, *, with_script):
        """Requests and time under the real bucket, for each share of parcels with a step."""
        for share in SHARES:
            numbers = self._new_steps(share)
            self._wait_for_an_empty_bucket()
            report = self._look(self._real)
            assert report.published == report.requests.put == len(numbers)
            seconds = (report.ended_at - report.started_at).total_seconds()
            yield from self._requests(share, OURS, report.requests, seconds)
            naive = _Counts(get=self.parcels + len(numbers), put=len(numbers))
            if with_script:
                yield from self._run_script(share, naive)
            yield from self._budgets(share, report.requests, naive, seconds)

    def _run_script(self, share, expected):
        self._wait_for_an_empty_bucket()
        began, before = self.platform.clock(), _Counts(self.script.get, self.script.put)
        timing = timed(lambda: self.script.reconcile(self.wanted))
        made = _Counts(self.script.get - before.get, self.script.put - before.put)
        assert made == expected
        seconds = (self.platform.clock() - began).total_seconds()
        yield from self._requests(share, NAIVE, made, seconds)
        micros = timing.busy / self.parcels * 1e6
        bench = f"CPU per parcel, {share} % to publish"
        yield _figure(bench, self.parcels, NAIVE, micros, "µs")

    def _new_steps(self, share):
        """Record the next step of some parcels on both sides of the contest."""
        count = self.parcels * share // 100
        numbers = range(self._next, self._next + count)
        self._next += count
        for number in numbers:
            self.wanted[ids_of(PLACES["naive"], number)] = "delivering"
        events = (self._event(number, Status.DELIVERING) for number in numbers)
        assert all(a.verdict == "accepted" for a in self._real.ledger.record_many(events))
        return numbers

    def _wait_for_an_empty_bucket(self):
        self.platform.bucket(real=True)
        self.platform.clock.advance(timedelta(hours=1).total_seconds())

    def _requests(self, share, who, made, seconds):
        bench = f"{share} % to publish"
        yield _figure(f"GETs, {bench}", self.parcels, who, made.get, "requests")
        yield _figure(f"PUTs, {bench}", self.parcels, who, made.put, "requests")
        yield _figure(f"time, {bench}", self.parcels, who, seconds / 60, "minutes")

    def _budgets(self, share, made, naive, seconds):
        where = f"{_parcels(self.parcels)}, {share} %"
        promise = "GETs, against the naive script"
        ratio = Spread.of([made.get / naive.get])
        yield Budget(promise=promise, where=where, limit=GETS, spread=ratio)
        calls = made.get + made.put
        if calls >= FEWEST_CALLS:
            size, leak = BUCKETS["real"]
            ratio = Spread.of([seconds / ((calls - size) / leak)])
            promise = "time, against the bucket's own bound"
            yield Budget(promise=promise, where=where, limit=WALL, spread=ratio)

    def peak_memory(self):
        """Return the most bytes that Python held at once for a look, all being in agreement.

        The PUTs of the last run are changes to the next one's sweep: they are swept before.
        """
        self.platform.bucket(real=False)
        self._look(self._fast)
        return peak_memory(lambda: self._look(self._fast))


@dataclass(frozen=True)
class _Counts:
    """Requests made."""

    get: int
    put: int


def _looked_at(parcel, seen):
    after = replace(
        parcel,
        version=parcel.version + 1,
        delivery=replace(parcel.delivery, confirmed=parcel.delivery.seq),
        cod=replace(parcel.cod, confirmed=parcel.cod.seq),
        remote=accept(seen),
        seen_at=seen.seen_at,
        verified_at=seen.asked_at,
    )
    return guarded(parcel, head_values(after) | look_values(after))


def _figure(bench, parcels, who, value, unit):
    spread = Spread.of([value])
    return Figure(bench=bench, where=_parcels(parcels), who=who, spread=spread, unit=unit)


def _parcels(count):
    return f"{count:,} parcels"
