"""What an embedder holds: record what happened, reconcile shops, ask what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from carrierflow.audit.timeline import Timeline
from carrierflow.audit.verify import StoredEntry, Verification, verify
from carrierflow.clock import Clock, Sleep
from carrierflow.connections import Connections
from carrierflow.desk import Desk
from carrierflow.errors import ConfigurationError, InvalidInput, ShopHeld
from carrierflow.importing import Imported, import_shop
from carrierflow.intake import Row
from carrierflow.ledger import Ledger
from carrierflow.lifecycle import Lifecycle
from carrierflow.model import Recorded
from carrierflow.parcel import Parcel
from carrierflow.reconcile import (
    EndReason,
    Limits,
    Plan,
    PlanLine,
    Reconciler,
    Requests,
    RunReport,
    Tally,
    never,
)
from carrierflow.sealing import KeyRing
from carrierflow.settings import Settings
from carrierflow.shop import Coverage, ShopState
from carrierflow.storage import Host, JoinedStore, SqlStore, reading, upgrade


__all__ = ["Carrierflow", "Progress"]

SHOPS_AT_ONCE = 4
ROWS_AT_ONCE = 2_000

SHARE_SECONDS = 60
SHARE_REQUESTS = 240
"""A shop's share of a run in which other shops wait."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the run at one shop is."""

    shop: str
    checked: int
    published: int
    orders: int
    orders_left: int


class Carrierflow:
    """A carrier's ledger and its reconciliation; build one with `carrierflow.build`.

    Thread-safe: one object serves a whole process.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: SqlStore,
        ledger: Ledger,
        reconciler: Reconciler,
        lifecycle: Lifecycle,
        keys: KeyRing,
        clock: Clock,
        sleep: Sleep,
    ) -> None:
        self.settings = settings
        self.store = store
        self.ledger = ledger
        self.reconciler = reconciler
        self.lifecycle = lifecycle
        self.shops = Connections(store, keys, clock=clock)
        self.incidents = Desk(store, ledger, clock=clock)
        self._keys = keys
        self._clock = clock
        self._sleep = sleep

    def upgrade(self) -> str:
        """Create or migrate the tables; return the schema's revision."""
        return upgrade(self.store.engine)

    def joined(self, host: Host) -> Ledger:
        """Return a ledger that records inside the host's own open transaction.

        It neither commits nor closes: if the host rolls back, nothing was recorded. Make one
        for each transaction.
        """
        store = JoinedStore(host, self.lifecycle.definition, clock=self._clock)
        return Ledger(store, self.lifecycle, clock=self._clock, sealer=self._keys)

    def record_rows(self, rows: Iterable[Row]) -> Iterator[tuple[Row, Recorded | InvalidInput]]:
        """Record the rows of a file; yields each with its answer, in their order.

        A row that could not be read is answered with what is wrong with it.
        """
        remaining = iter(rows)
        while batch := list(islice(remaining, ROWS_AT_ONCE)):
            events = [row.event for row in batch if row.event is not None]
            answers = self.ledger.record_many(events, chunk=ROWS_AT_ONCE)
            for row in batch:
                yield row, row.problem if row.problem is not None else next(answers)

    def file_recorded_at(self, digest: str) -> datetime | None:
        """Return when a file with these bytes was recorded to its end; None if never."""
        with self.store.reading() as connection:
            return reading.file_recorded_at(connection, digest)

    def file_recorded(self, digest: str, *, name: str, row_count: int) -> None:
        """Write that a file was recorded to its end."""
        now = self._clock()
        self.store.transact(
            lambda c: reading.add_file(c, digest, name=name, row_count=row_count, now=now)
        )

    def parcel(self, shop: str, fulfillment_id: str) -> Parcel:
        """Return one fulfillment as it stands.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self.store.reading() as connection:
            return reading.find_parcel(connection, shop, fulfillment_id)

    def timeline(self, shop: str, fulfillment_id: str) -> Timeline:
        """Return everything that is known of one fulfillment.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self.store.reading() as connection:
            parcel = reading.find_parcel(connection, shop, fulfillment_id)
            return Timeline.of(
                parcel,
                reading.entries_of(connection, parcel),
                reading.evidence_of(connection, parcel),
                reading.tellings_of(connection, parcel),
            )

    def coverage(self, within: timedelta | None = None) -> list[Coverage]:
        """Return for each shop how well its open fulfillments are known."""
        since = self._clock() - (within or self.settings.verify_within)
        return [self.store.coverage(shop, since=since) for shop in self.shops.all()]

    def verify(self, progress: Callable[[int], None] | None = None) -> Verification:
        """Replay the whole history of the database and say whether it is as it was written."""
        with self.store.reading() as heads, self.store.reading() as entries:
            stream = reading.stored_entries(entries)
            return verify(
                reading.definition_rows(heads),
                reading.head_rows(heads),
                _counted(stream, progress) if progress else stream,
            )

    def reconcile(
        self,
        shops: Sequence[str] = (),
        *,
        full: bool = False,
        wait: bool = False,
        max_writes: int | None = None,
        stop: Callable[[], bool] = never,
        progress: Callable[[Progress], None] | None = None,
    ) -> list[RunReport]:
        """Bring shops to the ledger's state; all active ones if none is named.

        `full` looks at every open order, however lately it was looked at. `wait` stays until
        the settle windows of unanswered PUTs have passed, and decides them.

        Raises:
            UnknownShop: if a shop named is not connected.
            ShopHeld: if another run holds the only shop.
            WrongSecretKey, DatabaseUnavailable: if nothing can be done at all.
        """
        codes = self._codes(shops)
        crew = _Crew(self, full=full, wait=wait, stop=stop, progress=progress)
        return crew.work(codes, max_writes=max_writes or self.settings.max_writes)

    def plan(self, shops: Sequence[str] = (), *, full: bool = False) -> tuple[Plan, list[Requests]]:
        """Say what `reconcile` would do; nothing is written and nothing is PUT.

        Raises:
            UnknownShop: if a shop named is not connected.
            PlatformUnavailable, AccessDenied: if a shop cannot be read.
        """
        before = self._clock() if full else None
        lines: list[PlanLine] = []
        requests: list[Requests] = []
        for code in self._codes(shops):
            found, made = self.reconciler.plan_shop(
                code, limits=self.limits(), verified_before=before
            )
            lines += found
            requests.append(made)
        return Plan.of(lines), requests

    def apply(self, plan: Plan, *, stop: Callable[[], bool] = never) -> list[RunReport]:
        """Carry a plan out: each target is read again, and left alone if it changed.

        Raises:
            UnknownShop, ShopHeld, WrongSecretKey, DatabaseUnavailable: as `reconcile`.
        """
        reports = []
        for code in plan.shops():
            lines = [line for line in plan.lines if line["shop"] == code]
            report, stale = self.reconciler.apply_plan(code, lines, limits=self.limits(), stop=stop)
            reports.append(replace(report, stale=stale))
        return reports

    def import_shop(self, code: str, *, since: datetime | None = None) -> Iterator[Imported]:
        """Bring the carrier's existing parcels of a shop into the ledger; yields the counts.

        Raises:
            UnknownShop: if the shop is not connected.
            PlatformUnavailable, AccessDenied: if it cannot be read.
        """
        shop = self.shops.get(code)
        platform = self.reconciler.connect(shop)
        try:
            yield from import_shop(
                shop,
                platform=platform,
                store=self.store,
                ledger=self.ledger,
                lifecycle=self.lifecycle,
                since=since,
            )
        finally:
            platform.close()

    def limits(self, max_writes: int | None = None) -> Limits:
        """Return how far one run may go by the settings."""
        settings = self.settings
        return Limits(
            max_writes=max_writes,
            lease=timedelta(seconds=settings.lease_seconds),
            verify_within=settings.verify_within,
            freeze_share=settings.freeze_share,
        )

    def _codes(self, shops: Sequence[str]) -> list[str]:
        if shops:
            return [self.shops.get(code).code for code in dict.fromkeys(shops)]
        return [shop.code for shop in self.shops.all() if shop.state is ShopState.ACTIVE]


