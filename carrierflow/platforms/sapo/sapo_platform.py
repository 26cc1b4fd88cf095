"""Sapo omnichannel behind the platform port: orders read one by one, parcels told by actions."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.domain import clock
from carrierflow.domain.model import (
    FulfillmentRef,
    Observation,
    RemoteOrder,
    RequestSketch,
    Unreadable,
)
from carrierflow.domain.waiting import Idle, keep_waiting
from carrierflow.errors import (
    InvalidInput,
    NotThere,
    OutcomeUnknown,
    ReadRefused,
    Refused,
)
from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.replies import UnreadableReply
from carrierflow.platforms.http.shop_connection import ShopConnection
from carrierflow.platforms.sapo.admin_paths import AdminPaths
from carrierflow.platforms.sapo.changed_list import ChangedList
from carrierflow.platforms.sapo.order_bodies import OrderPage, SapoLook, read_page, read_sapo_order
from carrierflow.platforms.sapo.printed_values import is_number, print_time
from carrierflow.platforms.sapo.sapo_http import DIALECT, says_no
from carrierflow.platforms.sapo.shipping_actions import PROJECTION, lies_at_or_past


if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from carrierflow.domain.publication import PlatformWrite
    from carrierflow.platforms.http.replies import PlatformReply
    from carrierflow.platforms.http.transport import HttpLimits, Token
    from carrierflow.reconcile.ports import Budget
    from carrierflow.reconcile.projection import Projection


__all__ = ["PROJECTION", "SapoPlatform"]

MOST_ORDERS = 50
"""How many orders are asked for at a time; each costs a request."""

_MAY_BE_DONE = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""Refusals that may mean that the parcel is there already, or be somebody else's word."""


