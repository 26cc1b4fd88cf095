"""What reconciliation asks of the world outside, as Protocols; adapters owe exactly this."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from carrierflow.domain.fulfillment import Fulfillment
from carrierflow.domain.hearing import Hearing
from carrierflow.domain.incident import Finding
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RequestSketch,
    Unreadable,
)
from carrierflow.domain.publication import (
    Attempt,
    AttemptResult,
    PlatformWrite,
    Publication,
    PublicationLog,
)
from carrierflow.domain.shop import Coverage, Shop
from carrierflow.reconcile.projection import Projection


__all__ = [
    "Agenda",
    "Budget",
    "DueOrder",
    "FulfillmentUpdate",
    "Hold",
    "KnownParcel",
    "LeftAlone",
    "OrderWithWork",
    "Platform",
    "ReconcileStore",
    "RequestCounts",
    "Rest",
    "ShopQueue",
    "WebhookHint",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class FulfillmentUpdate:
    """What one turn at one fulfillment writes, at once or not at all."""

    before: Fulfillment
    after: Fulfillment
    now: datetime
    publications: tuple[Publication, ...] = ()
    attempt: Attempt | None = None
    """The intent of a write that is about to be sent."""
    conclusion: AttemptResult | None = None
    """The result of a write that was sent."""
    observation: Observation | None = None
    findings: tuple[Finding, ...] = ()
    over: frozenset[str] = frozenset()
    """The kinds of the fulfillment's incidents whose cause is gone: they close."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderWithWork:
    """An order with something to publish, and about how many writes that takes."""

    order_id: str
    puts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookHint:
    """An order that a webhook named: somebody should look at it, and nothing more is known."""

    order_id: str
    puts: int
    hinted_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class DueOrder:
    """An order that was not looked at for long, and when it was last; 1970 stands for never."""

    order_id: str
    verified_at: datetime


