"""Haravan behind the platform port: what the reconciler asks, as Haravan's addresses."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

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
from carrierflow.errors import AccessDenied, NotThere, ReadRefused, Refused, UnsupportedByPlatform
from carrierflow.platforms.haravan.haravan_client import (
    Client,
    FulfillmentPage,
    check_order_count,
)
from carrierflow.platforms.haravan.haravan_http import HaravanClient
from carrierflow.platforms.haravan.spelling import PUT_SEGMENTS, is_id, put_path
from carrierflow.platforms.http.shop_connection import ShopConnection
from carrierflow.reconcile.projection import Projection


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from carrierflow.platforms.http.transport import HttpLimits, Token
    from carrierflow.reconcile.ports import Budget


__all__ = ["HaravanPlatform", "ReadThrough"]

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


class ReadThrough(StrEnum):
    """The ways to read a shop: by lists of orders, by each order's own list, or as it allows."""

    AUTO = "auto"
    ORDERS = "orders"
    FULFILLMENTS = "fulfillments"


class HaravanPlatform(ShopConnection):
    """One shop on Haravan, as the port `carrierflow.ports.Platform` has it.

    Orders are read fifty at a time, with their fulfillments. No live shop was seen to show these:
    every GET in Haravan's references prints an empty list. So whatever such a reply leaves out
    is asked for again, one order at a time. `read_through` chooses one of the two ways for good.

    Args:
        shop: our code of the shop, which goes into every reference read.
        base_url: the root of its API; `/com` is added to it.
        token: its bearer token, or what returns the one of this moment.
        budget: its allowance of requests.
        carrier_code: the `tracking_company_code` by which fulfillments are known as ours.
        read_through: by which of its addresses orders are read.
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
        read_through: ReadThrough = ReadThrough.AUTO,
        limits: HttpLimits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
    ) -> None:
        self._carrier_code = carrier_code
        self._through = read_through
        self._lists = read_through is not ReadThrough.FULFILLMENTS
        client = HaravanClient(
            base_url=base_url,
            token=token,
            budget=budget,
            limits=limits,
            now=now,
            sleep=sleep,
            idle=idle,
        )
        self._haravan = Client(shop, client, on_answer=self._heard)
        super().__init__(
            shop=shop,
            budget=budget,
            client=client,
            one_by_one=read_through is ReadThrough.FULFILLMENTS,
        )

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders by id: in one request, and what that leaves out one by one.

        Left out are then orders that it shows in neither way, and ids that cannot be ids of
        Haravan's. These are not sent: it ignores a blank filter and answers with whatever orders
        it likes. Orders that were not asked for show that the filter was ignored; they prove
        nothing about the others.

        Raises:
            InvalidInput: there are no ids, or too many.
        """
        check_order_count(order_ids)
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
            UnsupportedByPlatform: this shop's orders are never listed.
        """
        if self._through is ReadThrough.FULFILLMENTS:
            raise UnsupportedByPlatform(
                "Haravan",
                "list of what changed in a shop whose `read_through` is `fulfillments`",
                offers=("one where it is `auto`",),
            )
        found = self._haravan.orders_changed(since, page=page)
        if self._through is ReadThrough.ORDERS:
            return found
        return tuple(self._completed(o.order_id, o) or o if o.left_out else o for o in found)

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one fulfillment at its own address; None if Haravan says that there is none.

        Raises:
            ReadRefused: it does not say; also a 404 while nothing else was answered, for then it
                may be anybody's.
        """
        if not _can_be_there(ref):
            return None
        return self._at_its_address(
            lambda: self._haravan.fulfillment(ref.order_id, ref.fulfillment_id)
        )

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one order; None if Haravan says that there is no such order."""
        try:
            return self._haravan.order(order_id) if is_id(order_id) else None
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
        if not _can_be_there(ref):
            raise Refused(f"there is no way to tell it {write.name!r} about {ref}")
        return self._haravan.put_status(
            ref.order_id, ref.fulfillment_id, write.to, not_later_than=not_later_than
        )

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
        if not self._lists:
            return ()
        try:
            return self._haravan.orders(order_ids)
        except (ReadRefused, AccessDenied) as error:
            if self._through is ReadThrough.ORDERS or not _may_be_the_lists_alone(error):
                raise
        self._lists = False
        return ()

    def _whole(self, order_id: str, shown: RemoteOrder | None) -> RemoteOrder | None:
        is_whole = shown is not None and (shown.fulfillments or _has_odd_rows(shown))
        if is_whole or self._through is ReadThrough.ORDERS:
            return shown
        return self._completed(order_id, shown) or shown

    def _completed(self, order_id: str, shown: RemoteOrder | None) -> RemoteOrder | None:
        """Read an order by its own list of fulfillments; None if there is nothing in it."""
        cancelled = shown is not None and shown.cancelled
        own = self._fulfillments(order_id)
        if not own.fulfillments and not own.unreadable:
            return None
        found = tuple(replace(one, order_cancelled=cancelled) for one in own.fulfillments)
        changes = [one.updated_at for one in found]
        return RemoteOrder(
            order_id=order_id,
            updated_at=shown.updated_at if shown else max(changes, default=None),
            cancelled=cancelled,
            fulfillments=found,
            unreadable=(*(shown.unreadable if shown else ()), *own.unreadable),
        )

    def _fulfillments(self, order_id: str) -> FulfillmentPage:
        self.requests.add(alone=1)
        found = self._one_of_several(lambda: self._haravan.fulfillments(order_id))
        return found or FulfillmentPage()


def _can_be_there(ref: FulfillmentRef) -> bool:
    return is_id(ref.order_id) and is_id(ref.fulfillment_id)


def _may_be_the_lists_alone(error: ReadRefused | AccessDenied) -> bool:
    """Tell whether a no to a list may leave room for another answer elsewhere."""
    return isinstance(error, ReadRefused) or error.http_status == HTTPStatus.FORBIDDEN


def _has_odd_rows(order: RemoteOrder) -> bool:
    """Tell whether an order has fulfillments that could not be read; its own time is none."""
    return any(row.fulfillment_id != "" for row in order.unreadable)
