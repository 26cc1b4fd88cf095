"""Looking at a shop: batches of our fulfillments, each beside what the platform says of it.

Runs and plans go through the same batches; only what they do with them differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from carrierflow.domain.canonical import observation_digest
from carrierflow.domain.clock import Clock
from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.lifecycle import Lifecycle
from carrierflow.domain.model import Observation, RemoteOrder, Unreadable
from carrierflow.domain.shop import Shop
from carrierflow.errors import AccessDenied, ReadRefused, UnsupportedByPlatform
from carrierflow.reconcile.case import ROUNDING, Case
from carrierflow.reconcile.changes import OVERLAP, OrderQueue, changed_orders, newest
from carrierflow.reconcile.evaluate import OVER
from carrierflow.reconcile.policy import Policy
from carrierflow.reconcile.ports import (
    DueOrder,
    KnownParcel,
    OrderWithWork,
    Platform,
    ReconcileStore,
    WebhookHint,
)
from carrierflow.reconcile.row_actions import cod_amount_differs


__all__ = ["ShopBatch", "ShopReader"]

Name = tuple[str, str]
"""What a shop calls a fulfillment: its order's id and its own."""

PAGE = 5_000
"""How many due orders are held at once: a hundred batches, and a few queries a run."""

SECONDS_PER_PUT = 0.25
"""What a PUT takes until it was measured; those in a platform's documents took 0.1 to 0.35 s."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopBatch:
    """Some of our fulfillments, sorted by what there is to do with them."""

    in_sync: tuple[KnownParcel, ...]
    """Nothing to do and nothing new: the decision table would say so for both machines."""
    to_decide: tuple[Case, ...]
    """To be decided."""
    same_amount: frozenset[int]
    """The fulfillments, by their own ids, that show the ledger's amount of cash."""
    missing: tuple[Fulfillment, ...]
    """Asked for, and not in the reply."""
    unreadable: tuple[Unreadable, ...]
    """Rows of the reply, of any carrier, that could not be read."""
    clean: frozenset[str]
    """The orders of which every row could be read."""
    unknown: tuple[Observation, ...]
    """Fulfillments that name this carrier, and that the ledger does not know."""
    asked: int
    """How many orders were asked for by id."""
    parcels: tuple[KnownParcel, ...]
    """All that the ledger has of the orders looked at."""
    hints: tuple[WebhookHint, ...]
    """Those that are followed by looking at this batch."""
    read_at: datetime
    swept_to: datetime | None = None
    """For a page of the sweep: up to which change it read."""


