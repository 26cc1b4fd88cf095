"""What auditors ask, answered from the history: each answer is plain data, and adds up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from carrierflow.audit.log.sql import newest_checkpoint
from carrierflow.audit.pages.parcel_page import parcel_page
from carrierflow.audit.pages.report_page import Audience, report_page
from carrierflow.audit.reports.acts import AdministrativeAct, administrative_acts
from carrierflow.audit.reports.as_of import AsOf, Basis, standing_counts, standings
from carrierflow.audit.reports.basis import basis_of
from carrierflow.audit.reports.cash import Cash, aged_cash, cash_totals, held_cash, owed_cash
from carrierflow.audit.reports.cash_movements import CashMovements, GroupBy, cash_movements
from carrierflow.audit.reports.corrections import Correction, corrections
from carrierflow.audit.reports.coverage import CoverageReport, aged_looks, longest_unseen
from carrierflow.audit.reports.drift import Drift
from carrierflow.audit.reports.drift import episodes as drift_episodes
from carrierflow.audit.reports.language import Language, Tongue
from carrierflow.audit.reports.lifecycles_in_force import DefinitionInForce, definitions_in_force
from carrierflow.audit.reports.report import AuditReport
from carrierflow.audit.reports.runs_made import RunsMade, runs_made
from carrierflow.audit.reports.sample import Sample, entries_at, steps_drawn
from carrierflow.audit.reports.step_counts import StepCount, step_counts
from carrierflow.audit.reports.time_in_status import TimeInState, stays
from carrierflow.audit.reports.timeline import Timeline, timeline_of
from carrierflow.audit.sampling.sample_plan import AuditSample, SamplePlan, drawn_by
from carrierflow.audit.sampling.sql import root_at, units_at
from carrierflow.domain.administration_kinds import AdministrationKind
from carrierflow.domain.clock import Clock
from carrierflow.domain.lifecycle import Definition
from carrierflow.domain.model import Machine
from carrierflow.domain.typecheck import guarded_methods
from carrierflow.errors import InvalidInput, NotSealed
from carrierflow.storage import Connection, queries
from carrierflow.storage.shops import all_shops, coverage, find_shop, shop_number


__all__ = ["Reports"]

Snapshot = Callable[[], AbstractContextManager[Connection]]
"""What opens a transaction that only reads and sees one moment throughout."""

ONE_HOUR = timedelta(hours=1)
OLDEST = 20
"""How many of the parcels that wait longest are named."""


@guarded_methods
class Reports:
    """Answers auditors' questions; nothing here writes.

    A moment that is not given is now. A shop that is not given is every shop. Each answer is
    read in one transaction, so its parts fit together.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        definition: Definition,
        *,
        verify_within: timedelta,
        clock: Clock,
        earlier: Sequence[str] = (),
    ) -> None:
        """`earlier` are the ids of lifecycles that were in force before this one."""
        self._snapshot = snapshot
        self._definition = definition
        self._earlier = earlier
        self._verify_within = verify_within
        self._clock = clock

    def timeline(self, shop: str, fulfillment_id: str) -> Timeline:
        """Return everything that is known of one parcel.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        with self._snapshot() as connection:
            return timeline_of(connection, queries.find_parcel(connection, shop, fulfillment_id))

    def as_of(
        self,
        at: datetime | None = None,
        *,
        shop: str | None = None,
        fulfillment_id: str | None = None,
        parcels: bool = False,
    ) -> AsOf:
        """Say where the parcels stood: as it was known then, and as it was by all we know now.

        `parcels` names each of them; a `fulfillment_id` with its shop asks about one alone.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
        """
        at = at or self._clock()
        with self._asking(shop) as (connection, number):
            if shop is not None and fulfillment_id is not None:
                queries.find_parcel(connection, shop, fulfillment_id)
                one = list(standings(connection, at, shop=number, fulfillment_id=fulfillment_id))
                return AsOf.of(at, AsOf.counted(one), one)
            named = standings(connection, at, shop=number) if parcels else None
            return AsOf.of(at, standing_counts(connection, at, shop=number), named)

    def cod(
        self,
        at: datetime | None = None,
        *,
        basis: Basis = Basis.WAS,
        shop: str | None = None,
        parcels: bool = False,
    ) -> Cash:
        """Say what cash is held, by age, and whose all of it is; `parcels` names each of them.

        By default as it was; `Basis.KNOWN` counts what was recorded by then, so that a report
        of that day can be made again.

        Raises:
            UnknownShop: if there is no such shop.
        """
        at = at or self._clock()
        with self._asking(shop) as (connection, number):
            return Cash.of(
                at,
                basis,
                by_age=aged_cash(connection, at, basis, shop=number),
                by_class=cash_totals(connection, at, basis, shop=number),
                held=held_cash(connection, at, basis, shop=number) if parcels else None,
                owed_back=owed_cash(connection, at, basis, shop=number) if parcels else None,
            )

    def cash_movements(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        basis: Basis = Basis.WAS,
        by: GroupBy = GroupBy.DAY,
        shop: str | None = None,
        moves: bool = False,
    ) -> CashMovements:
        """Say how the cash that is held moved from one moment to another, both included.

        Opening and closing are what `cod` says of them. By default as it was; `Basis.KNOWN` goes
        by what was recorded, and never changes once it was asked for. `moves` names each.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if it ends before it begins.
            HistoryBroken: if what moved is not what lies between opening and closing.
        """
        until = until or self._clock()
        if until < since:
            raise InvalidInput("The movements end before they begin; give an earlier beginning.")
        with self._asking(shop) as (connection, number):
            return cash_movements(
                connection, since, until, basis=basis, by=by, shop=number, named=moves
            )

    def time_in_state(
        self,
        *,
        shop: str | None = None,
        by_shop: bool = True,
        by_month: bool = True,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> TimeInState:
        """Say how long parcels stayed at each status: the middle, the slow ones, the slowest.

        A stay counts in the month in which it ended; `since` and `until` are about its end too.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self._asking(shop) as (connection, number):
            rows = stays(
                connection,
                by_shop=by_shop,
                by_month=by_month,
                shop=number,
                since=since,
                until=until,
            )
            return TimeInState.of(rows, since=since, until=until)

    def drift(
        self,
        *,
        shop: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        episodes: bool = False,
    ) -> Drift:
        """Say what drift was found in a time, what healed and how soon, and what is frozen.

        `episodes` names each of them.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self._asking(shop) as (connection, number):
            found = drift_episodes(connection, self._clock(), shop=number, since=since, until=until)
            return Drift.of(found, since=since, until=until, named=episodes)

    def coverage(
        self,
        within: timedelta | None = None,
        *,
        shop: str | None = None,
        oldest: int = OLDEST,
    ) -> CoverageReport:
        """Say how lately the open parcels were looked at, and name those that wait longest.

        Raises:
            UnknownShop: if there is no such shop.
        """
        at, within = self._clock(), self._verify_within if within is None else within
        with self._asking(shop) as (connection, number):
            found = all_shops(connection) if shop is None else [find_shop(connection, shop)]
            shops = tuple(coverage(connection, each, since=at - within) for each in found)
            return CoverageReport(
                at=at,
                within_hours=within / ONE_HOUR,
                open=sum(each.open for each in shops),
                verified=sum(each.verified for each in shops),
                shops=tuple(sorted(shops, key=lambda each: each.shop)),
                by_age=tuple(aged_looks(connection, at, shop=number)),
                oldest=tuple(longest_unseen(connection, shop=number, limit=oldest)),
            )

    def corrections(
        self,
        *,
        shop: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[Correction]:
        """Say who corrected what, who decided about which incident, and why.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self._asking(shop) as (connection, number):
            return corrections(connection, shop=number, since=since, until=until)

    def steps(
        self, at: datetime | None = None, *, shop: str | None = None
    ) -> tuple[StepCount, ...]:
        """Say how often each step of the lifecycle had been recorded.

        Raises:
            UnknownShop: if there is no such shop.
        """
        at = at or self._clock()
        with self._asking(shop) as (connection, number):
            return tuple(step_counts(connection, at, shop=number))

    def runs(
        self,
        *,
        shop: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        ended: bool = False,
    ) -> RunsMade:
        """Say which runs began in a time, and how they ended; `ended` names those that did.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self._asking(shop) as (connection, number):
            return runs_made(connection, shop=number, since=since, until=until, named=ended)

    def administration(
        self,
        *,
        shop: str | None = None,
        kinds: Collection[AdministrationKind] = (),
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AdministrativeAct]:
        """Say what was done to the installation, oldest first; no kind stands for every kind.

        Raises:
            UnknownShop: if there is no such shop.
        """
        with self._asking(shop) as (connection, _):
            return administrative_acts(connection, shop=shop, kinds=kinds, since=since, until=until)

    def definitions(self) -> list[DefinitionInForce]:
        """Say which lifecycles were in force: since when, by whom, and what rests on each."""
        with self._asking(None) as (connection, _):
            named = {self._definition.id, *self._earlier}
            return definitions_in_force(connection, named=named)

    def sample(self, seed: str, count: int) -> Sample:
        """Draw entries of the sealed history at random, each with its proof.

        The seed and the newest checkpoint decide which: whoever has both can draw again.

        Raises:
            NotSealed: if there is no checkpoint yet.
            HistoryBroken: if an entry that was drawn is not there any more.
        """
        with self._snapshot() as connection:
            note = newest_checkpoint(connection)
            if note is None:
                raise NotSealed("The history")
            drawn = steps_drawn(connection, seed, note.checkpoint, count)
            entries = tuple(entries_at(connection, drawn, note))
        return Sample(seed=seed, checkpoint=note, entries=entries)

    def draw(self, plan: SamplePlan, *, size: int | None = None) -> AuditSample:
        """Draw parcels as a plan says, from what the newest checkpoint covers, or one of a size.

        Root, seed and plan decide which: whoever has them and the log can draw again.

        Raises:
            UnknownShop: if there is no such shop.
            NotSealed: if there is no checkpoint yet.
            HistoryBroken: if there is none of that size.
            InvalidInput: if no sample can tell what the plan asks for.
        """
        with self._asking(plan.shop) as (connection, number):
            if size is None:
                note = newest_checkpoint(connection)
                if note is None:
                    raise NotSealed("The history")
                size = note.checkpoint.size
            root = root_at(connection, size)
            units = list(units_at(connection, size, shop=number))
            return drawn_by(plan, units, size=size, root=root)

    def report(
        self, at: datetime | None = None, *, shop: str | None = None, export: Path | None = None
    ) -> AuditReport:
        """Answer everything at one moment, as `page` shows it; it may name an export.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if the export cannot be read, or is one of another log.
        """
        at = at or self._clock()
        with self._snapshot() as connection:
            here = self._on(connection)
            return AuditReport(
                shop=shop,
                at=at,
                made_at=self._clock(),
                steps=here.steps(at, shop=shop),
                as_of=here.as_of(at, shop=shop),
                cash=here.cod(at, shop=shop),
                stays=here.time_in_state(shop=shop, by_shop=False, by_month=False, until=at),
                drift=here.drift(shop=shop, until=at),
                coverage=here.coverage(shop=shop),
                corrections=tuple(here.corrections(shop=shop, until=at)),
                basis=basis_of(connection, export),
            )

    def page(
        self,
        at: datetime | None = None,
        *,
        shop: str | None = None,
        export: Path | None = None,
        language: Language = Language.EN,
        audience: Audience = Audience.OPERATIONS,
    ) -> str:
        """Return the report as one HTML file, with pictures, that needs nothing but itself.

        It names the checkpoint that it rests on, and the export where there is one. Who reads it
        decides what comes first.

        Raises:
            UnknownShop: if there is no such shop.
            InvalidInput: if the export cannot be read, or is one of another log.
        """
        report = self.report(at, shop=shop, export=export)
        return report_page(report, self._edges(), tongue=Tongue(language), audience=audience)

    def parcel_page(
        self,
        shop: str,
        fulfillment_id: str,
        *,
        export: Path | None = None,
        language: Language = Language.EN,
    ) -> str:
        """Return one parcel's life as one HTML file that needs nothing but itself.

        Raises:
            UnknownShop, UnknownFulfillment: if there is none.
            InvalidInput: if the export cannot be read, or is one of another log.
        """
        with self._snapshot() as connection:
            life = self._on(connection).timeline(shop, fulfillment_id)
            basis = basis_of(connection, export)
        return parcel_page(life, made_at=self._clock(), basis=basis, tongue=Tongue(language))

    def _on(self, connection: Connection) -> Reports:
        """Return reports that all read in one transaction that is open already."""
        return Reports(
            lambda: nullcontext(connection),
            self._definition,
            verify_within=self._verify_within,
            clock=self._clock,
            earlier=self._earlier,
        )

    def _edges(self) -> list[tuple[Machine, str, str]]:
        return [
            (machine.machine, edge.from_status, edge.to_status)
            for machine in self._definition.machines
            for edge in machine.edges
        ]

    @contextmanager
    def _asking(self, shop: str | None) -> Iterator[tuple[Connection, int | None]]:
        """Open one transaction for one answer; with the number of a shop that is named."""
        with self._snapshot() as connection:
            yield connection, None if shop is None else shop_number(connection, shop)
