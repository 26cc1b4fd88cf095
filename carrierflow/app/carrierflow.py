"""What an embedder holds: record what happened, reconcile shops, ask what is known."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from carrierflow.app.database_timeouts import database_timeouts
from carrierflow.app.joined import JoinedLedger
from carrierflow.app.settings import Settings
from carrierflow.app.shop_choices import ShopChoices
from carrierflow.audit.erasure import Retention
from carrierflow.audit.feed.feed import Feed, FeedPage
from carrierflow.audit.feed.push import Delivery, FeedPush
from carrierflow.audit.log.checkpoint import VerifierKey
from carrierflow.audit.log.kept import KeptCheckpoint
from carrierflow.audit.log.sealer import LogSealer
from carrierflow.audit.reports.timeline import Timeline
from carrierflow.audit.verify.database import DatabaseVerifier
from carrierflow.audit.verify.replay import Verification
from carrierflow.carrier_service import (
    Callbacks,
    Carrier,
    CarrierService,
    Dialect,
    HintService,
    InstallPages,
    OnAnswer,
    WebhookReceiver,
)
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.approval import ApprovalPolicy
from carrierflow.domain.cleaning import in_force
from carrierflow.domain.clock import Clock, Sleep
from carrierflow.domain.counters import Counters
from carrierflow.domain.destination import DestinationStanding
from carrierflow.domain.feed_entry import FeedEntry
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.listing import FulfillmentQuestion, ListedFulfillments, check_limit
from carrierflow.domain.model import Recorded, Status
from carrierflow.domain.outage import Outage
from carrierflow.domain.past_run import PastRun
from carrierflow.domain.shop import Backlog, Coverage, EndedRun, Shop, ShopState
from carrierflow.domain.typecheck import check_fields, guarded_methods
from carrierflow.domain.waiting import Idle, Stop, in_slices, never, until
from carrierflow.errors import ConfigurationError, InvalidInput, ShopRevoked, UnknownShop
from carrierflow.ledger.files import EventRow
from carrierflow.ledger.ledger import Ledger
from carrierflow.platforms.profile import Feature
from carrierflow.platforms.registry import DEFAULT, Client, PlatformRegistry
from carrierflow.reconcile import (
    QUANTUM_REQUESTS,
    QUANTUM_SECONDS,
    DueShops,
    EndReason,
    Patience,
    Plan,
    PlanLine,
    Progress,
    Reconciler,
    Requests,
    RunLimits,
    RunReport,
    ShopRunner,
    check_quantum,
)
from carrierflow.reconcile.backfill import Imported, import_shop
from carrierflow.reconcile.notification import IncidentNotifier
from carrierflow.reconcile.outages import asked_in_vain, new_outages
from carrierflow.reconcile.ports import Platform
from carrierflow.reconcile.projection import Projection
from carrierflow.reconcile.resolution import IncidentResolver
from carrierflow.shops import (
    UNREAD,
    CarrierRegistration,
    Installer,
    ShopCheck,
    Shops,
    WebhookSubscription,
    check_shop,
    is_uninstalled,
    require_accepted,
)
from carrierflow.storage import (
    Connection,
    Host,
    JoinedStore,
    SqlStore,
    backlog,
    queries,
    upgrade,
)
from carrierflow.storage.administration import administer
from carrierflow.storage.callbacks import SqlCallbackStore
from carrierflow.storage.encryption import KeyRing
from carrierflow.storage.fulfillment_pages import fulfillment_page
from carrierflow.storage.hinted import SqlHintStore
from carrierflow.storage.ownership import WayAround, way_around
from carrierflow.storage.reconcile import SqlReconcileStore
from carrierflow.storage.run_history import asked_before, last_answers, last_runs, past_runs
from carrierflow.storage.shop_queue import SqlShopQueue
from carrierflow.storage.shops import all_shops, coverages, find_shop
from carrierflow.storage.waybills import find_parcels


if TYPE_CHECKING:
    from carrierflow.audit.export.exporter import Exporter
    from carrierflow.audit.reports.reports import Reports


__all__ = ["MOST_DUE", "Carrierflow"]

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 2_000

HOLD = timedelta(minutes=10)
"""How long a shop is on its way to a worker before it is given out again."""

MOST_DUE = 10_000
"""Shops that are claimed at once."""


@guarded_methods
class Carrierflow:
    """A carrier's ledger and its reconciliation; build one with `carrierflow.build`.

    Thread-safe: one object serves a whole process, and each process that is forked from it. Used
    as a context manager it is closed at the end.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        store: SqlStore,
        ledger: Ledger,
        reconciler: Reconciler,
        sealer: LogSealer,
        feed: Feed,
        push: FeedPush,
        notifier: IncidentNotifier,
        lifecycle: Lifecycle,
        dialect: Dialect,
        carriers: CarrierRegistration,
        installer: Installer,
        webhooks: WebhookSubscription,
        shops: Shops,
        choices: ShopChoices,
        platforms: PlatformRegistry,
        connect_client: Callable[[Shop, Idle], Client],
        connect_untried: Callable[[Shop], Platform],
        policy: ApprovalPolicy,
        keys: KeyRing,
        counters: Counters,
        queue: SqlShopQueue,
        clock: Clock,
        sleep: Sleep,
        close: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.store = store
        self._queue = queue
        self.ledger = ledger
        self.reconciler = reconciler
        self._runs = reconciler.parts.store
        self.sealer = sealer
        self.notifier = notifier
        self.verifier = DatabaseVerifier(
            store,
            sealer,
            lifecycles=[lifecycle.definition.id, *settings.earlier_lifecycles],
            retired_anchors=settings.retired_anchors,
            tolerance=timedelta(seconds=settings.clock_tolerance_seconds),
            timeouts=database_timeouts(settings),
        )
        self._feed = feed
        self._push = push
        self.lifecycle = lifecycle
        self.counters = counters
        self.shops = shops
        self.choices = choices
        self._platforms = platforms
        self.carriers = carriers
        self.installer = installer
        self.webhooks = webhooks
        self.incidents = IncidentResolver(
            SqlReconcileStore(store),
            ledger,
            clock=clock,
            projection_of=self.projection_of,
            policy=policy,
        )
        self.retention = Retention(store, days=settings.retention_days, clock=clock)
        self._connect_client = connect_client
        self._connect_untried = connect_untried
        self._dialect = dialect
        self._keys = keys
        self._clock = clock
        self._sleep = sleep
        self._close = close
        self._stop = never

    @cached_property
    def reports(self) -> Reports:
        """What auditors ask, answered from the history."""
        from carrierflow.audit.reports.reports import Reports  # noqa: PLC0415 - a scan needs none

        return Reports(
            self.store.snapshot,
            self.lifecycle.definition,
            verify_within=self.settings.verify_within,
            clock=self._clock,
            earlier=self.settings.earlier_lifecycles,
        )

    @cached_property
    def exporter(self) -> Exporter:
        """What writes the history into files that are verified without us."""
        from carrierflow.audit.export.exporter import Exporter  # noqa: PLC0415 - a scan needs none

        return Exporter(self.store, self.sealer, clock=self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the database; whoever goes on using this opens new ones.

        Those of an engine that was handed over are its owner's, and stay open.
        """
        self._close()

    def stopped_by(self, stop: Stop) -> Carrierflow:
        """Return this application again, with whose runs and other waits `stop` can make an end.

        `stop` is asked about once a second while something is waited for. What is read raises
        `Interrupted` then; runs end, and their reports say so. Jobs are given one like that.
        """
        twin = copy(self)
        vars(twin).update(_stop=stop)
        return twin

    def upgrade(self) -> str:
        """Create or migrate the tables; return the schema's revision."""
        return upgrade(self.store.engine, clock=self._clock)

    def joined(self, host: Host) -> JoinedLedger:
        """Return a ledger that records and reads inside the host's own open transaction.

        It neither commits nor closes: if the host rolls back, nothing was recorded. Make one
        for each transaction.
        """
        store = JoinedStore(host, self.lifecycle.definition, clock=self._clock)
        return JoinedLedger(self.ledger, store)

    def record_rows(
        self, rows: Iterable[EventRow]
    ) -> Iterator[tuple[EventRow, Recorded | InvalidInput]]:
        """Record the rows of a file; yields each with its answer, in their order.

        A row that could not be read is answered with what is wrong with it.
        """
        remaining = iter(rows)
        while batch := list(islice(remaining, ROWS_AT_ONCE)):
            for row in batch:
                check_fields(row, EventRow)
            events = [row.event for row in batch if row.event is not None]
            answers = self.ledger.record_many(events, chunk=ROWS_AT_ONCE)
            for row in batch:
                yield row, row.problem if row.problem is not None else next(answers)

    def file_recorded_at(self, digest: str) -> datetime | None:
        """Return when a file with these bytes was recorded to its end; None if never."""
        with self.store.reading() as connection:
            return queries.file_recorded_at(connection, digest)

    def file_recorded(self, digest: str, *, name: str, row_count: int) -> None:
        """Write that a file was recorded to its end."""
        now = self._clock()
        self.store.transact(
            lambda c: queries.add_file(c, digest, name=name, row_count=row_count, now=now)
        )

    def parcel(self, shop: str, fulfillment_id: str) -> Fulfillment:
        """Return one fulfillment as it stands.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self.store.reading() as connection:
            return queries.find_parcel(connection, shop, fulfillment_id)

    def fulfillments(
        self,
        *,
        shop: str | None = None,
        status: Status | None = None,
        cod_status: Status | None = None,
        since_before: datetime | None = None,
        frozen: bool | None = None,
        unpublished: bool | None = None,
        order_id: str | None = None,
        tracking_number: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> ListedFulfillments:
        """Return a page of the fulfillments that are all of what is asked; None asks nothing.

        `since_before` leaves those that have stood in their delivery status since then or longer,
        by the time that they came to it; with no `status`, those that stand at a final one are
        left out. `frozen` and `unpublished` leave those that are, or that are not.

        With a `status` or `since_before` those that have stood there longest come first, else
        they come by shop and fulfillment id. `after` is the `next` of the page before, for the
        same question; the moment may have moved on. One that is asked for from the first page to
        the last, and makes no step of its delivery meanwhile, comes once, whatever the others
        do. Without `status` and `since_before` it may move as well.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if the cursor is none or of another question, the limit is not from 1
                to 1,000, or a status is one of the other machine.
        """
        check_limit(limit)
        question = FulfillmentQuestion(
            shop=shop,
            status=status,
            cod_status=cod_status,
            since_before=since_before,
            frozen=frozen,
            unpublished=unpublished,
            order_id=order_id,
            tracking_number=tracking_number,
        )
        with self.store.reading() as connection:
            return fulfillment_page(connection, question, after=after, limit=limit)

    def find(self, *, tracking_number: str, shop: str | None = None) -> list[Fulfillment]:
        """Return the fulfillments that bear a tracking number, the oldest first, 100 at most.

        Without a shop those of all shops are looked through; mostly there is one, or none.
        """
        with self.store.reading() as connection:
            return find_parcels(connection, tracking_number, shop=shop)

    def timeline(self, shop: str, fulfillment_id: str) -> Timeline:
        """Return everything that is known of one fulfillment.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        return self.reports.timeline(shop, fulfillment_id)

    def changes(
        self, *, after: int | None = None, shop: str | None = None, limit: int = 1000
    ) -> FeedPage:
        """Return what happened behind a place of the log, once and in order, a page at a time.

        Each step of a parcel that was committed, and the beginning and end of each incident.
        Without `after` from the beginning; `next` of a page is the `after` of the one behind it. A
        page with fewer entries than `limit`, which is 10000 at most, is the last one for now.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if there cannot be such a page, or the log does not reach to `after`.
        """
        return self._feed.page(after=after, shop=shop, limit=limit)

    def deliver(
        self, *, to: str | None = None, after: int | None = None, seconds: float | None = None
    ) -> list[Delivery]:
        """Push what happened to each destination of the settings, or to the one at an address.

        Each gets everything at least once, in the order of the log, by signed messages. One that
        failed is left alone for a while, and one that is gone for good, unless it is named. `after`
        has a destination that is named go on behind another place: again from there, or without
        what is before. After so many `seconds` no further message is begun.

        Raises:
            ConfigurationError: if the settings name no destination, or not that one.
            InvalidInput: if there is `after` and no destination is named.
        """
        if after is not None and to is None:
            raise InvalidInput("Name the destination that is to go on behind another place.")
        return self._push.deliver(to=to, after=after, seconds=seconds, stop=self._stop)

    def destinations(self) -> list[DestinationStanding]:
        """Return how far each destination of the settings is."""
        return self._push.standings()

    def on_change(self, handler: Callable[[FeedEntry], object]) -> None:
        """Call a handler for each entry of the feed that this process writes, once it is committed.

        That is what its ledger records, what its runs adopt and freeze, what platforms' callbacks
        and people's decisions change. **Not what a joined ledger records**, for only the host knows
        whether it commits: that stands in the answer's `entries`. Nor what other processes write,
        or this one while its commit's answer is lost: `changes` has everything.

        The handler is called in the thread that wrote, with no transaction open; `position` is None
        then. What it raises is logged, and undoes nothing.
        """
        self.store.listeners.add(handler)

    def notes(self, shop: str, fulfillment_id: str) -> list[str]:
        """Return the notes of one fulfillment in clear, oldest first; that they were read is kept.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
            MissingSecretKey, WrongSecretKey: if they do not open.
        """
        now = self._clock()

        def work(connection: Connection) -> list[tuple[str, bytes]]:
            parcel = queries.find_parcel(connection, shop, fulfillment_id)
            ciphertexts = queries.notes_of(connection, parcel)
            if ciphertexts:
                kind = AdministrationKind.NOTE_READ
                administer(connection, kind, now=now, shop=shop, subject=fulfillment_id)
            return ciphertexts

        ciphertexts = self.store.transact(work)
        return [self.ledger.open_note(name, text) for name, text in ciphertexts]

    def reseal(self) -> int:
        """Seal tokens, notes and webhooks with the present key, so that the previous one can go.

        Raises:
            MissingSecretKey, WrongSecretKey: if something opens with neither key; nothing is
                changed then.
        """

        def work(connection: Connection) -> int:
            count = 0
            for context, ciphertext in queries.encrypted_secrets(connection):
                clear = self._keys.decrypt(ciphertext, context=context)
                fresh = self._keys.encrypt(clear, context=context)
                queries.replace_secret(connection, context, fresh)
                count += 1
            kind, details = AdministrationKind.RESEALED, {"count": str(count)}
            administer(connection, kind, now=self._clock(), details=details)
            return count

        return self.store.transact(work)

    def coverage(
        self, within: timedelta | None = None, *, shops: Sequence[str] = ()
    ) -> list[Coverage]:
        """Return for some shops, or all if none is named, how well their parcels are known.

        Only open fulfillments count. The database is asked as often for ten thousand shops as
        for one.

        Raises:
            UnknownShop: if a shop named is not there.
        """
        since = self._clock() - (self.settings.verify_within if within is None else within)
        with self.store.reading() as connection:
            found = coverages(connection, since=since, codes=shops)
        if missing := set(shops) - {each.shop for each in found}:
            raise UnknownShop(min(missing))
        return found

    def way_around_triggers(self) -> WayAround | None:
        """Return how whom we connect as could change history; None where it could not.

        On SQLite nothing can say so: whoever may write the file could.
        """
        with self.store.reading() as connection:
            return way_around(connection)

    def warn_if_unguarded(self) -> None:
        """Log a warning where history is not protected from whom we connect as."""
        if found := self.way_around_triggers():
            log.warning("carrierflow.history_unguarded", extra=asdict(found))

    def backlogs(self) -> list[Backlog]:
        """Return what waits at each shop, by its code."""

        def interval_us(platform: str, options: Mapping[str, str]) -> int:
            return self.choices.rate_of(platform, options).interval_us

        with self.store.reading() as connection:
            return backlog.backlogs(connection, self.store.database_clock, interval_us=interval_us)

    def runs_ended(self, since: datetime, *, known: Collection[str] = ()) -> list[EndedRun]:
        """Return the runs that ended at or after a time, whichever process made them.

        Those whose ids are `known` are left out.
        """
        with self.store.reading() as connection:
            return backlog.runs_ended(connection, since, known=known)

    def past_runs(
        self,
        *,
        shop: str | None = None,
        since: datetime,
        failed: bool = False,
        limit: int | None = None,
    ) -> list[PastRun]:
        """Return the runs that began at or after a time, whichever process made them.

        The newest is the first. One that was cut off is told from one that is under way. With
        `failed` those alone that could not do their work; no more than `limit`, if there is one.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self.store.reading() as connection:
            if shop is not None:
                find_shop(connection, shop)
            return past_runs(connection, shop=shop, since=since, failed=failed, limit=limit)

    def last_runs(self, *, shops: Sequence[str] = (), brief: bool = False) -> dict[str, PastRun]:
        """Return the run that began last at some shops, or at each that had any, by their codes.

        With `brief` what they counted, and their sentences, are left out.
        """
        with self.store.reading() as connection:
            return last_runs(connection, codes=shops, brief=brief)

    def new_outages(self, reports: Sequence[RunReport]) -> list[Outage]:
        """Return the outages that some runs, made together, were the first to find long.

        So each is told once, whichever process finds it; how long that is, is the setting
        `outage_hours`. Where all had answers, nothing is read.
        """
        if not asked_in_vain(reports):
            return []
        began = min(report.started_at for report in reports)
        with self.store.reading() as connection:

            def asked(codes: Collection[str], since: datetime) -> bool:
                return asked_before(connection, codes, since=since, before=began)

            found = new_outages(
                [shop for shop in all_shops(connection) if shop.state is ShopState.ACTIVE],
                reports,
                last_answers(connection),
                asked,
                limit=timedelta(hours=self.settings.outage_hours),
            )
            return list(found)

    def verify(
        self,
        progress: Callable[[int], None] | None = None,
        *,
        keys: Sequence[VerifierKey] = (),
        kept: Sequence[KeptCheckpoint] = (),
        processes: int = 1,
    ) -> Verification:
        """Replay the whole history of the database and say whether it is as it was written.

        The log is compared with its checkpoints, with those of the anchor file, and with those
        in `kept`, under the keys of the settings, or under those in `keys` alone. Several processes
        share the replay; each imports the program that asks, as `multiprocessing` has it.

        Raises:
            InvalidInput: if several are wanted, and the database is in memory, or the engine yours.
        """
        return self.verifier.verify(progress, keys=keys, kept=kept, processes=processes)

    def reconcile(
        self,
        shops: Sequence[str] = (),
        *,
        full: bool = False,
        hinted: bool = False,
        wait: bool = False,
        max_writes: int | None = None,
        parallel: int | None = None,
        stop: Stop | None = None,
        progress: Callable[[Progress], None] | None = None,
        seal: bool = True,
    ) -> list[RunReport]:
        """Bring shops to the ledger's state; all active ones if none is named.

        `full` looks at every open order, however lately it was looked at; `hinted` only at what
        webhooks named, and only at shops where they named something. `wait` stays until the
        settle windows of unanswered writes have passed, and decides them; and until shops that
        another run holds are free, for an hour at most. So many shops as `parallel` says are
        looked after at once. One whose host did not answer comes last, and is left alone for a
        while after two times; not if it is named. `progress` is called by one thread at a time,
        of those that look after shops. Where there is a seal key, the history is
        sealed afterwards; not without `seal`: then somebody else has to. Once `stop` says so, every
        run ends within a few seconds: after the write under way, or in the middle of a wait.

        Raises:
            UnknownShop, ShopRevoked: if a shop named is not connected.
            InvalidInput: if none is to be looked after at once.
            ShopHeld: if another run holds the only shop.
            WrongSecretKey, DatabaseUnavailable: if nothing can be done at all.
        """
        chosen, stop = self._chosen(shops), stop or self._stop
        if hinted:
            waiting = self._runs.hinted_shops()
            chosen = [shop for shop in chosen if shop.code in waiting]
        if max_writes is None:
            max_writes = self.settings.max_writes
        runner = self._runner(
            stop=stop,
            parallel=parallel,
            named=bool(shops),
            verified_before=self._clock() if full else None,
            hinted=hinted,
            wait=wait,
            progress=progress,
        )
        reports = runner.work(chosen, self.limits(max_writes))
        reports = [self._looked_after(report, stop) for report in reports]
        if seal and not stop():
            self.sealer.seal_if_possible()
        return reports

    def due(self, limit: int, *, hold: timedelta = HOLD) -> list[str]:
        """Claim so many of the shops that want a run now; return their codes.

        Those come first that have waited longest, by the database's clock. Whoever asks at the
        same time gets others. Bring each to a worker that calls `reconcile_shop`; one of which no
        run has begun within `hold` is given out again, so nothing is lost with a queue.

        Raises:
            InvalidInput: if the limit is not from 1 to 10,000, or the hold is no time.
            DatabaseUnavailable: if the database does not answer.
        """
        if not 1 <= limit <= MOST_DUE:
            raise InvalidInput(f"A limit is from 1 to {MOST_DUE:,}.")
        if hold <= timedelta(0):
            raise InvalidInput("A claim is held for some time.")
        return [shop.code for shop in self._queue.due(limit, hold, now=self._clock())]

    def outstanding(self) -> int:
        """Count the shops that `due` gave out, and of which no run has begun since.

        A dispatcher asks for no more while these are twice as many as its workers can take.
        """
        return self._queue.outstanding()

    def give_back(self, shops: Sequence[str]) -> None:
        """Let `due` give out shops again that it gave out, and that were brought to no worker."""
        self._queue.give_back(shops)

    def wake(self, shop: str) -> None:
        """Let a shop be due now, even if its host did not answer the last times.

        Webhooks, callbacks and new work do so by themselves, where the host is not silent.

        Raises:
            UnknownShop: if there is none.
        """
        self._queue.wake(shop, now=self._clock())

    def reconcile_shop(
        self,
        shop: str,
        *,
        seconds: float = QUANTUM_SECONDS,
        requests: int = QUANTUM_REQUESTS,
        stop: Stop | None = None,
    ) -> RunReport:
        """Look after one shop, for so long and with so many requests at most.

        What a worker of any engine does for a shop that `due` gave out. The report says if the
        shop is held, paused, revoked or unreachable, or the database is; `due` gives it out again
        in its time. Nothing is sealed, and no webhook is looked after: those are jobs of their own.

        Raises:
            UnknownShop: if there is none.
            InvalidInput: if the share is no time, or no request.
        """
        runner = self._runner(stop=stop or self._stop, parallel=1)
        return runner.quantum(shop, self._quantum(seconds, requests))

    def work(
        self,
        *,
        parallel: int | None = None,
        stop: Stop | None = None,
        until_idle: bool = False,
        seconds: float = QUANTUM_SECONDS,
        requests: int = QUANTUM_REQUESTS,
    ) -> Generator[RunReport, None, None]:
        """Look after shops as they become due, so many at once; yields each report as it comes.

        Any number of processes may do so beside each other, on one machine or on many, and beside
        other engines. It goes on until `stop` says so, or it is closed, or with `until_idle` until
        no shop is due. While the database does not answer it waits for it.

        Raises:
            DatabaseUnavailable: with `until_idle`, if the database does not answer.
            InvalidInput: if a shop's share is no time, or no request, or no shop is looked after.
        """
        stop = stop or self._stop
        runner = self._runner(stop=stop, parallel=parallel)
        due = DueShops(
            self._queue,
            hold=timedelta(seconds=self.settings.lease_seconds),
            clock=self._clock,
            sleep=in_slices(self._sleep, until(stop)),
            stop=stop,
            until_idle=until_idle,
        )
        return runner.drain(due, self._quantum(seconds, requests))

    def _quantum(self, seconds: float, requests: int) -> RunLimits:
        check_quantum(seconds, requests)
        return replace(self.limits(self.settings.max_writes), seconds=seconds, requests=requests)

    def _runner(self, *, stop: Stop, parallel: int | None, **how: Any) -> ShopRunner:
        if parallel == 0:
            raise InvalidInput("One shop at least is looked after at once.")
        return ShopRunner(
            self.reconciler,
            self._queue,
            sleep=self._sleep,
            stop=stop,
            parallel=parallel or self.settings.parallel_shops,
            patience=Patience(
                least=self.settings.silence_seconds,
                most=self.settings.connect_timeout + self.settings.request_timeout,
            ),
            **how,
        )

    def _looked_after(self, report: RunReport, stop: Stop) -> RunReport:
        """See to the webhooks of a shop that a run could read, and tell if that did not work."""
        if report.end_reason is not EndReason.DONE or stop():
            return report
        kept = self.webhooks.keep(report.shop, until(stop))
        return replace(report, sentence=" ".join(filter(None, (report.sentence, kept))) or None)

    def plan(
        self, shops: Sequence[str] = (), *, full: bool = False
    ) -> tuple[Plan, list[Requests], list[ShopCheck]]:
        """Say what `reconcile` would do; nothing is written and nothing is told.

        A shop that cannot be read is named at the end, and the plan is of the others.

        Raises:
            UnknownShop, ShopRevoked: if a shop named is not connected.
        """
        before = self._clock() if full else None
        lines: list[PlanLine] = []
        requests: list[Requests] = []
        unread: list[ShopCheck] = []
        for shop in self._chosen(shops):
            try:
                found, made = self.reconciler.plan_shop(
                    shop.code, verified_before=before, stop=self._stop
                )
            except UNREAD as error:
                unread.append(ShopCheck.of(shop.code, error))
                continue
            lines += found
            requests.append(made)
        return Plan.of(lines), requests, unread

    def check_shop(self, code: str) -> ShopCheck:
        """Ask a shop's platform for something harmless, to learn if its token is accepted.

        Raises:
            UnknownShop: if the shop is not connected.
            WrongSecretKey: if its token does not open here.
        """
        return check_shop(self.shops.get(code), self.reconciler.connect)

    def try_shop(self, shop: Shop) -> None:
        """Ask the platform of a shop that is not connected yet, to learn if it can be read.

        The shop's allowance is not known then: these few requests are not counted in it.

        Raises:
            InvalidInput: if the token is refused, or the host does not answer.
        """
        require_accepted(shop, self._connect_untried)

    def apply(self, plan: Plan, *, stop: Stop | None = None) -> list[RunReport]:
        """Carry a plan out: each target is read again, and left alone if it changed.

        Raises:
            UnknownShop, ShopHeld, WrongSecretKey, DatabaseUnavailable: as `reconcile`.
        """
        reports, stop = [], stop or self._stop
        for code in plan.shops():
            lines = [line for line in plan.lines if line["shop"] == code]
            report, stale = self.reconciler.apply_plan(code, lines, limits=self.limits(), stop=stop)
            reports.append(replace(report, stale=stale))
        return reports

    def carrier_service(
        self, carrier: Carrier, *, on_answer: OnAnswer | None = None
    ) -> CarrierService:
        """Return what answers the platform's callbacks and webhooks, with the carrier's own rules.

        `on_answer` is told of each answer, in the thread that made it.

        Raises:
            ConfigurationError: if no client secret is set: nobody could prove who calls.
        """
        if not in_force([self.settings.client_secret.get_secret_value()]):
            raise ConfigurationError(
                "No client secret is set; put the app's into CARRIERFLOW_CLIENT_SECRET."
            )
        store = SqlCallbackStore(self.store, platform=DEFAULT.name)
        return CarrierService(
            Callbacks(
                carrier,
                dialect=self._dialect,
                store=store,
                ledger=self.ledger,
                clock=self._clock,
                delivery=timedelta(days=self.settings.delivery_days),
            ),
            WebhookReceiver(
                dialect=self._dialect,
                store=store,
                encryptor=self._keys,
                revoke=self.shops.revoke,
                is_gone=lambda code: is_uninstalled(self.shops.get(code), self.reconciler.connect),
                clock=self._clock,
            ),
            InstallPages(self.installer, shop_suffix=DEFAULT.app.shop_suffix),
            dialect=self._dialect,
            counters=self.counters,
            clock=self._clock,
            on_answer=on_answer,
        )

    def hint_service(self, platform: str, *, on_answer: OnAnswer | None = None) -> HintService:
        """Return what answers a platform's webhooks that only hint, like Sapo's and Onflow's.

        Without a secret in the settings, `sapo_webhook_secret` or `onflow_webhook_secret`, it
        lets nobody in. `on_answer` is told of each answer, in the thread that made it.

        Raises:
            InvalidInput: if there is no such platform.
            UnsupportedByPlatform: if it sends none.
        """
        profile = self._platforms.profile_of(platform)
        made = profile.offered(Feature.HINTS, profile.hints)
        return HintService(
            made(self.settings.hint_secrets(platform)),
            SqlHintStore(self.store, platform=platform),
            counters=self.counters,
            clock=self._clock,
            on_answer=on_answer,
        )

    def hint_services(self) -> list[HintService]:
        """Return what answers such webhooks, for every platform that sends them."""
        return [self.hint_service(it.name) for it in self._platforms if it.hints is not None]

    def import_shop(self, code: str, *, since: datetime | None = None) -> Iterator[Imported]:
        """Bring the carrier's existing parcels of a shop into the ledger; yields the counts.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            PlatformUnavailable, AccessDenied: if it cannot be read.
        """
        shop = self.shops.get(code)
        platform = self.reconciler.connect(shop, until(self._stop))
        try:
            yield from import_shop(
                shop,
                platform=platform,
                store=self._runs,
                ledger=self.ledger,
                lifecycle=self.lifecycle,
                clock=self._clock,
                since=since,
            )
        finally:
            platform.close()

    def platform_client(self, shop: str) -> Client:
        """Return a client for a program of your own, to list, read and create fulfillments.

        It spends from the budget that runs spend from. Close it, or use it in a `with`.

        Raises:
            UnknownShop, ShopRevoked: if the shop is not connected.
            UnsupportedByPlatform: if there is none for its platform.
            WrongSecretKey: if its token does not open here.
        """
        return self._connect_client(self.shops.get(shop), until(self._stop))

    def projection_of(self, shop: str) -> Projection:
        """Return what a shop's platform can show and be told.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if its platform is not among those that this was built with.
        """
        return self._platforms.profile_of(self.shops.get(shop).platform).projection

    def now(self) -> datetime:
        """Return the present moment, aware, UTC, by the clock that this was built with."""
        return self._clock()

    def limits(self, max_writes: int | None = None) -> RunLimits:
        """Return how far one run may go by the settings."""
        settings = self.settings
        return RunLimits(
            max_writes=max_writes,
            lease=timedelta(seconds=settings.lease_seconds),
            freeze_share=settings.freeze_share,
        )

    def _chosen(self, shops: Sequence[str]) -> list[Shop]:
        if shops:
            named = [self.shops.get(code) for code in dict.fromkeys(shops)]
            for shop in named:
                if shop.state is ShopState.REVOKED:
                    raise ShopRevoked(shop.code)
            return named
        return [shop for shop in self.shops.all() if shop.state is ShopState.ACTIVE]