class ShopReader:
    """One pass over a shop."""

    def __init__(
        self,
        *,
        shop: Shop,
        store: ReconcileStore,
        platform: Platform,
        lifecycle: Lifecycle,
        policy: Policy,
        clock: Clock,
        verified_before: datetime,
    ) -> None:
        self._shop = shop
        self._store = store
        self._platform = platform
        self._lifecycle = lifecycle
        self._policy = policy
        self._clock = clock
        self.seconds_per_put = SECONDS_PER_PUT
        self._began_at = clock()
        self._looks_as = {str(key): str(it) for key, it in platform.projection.looks_as.items()}
        self._verified_before = verified_before
        self.agenda = store.agenda(shop, verified_before=verified_before, now=self._began_at)
        self._hints = {hint.order_id: hint for hint in self.agenda.hints}
        self.queue = OrderQueue((), ())
        self.unswept: list[ReadRefused | AccessDenied] = []
        """Why it is not known what changed, where the platform does not list that."""

    def batches(self) -> Iterator[ShopBatch]:
        """Read what changed, then what webhooks named, then all else that has work or is due."""
        agenda = self.agenda
        self.queue = OrderQueue(agenda.work, self._due(), expected=agenda.due)
        self._take_hints()
        if self._shop.swept_to is not None:
            yield from self._swept(self._shop.swept_to)
        yield from self._pooled()
        if self._shop.swept_to is None:
            yield self._batch((), asked=(), swept_to=self._began_at)

    def _swept(self, swept_to: datetime) -> Iterator[ShopBatch]:
        """Read what changed; where that cannot be asked, what is due may be read all the same."""
        try:
            for page in changed_orders(self._platform, swept_to - OVERLAP):
                self.queue.drop(order.order_id for order in page)
                swept_to = max(swept_to, newest(page, swept_to))
                yield self._batch(page, asked=(), swept_to=swept_to)
        except UnsupportedByPlatform:
            return
        except ReadRefused as error:
            self.unswept.append(error)
        except AccessDenied as error:
            if error.http_status != HTTPStatus.FORBIDDEN:
                raise
            self.unswept.append(error)

    def _due(self) -> Iterator[str]:
        """Give the orders that are due, a page at a time, as far as they still are by then."""
        if not self.agenda.due:
            return
        last: DueOrder | None = None
        while True:
            page = self._store.due(
                self._shop, verified_before=self._verified_before, after=last, limit=PAGE
            )
            last = page[-1] if len(page) == PAGE else None
            yield from [each.order_id for each in page]
            if last is None:
                return

    def hinted(self) -> Iterator[ShopBatch]:
        """Read what webhooks named, and nothing else."""
        self._take_hints()
        yield from self._pooled()

    def _take_hints(self) -> None:
        self.queue.again(
            OrderWithWork(order_id=h.order_id, puts=h.puts) for h in self._hints.values()
        )

    def _pooled(self) -> Iterator[ShopBatch]:
        while self.queue:
            requests = self._requests_while_fresh() if self.queue.has_work else 0
            ids = self.queue.take(requests=requests, one_by_one=self._platform.one_by_one)
            yield self._batch(self._platform.orders(ids), asked=ids)

    def _requests_while_fresh(self) -> int:
        """Return how many requests can be made before a reading is too old to act on."""
        freshness = self._policy.freshness.total_seconds()
        pace = max(self.seconds_per_put, 0.001)
        return min(self._platform.room(freshness), int(freshness / pace))

    def case(self, parcel: Fulfillment, seen: Observation) -> Case:
        """Return what is to be decided about one fulfillment."""
        return self._situations([(parcel, seen)])[0]

    def look_alone(self, parcel: Fulfillment) -> Observation | Unreadable | None:
        """Ask for one fulfillment at its own address; None if there is none.

        A row that cannot be read comes as such.
        """
        return self._platform.fulfillment(parcel.ref)

    def is_gone(self, parcel: Fulfillment) -> bool:
        """Tell whether the platform says that a fulfillment is not there, and does say so."""
        try:
            return self.look_alone(parcel) is None
        except ReadRefused:
            return False

    def read(self, order_ids: Sequence[str]) -> ShopBatch:
        """Read some orders by id, as one batch."""
        return self._batch(self._platform.orders(order_ids), asked=order_ids)

    def again(self, parcel: Fulfillment) -> None:
        """Look at an order once more in this pass: its reading grew too old."""
        self.queue.again([_work(parcel)])

    def _batch(
        self,
        orders: tuple[RemoteOrder, ...],
        *,
        asked: Sequence[str],
        swept_to: datetime | None = None,
    ) -> ShopBatch:
        read_at, seen = self._clock(), _seen(orders)
        ids = {order.order_id for order in orders} | set(asked)
        parcels = self._store.known_of(self._shop, ids) if ids else []
        found = [(p, o) for p in parcels if (o := seen.get(_name_of(p))) is not None]
        looks, settled = self._looks_as, read_at - self._policy.grace
        in_sync = [p for p, o in found if _agrees(p, o, looks) and not _closes(p, settled)]
        done = {parcel.id for parcel in in_sync}
        absent = [p for p in parcels if p.open and _is_absent(p, orders, seen)]
        whole = self._whole(p.id for p in (*(p for p, _ in found), *absent) if p.id not in done)
        left_out = [whole[p.id] for p in absent if p.id in whole]
        if not asked:
            # A page shows what changed and need not show it whole: these are asked for by id.
            self.queue.again(_work(parcel) for parcel in left_out)
        return ShopBatch(
            in_sync=tuple(in_sync),
            to_decide=tuple(
                self._situations([(whole[p.id], o) for p, o in found if p.id in whole])
            ),
            same_amount=frozenset(p.id for p, o in found if p.cod_amount == o.cod_amount),
            missing=tuple(left_out if asked else ()),
            unreadable=tuple(row for order in orders for row in order.unreadable),
            clean=frozenset(order.order_id for order in orders if not order.unreadable),
            unknown=tuple(self._unknown(parcels, seen)),
            asked=len(asked),
            parcels=tuple(parcels),
            hints=tuple(self._hints[i] for i in ids & self._hints.keys()),
            read_at=read_at,
            swept_to=swept_to,
        )

    def _whole(self, parcel_ids: Iterable[int]) -> dict[int, Fulfillment]:
        """Return those of some fulfillments that are still there, whole."""
        ids = list(parcel_ids)
        return {p.id: p for p in self._store.parcels(self._shop, ids)} if ids else {}

    def _unknown(
        self, parcels: Sequence[KnownParcel], seen: Mapping[Name, Observation]
    ) -> Iterator[Observation]:
        known = {_name_of(parcel) for parcel in parcels}
        return (o for name, o in seen.items() if name not in known and self._platform.is_ours(o))

    def _situations(self, found: list[tuple[Fulfillment, Observation]]) -> list[Case]:
        publication_logs = (
            self._store.publication_logs([parcel for parcel, _ in found]) if found else {}
        )
        return [
            Case(
                parcel=parcel,
                publication_log=publication_logs[parcel.id],
                seen=seen,
                now=self._clock(),
                lifecycle=self._lifecycle,
                projection=self._platform.projection,
                policy=self._policy,
            )
            for parcel, seen in found
        ]


