"""Haravan behind the platform port: what the reconciler asks, as Haravan's addresses."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from carrierflow.domain import clock
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RequestSketch,
    Status,
    Unreadable,
)
from carrierflow.domain.publication import PlatformWrite
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import AccessDenied, InvalidInput, ReadRefused, Refused
from carrierflow.platforms.haravan.codec import (
    read_fulfillment,
    read_fulfillments,
    read_one,
    read_order,
    read_orders,
)
from carrierflow.platforms.haravan.haravan_http import HaravanClient
from carrierflow.platforms.haravan.spelling import PUT_SEGMENTS, format_time, is_id, put_path
from carrierflow.platforms.http.client import NotThere
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.http.shop_connection import ShopConnection
from carrierflow.reconcile.projection import Projection


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from carrierflow.platforms.http.replies import PlatformReply
    from carrierflow.platforms.http.transport import HttpLimits, Token
    from carrierflow.reconcile.ports import Budget


__all__ = ["MOST_ORDERS", "HaravanPlatform"]

MOST_ORDERS = 50
"""How many orders Haravan puts on a page; it silently lowers any higher `limit` to this."""

_FIELDS = "id,updated_at,cancelled_at,fulfillment_status,fulfillments"

PROJECTION = Projection(
    writes=tuple(
        PlatformWrite(
            name=segment,
            to=status,
            one_way=status is Status.CANCEL,
            pays_cash=status is Status.DELIVERED,
        )
        for status, segment in PUT_SEGMENTS.items()
    )
)
"""What Haravan is told. `delivered` lifts pending cash to paid; cancel is final."""

T = TypeVar("T")


class HaravanPlatform(ShopConnection):
    """One shop on Haravan, as the port `carrierflow.ports.Platform` has it.

    Orders are read fifty at a time, with their fulfillments. No live shop was seen to show these:
    every GET in Haravan's references prints an empty list. So whatever such a reply leaves out
    is asked for again, one order at a time.

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
        limits: HttpLimits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
    ) -> None:
        self._carrier_code = carrier_code
        self._lists_refused = False
        client = HaravanClient(
            base_url=base_url,
            token=token,
            budget=budget,
            limits=limits,
            now=now,
            sleep=sleep,
            idle=idle,
        )
        super().__init__(shop=shop, budget=budget, client=client)

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders by id: in one request, and what that leaves out one by one.

        Left out are then orders that it shows in neither way, and ids that cannot be ids of
        Haravan's. These are not sent: it ignores a blank filter and answers with whatever orders
        it likes. Orders that were not asked for show that the filter was ignored; they prove
        nothing about the others.

        Raises:
            InvalidInput: there are no ids, or too many.
        """
        if not 0 < len(set(order_ids)) <= MOST_ORDERS:
            raise InvalidInput(f"Haravan is asked for 1 to {MOST_ORDERS} orders at a time.")
        wanted = [order_id for order_id in dict.fromkeys(order_ids) if is_id(order_id)]
        if not wanted:
            return ()
        listed = self._listed(wanted)
        shown = {order.order_id: order for order in listed}
        orders = (self._whole(order_id, shown.get(order_id)) for order_id in wanted)
        nameless = [order for order in listed if not order.order_id]
        return (*(order for order in orders if order is not None), *nameless)

    def orders_changed(self, since: datetime, *, page: int = 1) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders updated at or after a time, oldest change first.

        Raises:
            ReadRefused: it does not list them, or not so.
        """
        found = self._orders(
            {
                "status": "any",
                "order": "updated_at asc",
                "updated_at_min": format_time(since),
                "page": str(page),
            }
        )
        return tuple(self._completed(o.order_id, o) or o if o.left_out else o for o in found)

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one fulfillment at its own address; None if Haravan says that there is none.

        Raises:
            ReadRefused: it does not say; also a 404 while nothing else was answered, for then it
                may be anybody's.
        """
        if not (is_id(ref.order_id) and is_id(ref.fulfillment_id)):
            return None

        def read(reply: PlatformReply) -> Observation | Unreadable:
            found = self._read(read_one, reply, order_id=ref.order_id)
            return found if isinstance(found, Unreadable) else _about(ref, found)

        path = f"/orders/{ref.order_id}/fulfillments/{ref.fulfillment_id}.json"
        return self._at_its_address(lambda: self._client.get(path, {}, read))

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one order; None if Haravan says that there is no such order."""
        if not is_id(order_id):
            return None

        def read(reply: PlatformReply) -> RemoteOrder:
            order = self._read(read_order, reply)
            if order.order_id not in {order_id, ""}:
                raise UnreadableReply(f"it answers with another order than {order_id}")
            return order

        try:
            return self._client.get(f"/orders/{order_id}.json", {"fields": _FIELDS}, read)
        except NotThere:
            return None

    @property
    def projection(self) -> Projection:
        """It shows every status as such, and is told most of them, in any order."""
        return PROJECTION

    def write(
        self, ref: FulfillmentRef, write: PlatformWrite, *, not_later_than: datetime
    ) -> Observation:
        """Tell Haravan one status, once, and return the fulfillment that it answers with.

        Raises:
            NotSent: it certainly had no effect; also when `not_later_than` passed before the
                first byte could leave, and for a 429.
            OutcomeUnknown: it may have been applied, or may still be.
            Refused: Haravan will not do it, or has no way to be told this.
            AccessDenied: the token is not accepted.
        """
        if not (is_id(ref.order_id) and is_id(ref.fulfillment_id)):
            raise Refused(f"there is no way to tell it {write.name!r} about {ref}")

        def read(reply: PlatformReply) -> Observation:
            return _about(ref, self._read(read_fulfillment, reply))

        return self._client.put(put_path(ref, write.to), read, not_later_than=not_later_than)

    def is_ours(self, observation: Observation) -> bool:
        """Tell whether a fulfillment names this carrier.

        Carriers that an app has registered are all called `external` (Order API reference,
        examples); our shipments among them are those whose ids the ledger knows.
        """
        return observation.tracking_company_code == self._carrier_code

    def sketch(self, ref: FulfillmentRef, write: PlatformWrite) -> RequestSketch:
        """Describe the PUT of a status so that a person can repeat it by hand.

        Raises:
            UnknownStatus: Haravan cannot be told this one.
        """
        return RequestSketch(method="PUT", url=self._client.url + put_path(ref, write.to))

    def _listed(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read orders in one request; nothing where this shop does not answer that."""
        if self._lists_refused:
            return ()
        try:
            return self._orders({"ids": ",".join(order_ids), "status": "any"})
        except ReadRefused:
            pass
        except AccessDenied as error:
            if error.http_status != HTTPStatus.FORBIDDEN:
                raise
        self._lists_refused = True
        return ()

    def _whole(self, order_id: str, shown: RemoteOrder | None) -> RemoteOrder | None:
        if shown is not None and (shown.fulfillments or _has_odd_rows(shown)):
            return shown
        return self._completed(order_id, shown) or shown

    def _completed(self, order_id: str, shown: RemoteOrder | None) -> RemoteOrder | None:
        """Read an order by its own list of fulfillments; None if there is nothing in it."""
        cancelled = shown is not None and shown.cancelled
        found, odd = self._fulfillments(order_id, order_cancelled=cancelled)
        if not found and not odd:
            return None
        changes = [one.updated_at for one in found]
        return RemoteOrder(
            order_id=order_id,
            updated_at=shown.updated_at if shown else max(changes, default=None),
            cancelled=cancelled,
            fulfillments=found,
            unreadable=(*(shown.unreadable if shown else ()), *odd),
        )

    def _fulfillments(
        self, order_id: str, *, order_cancelled: bool
    ) -> tuple[tuple[Observation, ...], tuple[Unreadable, ...]]:
        def read(reply: PlatformReply) -> tuple[tuple[Observation, ...], tuple[Unreadable, ...]]:
            # Some replies are 200 with an empty body, and show as little as an empty list.
            if reply.flaw is None and not reply.body.strip():
                return (), ()
            about = {"order_id": order_id, "order_cancelled": order_cancelled}
            return self._read(read_fulfillments, reply, **about)

        self.requests.add(alone=1)
        path, params = f"/orders/{order_id}/fulfillments.json", {"limit": str(MOST_ORDERS)}
        found = self._one_of_several(lambda: self._client.get(path, params, read))
        return found or ((), ())

    def _orders(self, params: dict[str, str]) -> tuple[RemoteOrder, ...]:
        return self._client.get(
            "/orders.json",
            {**params, "limit": str(MOST_ORDERS), "fields": _FIELDS},
            lambda reply: self._read(read_orders, reply),
        )

    def _read(self, reader: Callable[..., T], reply: PlatformReply, **more: object) -> T:
        asked_at, seen_at = reply.asked_at, reply.seen_at
        found = reader(
            reply.document(), shop=self._shop, asked_at=asked_at, seen_at=seen_at, **more
        )
        self._heard()
        return found


def _about(ref: FulfillmentRef, seen: Observation) -> Observation:
    if seen.ref.fulfillment_id != ref.fulfillment_id or seen.ref.order_id != ref.order_id:
        raise UnreadableReply("the reply is about another fulfillment")
    return seen


def _has_odd_rows(order: RemoteOrder) -> bool:
    """Tell whether an order has fulfillments that could not be read; its own time is none."""
    return any(row.fulfillment_id != "" for row in order.unreadable)
