"""What reconciliation asks of the world outside, as Protocols; adapters owe exactly this."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

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
    "Budget",
    "DueOrder",
    "FulfillmentUpdate",
    "OrderWithWork",
    "Platform",
    "ReconcileStore",
    "RequestCounts",
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


class ReconcileStore(Protocol):
    """What runs read and write; each call is a transaction of its own.

    Every call may raise `DatabaseUnavailable`.
    """

    def shop(self, code: str) -> Shop:
        """Return a shop; raises `UnknownShop`."""
        ...

    def claim(self, shop: Shop, owner: str, span: timedelta) -> int:
        """Take a shop for a run and return the fence; raises `ShopHeld`."""
        ...

    def renew(self, shop: Shop, fence: int, span: timedelta) -> bool:
        """Hold on to a shop; False if another run took it."""
        ...

    def release(self, shop: Shop, fence: int) -> None:
        """Let a shop go."""
        ...

    def begin_run(self, run: str, shop: Shop, *, kind: str, now: datetime) -> None:
        """Write that a run began."""
        ...

    def end_run(
        self,
        run: str,
        *,
        reason: str,
        counters: Mapping[str, int],
        now: datetime,
        sentence: str | None = None,
    ) -> None:
        """Write how a run ended, and what went wrong."""
        ...

    def work(self, shop: Shop, *, now: datetime) -> list[OrderWithWork]:
        """Return the orders with something to publish now, those first that waited longest."""
        ...

    def due(
        self, shop: Shop, *, verified_before: datetime, after: DueOrder | None, limit: int
    ) -> list[DueOrder]:
        """Return the next of the open orders not looked at since, those first that waited longest.

        `after` is the last one of the page before; None asks for the first page.
        """
        ...

    def count_due(self, shop: Shop, *, verified_before: datetime) -> int:
        """Count the open orders not looked at since."""
        ...

    def hints(self, shop: Shop) -> list[WebhookHint]:
        """Return the orders that webhooks named since they were looked at, the oldest first."""
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

    def count_open(self, shop: Shop) -> tuple[int, int]:
        """Count a shop's open fulfillments, and its open incidents."""
        ...

    def coverage(self, shop: Shop, *, since: datetime) -> Coverage:
        """Return how well the open fulfillments of a shop are known."""
        ...

    def parcels_of(self, shop: Shop, order_ids: Collection[str]) -> list[Fulfillment]:
        """Return the fulfillments of some orders, in the order of their ids."""
        ...

    def publication_logs(self, parcels: Collection[Fulfillment]) -> dict[int, PublicationLog]:
        """Return what was recorded and tried for some fulfillments, by their own ids."""
        ...

    def mark_verified(self, parcels: Collection[Fulfillment], *, at: datetime) -> None:
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

    def save_silence(self, shop: Shop, unanswered: int, *, retry_at: datetime | None) -> None:
        """Write how many runs in a row had no answer from a shop, and when it is asked again."""
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