class _Crew:
    """Some threads that look after many shops, each shop in its fair share of time."""

    def __init__(
        self,
        app: Carrierflow,
        *,
        full: bool,
        wait: bool,
        stop: Callable[[], bool],
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._app = app
        self._before = app._clock() if full else None
        self._wait = wait
        self._stop = stop
        self._progress = progress

    def work(self, codes: Sequence[str], *, max_writes: int | None) -> list[RunReport]:
        """Look after some shops; return one report for each, in their order."""
        limits = self._app.limits(max_writes)
        if len(codes) == 1:
            return [self._look_after(codes[0], limits)]
        if len(codes) > SHOPS_AT_ONCE:
            limits = replace(limits, seconds=SHARE_SECONDS, requests=SHARE_REQUESTS)
        with ThreadPoolExecutor(max_workers=SHOPS_AT_ONCE) as pool:
            queue = {code: pool.submit(self._guarded, code, limits) for code in codes}
            reports: dict[str, RunReport] = {}
            while queue:
                code, future = next(iter(queue.items()))
                del queue[code]
                report = future.result()
                reports[code] = reports[code].then(report) if code in reports else report
                if report.end_reason is EndReason.QUANTUM:
                    queue[code] = pool.submit(self._guarded, code, limits)
        return [reports[code] for code in codes]

    def _guarded(self, code: str, limits: Limits) -> RunReport:
        """Look after one shop of several: its own trouble must not stop the others."""
        began = self._app._clock()
        try:
            return self._look_after(code, limits)
        except (ShopHeld, ConfigurationError) as error:
            held = isinstance(error, ShopHeld)
            return RunReport(
                shop=code,
                run="",
                started_at=began,
                ended_at=self._app._clock(),
                end_reason=EndReason.SHOP_HELD if held else EndReason.FAILED,
                sentence=str(error),
            )

    def _look_after(self, code: str, limits: Limits) -> RunReport:
        report = self._run(code, limits)
        while self._wait and report.next_look_at is not None and not self._stop():
            self._sleep_until(report.next_look_at)
            report = report.then(self._run(code, limits))
            if report.end_reason is not EndReason.DONE:
                break
        return report

    def _run(self, code: str, limits: Limits) -> RunReport:
        tell = self._progress

        def told(tally: Tally, left: int) -> None:
            if tell is not None:
                tell(
                    Progress(
                        shop=code,
                        checked=tally.checked,
                        published=tally.published,
                        orders=tally.orders,
                        orders_left=left,
                    )
                )

        return self._app.reconciler.reconcile_shop(
            code,
            limits=limits,
            verified_before=self._before,
            stop=self._stop,
            progress=told,
        )

    def _sleep_until(self, moment: datetime) -> None:
        while not self._stop() and (left := (moment - self._app._clock()).total_seconds()) > 0:
            self._app._sleep(min(1.0, left))


def _counted(
    entries: Iterator[StoredEntry], progress: Callable[[int], None]
) -> Iterator[StoredEntry]:
    for number, entry in enumerate(entries, 1):
        if number % 1000 == 0:
            progress(number)
        yield entry