class SapoPlatform(ShopConnection):
    """One shop on Sapo omnichannel, as the port `carrierflow.reconcile.ports.Platform` has it.

    An order is read with its fulfillments, and no other reading of these is documented. Ids are
    numbers; what is none is never sent, and reads have nothing to say of it.

    Args:
        shop: our code of the shop, which goes into every reference read.
        base_url: the root of its API, which every shop has of its own; `/admin` is added to it.
        token: the token of the app in this shop, or what returns the one of this moment.
        budget: its allowance of requests. Sapo documents none for this API.
        carrier_code: the id of the delivery service provider by which parcels are known as ours.
        json_suffix: whether addresses end in `.json`.
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
        carrier_code: str,
        json_suffix: bool = True,
        limits: HttpLimits | None = None,
        now: clock.Clock = clock.now,
        sleep: clock.Sleep = clock.sleep,
        idle: Idle = keep_waiting,
    ) -> None:
        client = PlatformClient(
            dialect=DIALECT,
            base_url=base_url,
            token=token,
            budget=budget,
            limits=limits,
            now=now,
            sleep=sleep,
            idle=idle,
            folder="/admin",
        )
        super().__init__(shop=shop, budget=budget, client=client)
        self._carrier_code = carrier_code
        self._paths = AdminPaths(suffix=".json" if json_suffix else "")
        self._changed = ChangedList(self._page, size=MOST_ORDERS)

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders by id, each in a request of its own.

        Left out is what it will not show, and what can be no id: that is not asked for.

        Raises:
            InvalidInput: there are no ids, or too many.
        """
        if not 0 < len(set(order_ids)) <= MOST_ORDERS:
            raise InvalidInput(f"Sapo is asked for 1 to {MOST_ORDERS} orders at a time.")
        found = (self._one_of(order_id) for order_id in dict.fromkeys(order_ids))
        return tuple(order for order in found if order is not None)

    def orders_changed(self, since: datetime, *, page: int = 1) -> tuple[RemoteOrder, ...]:
        """Read up to 50 orders changed at or after a time, oldest change first.

        In which order Sapo lists them is not documented, so what comes is sorted; see
        `ChangedList`. An order that is listed without its fulfillments is read by itself.

        Raises:
            ReadRefused: it does not list them, or not by their change.
        """
        listed = self._changed.page(since, page)
        return tuple(self._completed(o) if o.left_out and o.order_id else o for o in listed)

    def fulfillment(self, ref: FulfillmentRef) -> Observation | Unreadable | None:
        """Read one fulfillment in its order; None if it is not there, or nothing can be so called.

        Raises:
            ReadRefused: it does not say; also where the order is not there while nothing else was
                answered, for then a 404 may be anybody's.
        """
        if not (is_number(ref.order_id) and is_number(ref.fulfillment_id)):
            return None
        return self._at_its_address(lambda: _in(self._order(ref.order_id), ref))

    def order(self, order_id: str) -> RemoteOrder | None:
        """Read one order; None if Sapo says that there is no such order."""
        if not is_number(order_id):
            return None
        try:
            return self._order(order_id)
        except NotThere:
            return None

    @property
    def projection(self) -> Projection:
        """It shows six states and whether cash is paid, and is told a parcel's way step by step."""
        return PROJECTION

    def write(
        self, ref: FulfillmentRef, write: PlatformWrite, *, not_later_than: datetime
    ) -> Observation:
        """Tell Sapo one action, once, and return the fulfillment as it is read after that.

        The answer to an action may be empty, and never shows all. A no may mean that the parcel
        is there already, or further; only where it is read and is not, it is a refusal.

        Raises:
            NotSent: it certainly had no effect; also when `not_later_than` passed before the
                first byte could leave, and for a 429.
            OutcomeUnknown: it may have been applied, or may still be; also where the fulfillment
                could not be read after an answer, or was read as if nothing had been told: what
                is read at once may be old.
            Refused: Sapo will not do it, or has no way to be told this.
            AccessDenied: the token is not accepted.
        """
        if write not in PROJECTION.writes:
            raise Refused(f"there is no way to tell it {write.name!r}")
        try:
            path = self._paths.action(ref, write.name)
        except InvalidInput as error:
            raise Refused(f"there is no way to tell it about {ref}") from error
        try:
            self._client.tell(
                "POST", path, self._accept, document={}, not_later_than=not_later_than
            )
        except Refused as refused:
            return self._there_already(ref, write, refused)
        seen = self._now(ref, None)
        if seen is None:
            raise OutcomeUnknown("it answered, and does not show the fulfillment any more")
        if not lies_at_or_past(seen.carrier.status, write.to):
            raise OutcomeUnknown("it answered, and does not show what it was told yet")
        return seen

    def is_ours(self, observation: Observation) -> bool:
        """Tell whether a fulfillment is shipped by this carrier, by its id in the shop."""
        return observation.tracking_company_code == self._carrier_code

    def sketch(self, ref: FulfillmentRef, write: PlatformWrite) -> RequestSketch:
        """Describe an action so that a person can repeat it by hand; its body is `{}`.

        Raises:
            InvalidInput: Sapo cannot be told this.
        """
        url = self._client.url + self._paths.action(ref, write.name)
        return RequestSketch(method="POST", url=url)

    def _one_of(self, order_id: str) -> RemoteOrder | None:
        if not is_number(order_id):
            return None
        return self._one_of_several(lambda: self._order(order_id))

    def _completed(self, listed: RemoteOrder) -> RemoteOrder:
        """Read an order by itself that a list has shown without its fulfillments.

        It keeps the time of its change from the list, by which the next page is asked for.
        """
        self.requests.add(alone=1)
        order = self._one_of(listed.order_id)
        return replace(order, updated_at=listed.updated_at) if order else listed

    def _order(self, order_id: str) -> RemoteOrder:
        def read(reply: PlatformReply) -> RemoteOrder:
            order = read_sapo_order(self._document(reply), self._look(reply, "order"))
            if order.order_id not in {order_id, ""}:
                raise UnreadableReply("the reply is about another order")
            self._heard()
            return order

        return self._client.get(self._paths.order(order_id), {}, read)

    def _page(self, since: datetime, number: int) -> OrderPage:
        def read(reply: PlatformReply) -> OrderPage:
            found = read_page(self._document(reply), self._look(reply, "orders"))
            self._heard()
            return found

        params = {
            "modified_on_min": print_time(since),
            "page": str(number),
            "limit": str(MOST_ORDERS),
        }
        return self._client.get(self._paths.orders, params, read)

    def _look(self, reply: PlatformReply, source: str) -> SapoLook:
        return SapoLook(
            shop=self._shop, asked_at=reply.asked_at, seen_at=reply.seen_at, source=source
        )

    def _document(self, reply: PlatformReply) -> Any:
        """Return what a reply with a good status holds, unless that is an error."""
        document = reply.document()
        if says_no(document):
            raise ReadRefused(self._client.refusal(reply))
        return document

    def _accept(self, reply: PlatformReply) -> None:
        """Take any answer with a good status for a yes, an empty one too, unless it is an error."""
        if reply.flaw is None and not reply.body.strip():
            return
        if says_no(reply.document()):
            raise Refused(self._client.refusal(reply), http_status=reply.status)

    def _there_already(
        self, ref: FulfillmentRef, write: PlatformWrite, refused: Refused
    ) -> Observation:
        """Return the fulfillment where a refusal means that it is as wanted, or further."""
        status = refused.http_status or 0
        if status not in _MAY_BE_DONE and status >= HTTPStatus.MULTIPLE_CHOICES:
            raise refused
        seen = self._now(ref, status)
        if seen is None or not lies_at_or_past(seen.carrier.status, write.to):
            raise refused
        return seen

    def _now(self, ref: FulfillmentRef, http_status: int | None) -> Observation | None:
        return self._read_back(lambda: _in(self._order(ref.order_id), ref), http_status)


def _in(order: RemoteOrder, ref: FulfillmentRef) -> Observation | Unreadable | None:
    """Return a fulfillment as its order shows it; None only where it certainly is not there.

    Raises:
        ReadRefused: the order does not show its fulfillments, or this one twice.
    """
    found = [seen for seen in order.fulfillments if seen.ref == ref]
    if len(found) > 1 or (order.left_out and not found):
        reason = "it shows the fulfillment twice" if found else "it shows no fulfillments"
        raise ReadRefused(reason)
    hidden = (row for row in order.unreadable if row.fulfillment_id in {None, ref.fulfillment_id})
    return found[0] if found else next(hidden, None)