def _name_of(parcel: KnownParcel) -> Name:
    return parcel.order_id, parcel.fulfillment_id


def _seen(orders: Sequence[RemoteOrder]) -> dict[Name, Observation]:
    """Return what is said of each fulfillment; of one that two rows claim to be, nothing is."""
    rows = [
        ((row.ref.order_id, row.ref.fulfillment_id), row)
        for order in orders
        for row in order.fulfillments
    ]
    times = Counter(name for name, _ in rows)
    return {name: row for name, row in rows if times[name] == 1}


def _is_absent(
    parcel: KnownParcel, orders: Sequence[RemoteOrder], seen: Mapping[Name, Observation]
) -> bool:
    """Tell whether a reply shows that it does not hold a fulfillment: no odd row may be it."""
    if _name_of(parcel) in seen:
        return False
    return not any(
        order.may_hide(parcel.fulfillment_id)
        for order in orders
        if order.order_id in {parcel.order_id, ""}
    )


def _work(parcel: Fulfillment) -> OrderWithWork:
    return OrderWithWork(order_id=parcel.ref.order_id, puts=parcel.unpublished)


def _agrees(parcel: KnownParcel, seen: Observation, looks_as: Mapping[str, str]) -> bool:
    """Tell in short what the decision table says at length: in sync, and nothing is new."""
    return (
        parcel.frozen is None
        and parcel.remote_updated_at is not None
        and not parcel.unpublished
        and seen.carrier.status == looks_as.get(parcel.delivery_status, parcel.delivery_status)
        and seen.cod.status == looks_as.get(parcel.cod_status, parcel.cod_status)
        and not seen.order_cancelled
        and seen.updated_at >= parcel.remote_updated_at - ROUNDING
        and observation_digest(seen) == parcel.remote_digest
        and not cod_amount_differs(parcel, seen)
    )


def _closes(parcel: KnownParcel, settled_before: datetime) -> bool:
    """Tell whether looking at a parcel once more changes how open it is."""
    if (parcel.delivery_status, parcel.cod_status) not in OVER:
        return parcel.settled_at is not None
    if parcel.settled_at is None:
        return True
    return parcel.open and parcel.settled_at <= settled_before
