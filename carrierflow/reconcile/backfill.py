"""Bringing fulfillments that exist on a platform into the ledger, as inferred history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from carrierflow.domain.clock import EARLIEST, Clock
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.model import (
    START,
    Event,
    Observation,
    Opening,
    Recorded,
    RemoteOrder,
    Source,
    Status,
    Unreadable,
    Verdict,
)
from carrierflow.domain.shop import Shop
from carrierflow.errors import InvalidInput
from carrierflow.ledger.ledger import Ledger
from carrierflow.reconcile.changes import OVERLAP, Unsettled, changed_orders, newest
from carrierflow.reconcile.ports import Platform, ReconcileStore


__all__ = ["Imported", "Unopened", "import_shop"]

NOT_RECORDED = frozenset({Status.PENDING, Status.READYTOPICK, Status.NONE, Status.CODPENDING})
"""Statuses that the opening of a fulfillment stands for."""

PASSES = 20
"""How often a shop is read on that brings something new each time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unopened:
    """A fulfillment that the platform has and the ledger could not take."""

    order_id: str | None
    """None where not even this can be read."""
    fulfillment_id: str | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import found; each fulfillment of this carrier is counted or named once."""

    imported: int = 0
    skipped: int = 0
    """Known to the ledger already."""
    unclear: tuple[str, ...] = ()
    """Fulfillments that were opened, and whose status on the platform no road leads to."""
    unopened: tuple[Unopened, ...] = ()
    """What could not be opened, and why."""
    settled: bool = True
    """Whether the last pass brought nothing new; if not, there may be more."""


def import_shop(
    shop: Shop,
    *,
    platform: Platform,
    store: ReconcileStore,
    ledger: Ledger,
    lifecycle: Lifecycle,
    clock: Clock,
    since: datetime | None = None,
) -> Iterator[Imported]:
    """Read all orders changed since a time and open the unknown parcels of this carrier.

    Each becomes the shortest legal history that leads to its present status, with the
    platform's dates, the platform as source, and every entry marked as inferred: all of it or
    nothing. Yields what was found so far after each page. What changed during a pass is read
    again, until a pass brings nothing new. Doing it again changes nothing.
    """
    backfill = _Backfill(shop, platform, store, ledger, lifecycle)
    begin = since or EARLIEST
    for _ in range(PASSES):
        met, last, began = len(backfill.met), begin, clock()
        try:
            for page in changed_orders(platform, begin, whole=True):
                last = newest(page, last)
                backfill.take_in(page)
                yield backfill.found()
        except Unsettled:
            break
        if len(backfill.met) == met:
            yield backfill.found()
            return
        # Our clock and the platform's may differ, so neither alone says what came since.
        begin = max(begin, min(last, began) - OVERLAP)
    yield backfill.found(settled=False)


class _Backfill:
    """Takes in the parcels of page after page, each once however often it comes."""

    def __init__(
        self,
        shop: Shop,
        platform: Platform,
        store: ReconcileStore,
        ledger: Ledger,
        lifecycle: Lifecycle,
    ) -> None:
        self._shop = shop
        self._platform = platform
        self._store = store
        self._ledger = ledger
        self._lifecycle = lifecycle
        self._imported: set[str] = set()
        self._skipped: set[str] = set()
        self._unclear: list[str] = []
        self._unopened: dict[str, tuple[Unopened, ...]] = {}
        """By order: when it comes again, it is looked at again."""
        self.met: set[str] = set()
        """The fulfillments that came so far, by their ids, and rows that cannot be read."""

    def found(self, *, settled: bool = True) -> Imported:
        """Return what was found so far."""
        return Imported(
            imported=len(self._imported),
            skipped=len(self._skipped),
            unclear=tuple(self._unclear),
            unopened=tuple(each for some in self._unopened.values() for each in some),
            settled=settled,
        )

    def take_in(self, page: Sequence[RemoteOrder]) -> None:
        """Open what is new of a page, in one transaction, and name what cannot be opened."""
        ours = {
            seen.ref.fulfillment_id: seen
            for order in page
            for seen in order.fulfillments
            if self._platform.is_ours(seen)
        }
        unread = {row.digest: row for order in page for row in order.unreadable if _hides(row)}
        self.met.update(ours, unread)
        self._skip([*ours, *(row.fulfillment_id for row in unread.values() if row.fulfillment_id)])
        failed = self._open([seen for name, seen in ours.items() if name not in self._there])
        for order in page:
            key = order.order_id or order.unreadable[0].digest
            hidden = [row for row in order.unreadable if row.digest in unread]
            self._unopened[key] = (
                *(each for each in failed if each.order_id == order.order_id),
                *(_unread(row) for row in hidden if row.fulfillment_id not in self._there),
            )

    @property
    def _there(self) -> set[str]:
        return self._imported | self._skipped

    def _skip(self, ids: Sequence[str]) -> None:
        """Count those that the ledger knew before."""
        mine = [name for name in ids if name not in self._imported]
        self._skipped |= self._store.known_ids(self._shop, mine)

    def _open(self, unknown: Sequence[Observation]) -> list[Unopened]:
        """Bring parcels in, and return those that the ledger does not take."""
        told = [_events(seen, self._lifecycle) for seen in unknown]
        answers = self._ledger.record_many([event for events in told for event in events])
        failed = []
        for seen, events in zip(unknown, told, strict=True):
            opened, *others = [next(answers) for _ in events]
            if isinstance(opened, InvalidInput):
                failed.append(_unopened(seen, opened))
                continue
            self._imported.add(seen.ref.fulfillment_id)
            if not (_known(seen) and all(map(_is_taken, others))):
                self._unclear.append(seen.ref.fulfillment_id)
        return failed


def _hides(row: Unreadable) -> bool:
    """Tell whether a row that cannot be read may be a fulfillment."""
    return row.fulfillment_id != ""


def _unopened(seen: Observation, error: InvalidInput) -> Unopened:
    ref = seen.ref
    return Unopened(order_id=ref.order_id, fulfillment_id=ref.fulfillment_id, why=str(error))


def _unread(row: Unreadable) -> Unopened:
    why = f"It cannot be read: {row.reason}."
    return Unopened(order_id=row.order_id, fulfillment_id=row.fulfillment_id, why=why)


def _is_taken(answer: Recorded | InvalidInput) -> bool:
    return isinstance(answer, Recorded) and answer.verdict is not Verdict.REFUSED


def _events(seen: Observation, lifecycle: Lifecycle) -> list[Event]:
    """Return what the platform's dates tell of a parcel; the first event opens it."""
    words = (seen.carrier.status, seen.cod.status)
    road = [
        step
        for status in words
        if status is not None and status not in NOT_RECORDED
        for step in _dated_road(seen, status, lifecycle)
    ]
    ready = seen.dates.get(Status.READYTOPICK) or seen.created_at or seen.updated_at
    opened_at = min([ready, *(moment for _, moment in road)])
    opening = Opening(ref=seen.ref, tracking_number=seen.tracking_number, cod_amount=_cash_of(seen))
    first = _event(seen, Status.READYTOPICK, opened_at, opening)
    return [first, *(_event(seen, status, moment) for status, moment in road)]


def _event(
    seen: Observation, status: Status, moment: datetime, opening: Opening | None = None
) -> Event:
    return Event(
        shop=seen.ref.shop,
        fulfillment_id=seen.ref.fulfillment_id,
        status=status,
        occurred_at=moment,
        key=f"import:{status}",
        source=Source.PLATFORM,
        fill_gaps=True,
        inferred=True,
        opening=opening,
    )


def _dated_road(
    seen: Observation, status: Status, lifecycle: Lifecycle
) -> Iterator[tuple[Status, datetime]]:
    """Yield the steps to a status whose dates the platform has, in order and growing."""
    end = seen.dates.get(status, seen.updated_at)
    last: datetime | None = None
    for step in lifecycle.road(START, status)[:-1]:
        moment = seen.dates.get(step)
        if moment is None or step in NOT_RECORDED:
            continue
        if moment <= end and (last is None or moment >= last):
            last = moment
            yield step, moment
    yield status, end


def _cash_of(seen: Observation) -> int:
    """Return the amount to open with: the platform's, where it says that cash is due."""
    return 0 if seen.cod.status in {Status.NONE, None} else seen.cod_amount or 0


def _known(seen: Observation) -> bool:
    return seen.carrier.status is not None and seen.cod.status is not None
