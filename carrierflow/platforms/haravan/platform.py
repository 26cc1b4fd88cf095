"""Haravan behind the platform port: what the reconciler asks, as Haravan's addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from carrierflow import clock
from carrierflow.errors import InvalidInput, PlatformUnavailable, Refused
from carrierflow.model import FulfillmentRef, Observation, RemoteOrder, RequestSketch, Status
from carrierflow.platforms.haravan.client import HaravanClient, NotThere
from carrierflow.platforms.haravan.codec import (
    UnreadableReply,
    read_fulfillment,
    read_order,
    read_orders,
)
from carrierflow.platforms.haravan.spelling import PUT_SEGMENTS, format_time, is_id, put_path
from carrierflow.waiting import Idle, keep_waiting


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from carrierflow.platforms.haravan.replies import Reply
    from carrierflow.platforms.haravan.transport import Counts, Limits, Token
    from carrierflow.ports import Budget


__all__ = ["MOST_ORDERS", "HaravanPlatform"]

MOST_ORDERS = 50
"""How many orders Haravan puts on a page; it silently lowers any higher `limit` to this."""

_FIELDS = "id,updated_at,cancelled_at,fulfillments"

T = TypeVar("T")


class HaravanPlatform:
    """One shop on Haravan, as the port `carrierflow.ports.Platform` has it.

    Args:
        shop: our code of the shop, which goes into every reference read.
        base_url: the root of its API; `/com` is added to it.
        token: its bearer token, or what returns the one of this moment.
        budget: its allowance of requests.
        carrier_code: the `tracking_company_code` by which fulfillments are known as ours.
        limits: timeouts, sizes, retries.
        now: the clock of observations and send deadlines.
        sleep: waits between two tries of a read.
        idle: called while a read waits for its answer; what it raises ends the wait.

    Raises:
        ConfigurationError: the base URL or the token cannot be used.
    """

    def __init__(
        self,
        *,
        shop: str,
        base_url: str,
        token: Token,
        budget: Budget,
        carrier_code: str = "external",
        limits: Limits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
    ) -> None:
        self._shop = shop
        self._carrier_code = carrier_code
        self._budget = budget
        self._client = HaravanClient(
            base_url=base_url,
            token=token,
            budget=budget,
            limits=limits,
            now=now,
            sleep=sleep,
            idle=idle,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shop!r} at {self._client.url!r})"

    @property
    def requests(self) -> Counts:
        """The requests that have left so far."""
        return self._client.counts

    def close(self) -> None:
        """Close the connections that nobody is using."""
        self._client.close()

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders by id in one request; orders that are gone are left out.

        Left out, too, are ids that cannot be ids of Haravan's. They are not sent: it ignores a
        blank filter and answers with whatever orders it likes.

        Raises:
            InvalidInput: there are no ids, or too many.
            PlatformUnavailable: it answered with orders that nobody had asked for.
        """
        if not 0 < len(set(order_ids)) <= MOST_ORDERS:
            raise InvalidInput(f"Haravan is asked for 1 to {MOST_ORDERS} orders at a time.")
        wanted = [order_id for order_id in dict.fromkeys(order_ids) if is_id(order_id)]
        if not wanted:
            return ()
        found = self._orders({"ids": ",".join(wanted), "status": "any"})
        if not {order.order_id for order in found} <= {*wanted, ""}:
            raise PlatformUnavailable("it answers with orders that were not asked for")
        return found

    def orders_changed(self, since: datetime, *, page: int = 1) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders updated at or after a time, oldest change first."""
        return self._orders(
            {
                "status": "any",
                "order": "updated_at asc",
                "updated_at_min": format_time(since),
                "page": str(page),
            }
        )

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one order; None if Haravan says that there is no such order."""
        if not is_id(order_id):
            return None

        def read(reply: Reply) -> RemoteOrder:
            order = self._read(read_order, reply)
            if order.order_id not in {order_id, ""}:
                raise UnreadableReply(f"it answers with another order than {order_id}")
            return order

        try:
            return self._client.get(f"/orders/{order_id}.json", {"fields": _FIELDS}, read)
        except NotThere:
            return None

    def room(self, seconds: float) -> int:
        """Return about how many requests the budget lets leave within a span."""
        return self._budget.room(seconds)

    def wait_for_room(self) -> None:
        """Wait until the budget has room for one PUT, and count it; reads do so themselves."""
        self._budget.spend()
        self._client.renew_token()

    def put_status(
        self, ref: FulfillmentRef, status: Status, *, not_later_than: datetime
    ) -> Observation:
        """Tell Haravan one status, once, and return the fulfillment that it answers with.

        Raises:
            NotSent: it certainly had no effect; also when `not_later_than` passed before the
                first byte could leave, and for a 429.
            OutcomeUnknown: it may have been applied, or may still be.
            Refused: Haravan will not do it, or has no way to be told this.
            AccessDenied: the token is not accepted.
        """
        if not (self.can_put(status) and is_id(ref.order_id) and is_id(ref.fulfillment_id)):
            raise Refused(f"there is no way to tell it {status.value!r} about {ref}")

        def read(reply: Reply) -> Observation:
            seen = self._read(read_fulfillment, reply)
            if seen.ref.fulfillment_id != ref.fulfillment_id or seen.ref.order_id != ref.order_id:
                raise UnreadableReply("the reply is about another fulfillment")
            return seen

        return self._client.put(put_path(ref, status), read, not_later_than=not_later_than)

    def can_put(self, status: Status) -> bool:
        """Tell whether Haravan can be told this status at all."""
        return status in PUT_SEGMENTS

    def is_ours(self, observation: Observation) -> bool:
        """Tell whether a fulfillment names this carrier.

        Carriers that an app has registered are all called `external` (Order API reference,
        examples); our shipments among them are those whose ids the ledger knows.
        """
        return observation.tracking_company_code == self._carrier_code

    def sketch_put(self, ref: FulfillmentRef, status: Status) -> RequestSketch:
        """Describe the PUT of a status so that a person can repeat it by hand.

        Raises:
            UnknownStatus: Haravan cannot be told this one.
        """
        return RequestSketch(method="PUT", url=self._client.url + put_path(ref, status))

    def _orders(self, params: dict[str, str]) -> tuple[RemoteOrder, ...]:
        return self._client.get(
            "/orders.json",
            {**params, "limit": str(MOST_ORDERS), "fields": _FIELDS},
            lambda reply: self._read(read_orders, reply),
        )

    def _read(self, reader: Callable[..., T], reply: Reply) -> T:
        return reader(
            reply.document(), shop=self._shop, asked_at=reply.asked_at, seen_at=reply.seen_at
        )