class KnownParcel(NamedTuple):
    """What a look compares of one of our fulfillments: most agree, and nothing more is read.

    A tuple, for one is made for every parcel of every look.
    """

    id: int
    order_id: str
    fulfillment_id: str
    delivery_status: str
    cod_status: str
    cod_amount: int
    unpublished: int
    frozen: str | None
    open: bool
    settled_at: datetime | None
    verified_at: datetime | None
    remote_updated_at: datetime | None
    remote_digest: str | None
    """Of what the platform said last; None before the first look."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agenda:
    """What there is to do at a shop when a run begins."""

    open: int
    """Fulfillments that are open."""
    incidents: int
    """Incidents that are open."""
    due: int
    """Open orders that were not looked at for long."""
    unpublished: int
    """Fulfillments with something unpublished that are not frozen."""
    work: tuple[OrderWithWork, ...]
    """The orders with something to publish now, those first that waited longest."""
    hints: tuple[WebhookHint, ...]
    """The orders that webhooks named since they were looked at, the oldest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A shop in the hands of a run."""

    shop: Shop
    """As its row was when it was taken."""
    fence: int
    """Higher than that of every run before."""
    ahead: timedelta
    """By how much the database's clock is ahead of ours."""
    died: int = 0
    """How many runs before this one, in a row, ended without a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rest:
    """How a run leaves a shop to the next one."""

    next_due: datetime
    """When it wants its next run, by our clock."""
    unanswered: int = 0
    """How many runs in a row had no answer from its host."""
    retry_at: datetime | None = None
    """Until when it is left alone for that."""
    unpublished: int = 0
    """Fulfillments that still have something to publish: what comes on top is new work."""


class LeftAlone(Exception):  # noqa: N818 - no defect: there is nothing to do now
    """A run does not begin at a shop."""

    def __init__(self, shop: Shop, sentence: str | None = None) -> None:
        self.shop = shop
        self.sentence = sentence
        """Why, where it is active all the same."""
        super().__init__(shop, sentence)


class ReconcileStore(Protocol):
    """What runs read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`.
    """

    def shop(self, code: str) -> Shop:
        """Return a shop; raises `UnknownShop`."""
        ...

    def begin_run(
        self, run: str, code: str, *, kind: str, span: timedelta, now: datetime, insist: bool = True
    ) -> Hold:
        """Take a shop for a run, for so long, and write that it began.

        Raises:
            UnknownShop: if there is none.
            ShopHeld: if another run holds it.
            LeftAlone: if it is not active; or, unless somebody does `insist`, if its runs die.
        """
        ...

    def renew(self, hold: Hold, span: timedelta) -> bool:
        """Hold on to a shop; False if another run took it."""
        ...

    def end_run(
        self,
        run: str,
        *,
        reason: str,
        counters: Mapping[str, int],
        now: datetime,
        hold: Hold,
        rest: Rest,
        sentence: str | None = None,
    ) -> None:
        """Write how a run ended, and what went wrong; let its shop go, if it still holds it."""
        ...

    def agenda(self, shop: Shop, *, verified_before: datetime, now: datetime) -> Agenda:
        """Return what there is to do at a shop."""
        ...

    def due(
        self, shop: Shop, *, verified_before: datetime, after: DueOrder | None, limit: int
    ) -> list[DueOrder]:
        """Return the next of the open orders not looked at since, those first that waited longest.

        `after` is the last one of the page before; None asks for the first page.
        """
        ...

    def clear_hints(self, shop: Shop, hints: Collection[WebhookHint]) -> None:
        """Write that some hints were followed; those that came later stand."""
        ...

    def hinted_shops(self) -> set[str]:
        """Return the codes of the shops that have hints."""
        ...

    def count_unpublished(self, shop: Shop) -> int:
        """Count the fulfillments with something unpublished that are not frozen."""
        ...

    def unpublished(self, shop: Shop, *, but: Collection[int], limit: int) -> list[FulfillmentRef]:
        """Return the first of those fulfillments, without some that are named by their own ids."""
        ...

    def coverage(self, shop: Shop, *, since: datetime) -> Coverage:
        """Return how well the open fulfillments of a shop are known."""
        ...

    def known_of(self, shop: Shop, order_ids: Collection[str]) -> list[KnownParcel]:
        """Return what is compared of the fulfillments of some orders, in the order of their ids."""
        ...

    def parcels(self, shop: Shop, parcel_ids: Collection[int]) -> list[Fulfillment]:
        """Return some fulfillments by their own ids, in the order of these."""
        ...

    def parcels_of(self, shop: Shop, order_ids: Collection[str]) -> list[Fulfillment]:
        """Return the fulfillments of some orders, in the order of their ids."""
        ...

    def publication_logs(self, parcels: Collection[Fulfillment]) -> dict[int, PublicationLog]:
        """Return what was recorded and tried for some fulfillments, by their own ids."""
        ...

    def mark_verified(
        self, parcels: Collection[KnownParcel | Fulfillment], *, at: datetime
    ) -> None:
        """Write that some fulfillments were looked at and nothing was new."""
        ...

    def write(
        self, writing: FulfillmentUpdate, *, fence: tuple[Shop, int] | None
    ) -> tuple[Fulfillment, int]:
        """Write a turn; return the parcel as it is now, and how many incidents it opened.

        Raises:
            ConcurrentUpdate: if somebody else changed the fulfillment meanwhile.
            ShopHeld: if the fence is no longer valid.
        """
        ...

    def write_all(
        self, writings: Sequence[FulfillmentUpdate]
    ) -> tuple[tuple[Fulfillment, ...], int]:
        """Write turns that tell the platform nothing, all of them or none.

        Return the parcels as they are now, in the same order, and how many incidents are new.

        Raises:
            ConcurrentUpdate: if somebody else changed one of the fulfillments meanwhile.
        """
        ...

    def open_incidents(self, shop: Shop, findings: Collection[Finding], *, now: datetime) -> int:
        """Open incidents for what was found; return how many are new."""
        ...

    def close_shop_incidents(self, shop: Shop, kind: str, *, now: datetime) -> None:
        """Close the shop's own incidents of one kind: their cause is gone."""
        ...

    def unread_orders(self, shop: Shop) -> set[str]:
        """Return the orders with rows that could not be read; the empty one for a nameless row."""
        ...

    def close_order_incidents(
        self, shop: Shop, order_ids: Collection[str], *, now: datetime
    ) -> None:
        """Close what could not be read of some orders: all of it can be read again."""
        ...

    def close_denials(self, shop: Shop, *, written: bool, now: datetime) -> None:
        """Close what says that the token is not accepted: it was, for a read or for a write."""
        ...

    def close_known(self, shop: Shop, *, now: datetime) -> None:
        """Close what says of parcels that the ledger lacks them, where it has them by now."""
        ...

    def parcels_with(self, shop: Shop, kinds: Collection[str]) -> dict[str, set[int]]:
        """Return the fulfillments, by their own ids, that have open incidents of some kinds."""
        ...

    def close_parcel_incidents(
        self, shop: Shop, kind: str, parcel_ids: Collection[int], *, now: datetime
    ) -> None:
        """Close the incidents of one kind that some fulfillments have: their cause is gone."""
        ...

    def save_watermark(self, shop: Shop, to: datetime) -> None:
        """Write up to which change a shop was read."""
        ...

    def parcel(self, shop: str, fulfillment_id: str) -> Fulfillment:
        """Return one fulfillment; raises `UnknownShop`, `UnknownFulfillment`."""
        ...

    def known_ids(self, shop: Shop, fulfillment_ids: Collection[str]) -> set[str]:
        """Return those of some fulfillment ids that the ledger knows."""
        ...


class ShopQueue(Protocol):
    """The shops that want a run; each call is a transaction of its own."""

    def due(self, limit: int, hold: timedelta, *, now: datetime) -> list[Shop]:
        """Claim so many of the shops that are due, those first that have waited longest."""
        ...

    def put_back(self, code: str) -> None:
        """Offer a shop again as soon as the lease that somebody has on it ends."""
        ...

    def give_back(self, codes: Sequence[str]) -> None:
        """Offer shops again that were claimed, and were brought to nobody."""
        ...


class RequestCounts(Protocol):
    """How many requests one connection has made since it was built, and whether it is answered."""

    get: int
    put: int
    throttled: int
    alone: int
    """Reads of one order whose fulfillments a list had left out."""
    hearing: Hearing


class Budget(Protocol):
    """A shop's allowance of requests, shared by every process that talks to that shop."""

    def spend(self) -> None:
        """Wait until one request may leave, and count it.

        Raises:
            Throttled: if that takes too long to wait for.
        """
        ...

    def room(self, seconds: float) -> int:
        """Return about how many requests may leave within a span, the present burst included."""
        ...

    def learn_used(self, used: int) -> None:
        """Take over the platform's own count of requests where it is higher than ours."""
        ...

    def pause(self, seconds: float) -> None:
        """Let no request leave for so long, within bounds: the platform said so."""
        ...


class Platform(Protocol):
    """One shop on one platform, as the reconciler sees it.

    Every method raises `AccessDenied` where the token is not accepted. Reads raise
    `PlatformUnavailable` when retries did not help.
    """

    @property
    def requests(self) -> RequestCounts:
        """The requests made so far."""
        ...

    @property
    def one_by_one(self) -> bool:
        """Whether each order that is asked for by id is a request of its own."""
        ...

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders by id, with their fulfillments, in whatever way the shop allows.

        What is left out was not shown, which is no proof that it is gone: `fulfillment` is.
        """
        ...

    def orders_changed(self, since: datetime, *, page: int = 1) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders updated at or after a time, oldest change first.

        Raises:
            ReadRefused: it will not list them; it may show what is asked for by id.
            UnsupportedByPlatform: this shop's changes are never listed, as somebody chose, or none
                are on this platform; each order is read when it is due.
        """
        ...

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one fulfillment at its own address; None if the platform says there is none.

        Raises:
            ReadRefused: it will not say.
        """
        ...

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one order; None if the platform says that there is no such order."""
        ...

    def room(self, seconds: float) -> int:
        """Return about how many requests the budget lets leave within a span."""
        ...

    def wait_for_room(self) -> None:
        """Wait until the budget has room for one write, and count it; reads do so themselves.

        Raises:
            Throttled: if that takes too long to wait for.
        """
        ...

    @property
    def projection(self) -> Projection:
        """What it can show of a parcel, and what it can be told."""
        ...

    def write(
        self, ref: FulfillmentRef, write: PlatformWrite, *, not_later_than: datetime
    ) -> Observation:
        """Tell the platform one thing, once, and return the fulfillment as it now is.

        Raises:
            NotSent: it certainly had no effect; also when `not_later_than` passed before the
                first byte could leave, and for a 429.
            OutcomeUnknown: it may have been applied, or may still be.
            Refused: the platform will not do it (400, 404, 422 and the like).
            AccessDenied: the token is not accepted.
        """
        ...

    def is_ours(self, observation: Observation) -> bool:
        """Tell whether a fulfillment names this carrier."""
        ...

    def close(self) -> None:
        """Close the connections; the object can be used again."""
        ...

    def sketch(self, ref: FulfillmentRef, write: PlatformWrite) -> RequestSketch:
        """Describe a write so that a person can repeat it by hand."""
        ...
