"""Haravan's orders and fulfillments, as its Order and Fulfillment API references have them.

Runs and a carrier's own programs ask by the same calls: with one budget, one set of limits, and
one codec, by which nothing personal comes through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Self, TypeVar

from carrierflow.domain.limits import TRACKING_NUMBER
from carrierflow.domain.model import FulfillmentRef, Observation, RemoteOrder, Status, Unreadable
from carrierflow.domain.typecheck import check_text, guarded_methods
from carrierflow.errors import InvalidInput
from carrierflow.platforms.haravan.codec import (
    read_count,
    read_fulfillment,
    read_fulfillments,
    read_one,
    read_order,
    read_orders,
)
from carrierflow.platforms.haravan.spelling import check_id, format_time, put_path
from carrierflow.platforms.http.replies import UnreadableReply


if TYPE_CHECKING:
    from carrierflow.platforms.http.client import PlatformClient
    from carrierflow.platforms.http.replies import PlatformReply


__all__ = [
    "MOST_ORDERS",
    "Client",
    "FulfillmentFilter",
    "FulfillmentPage",
    "NewFulfillment",
    "check_order_count",
]

MOST_ORDERS = 50
"""How many orders Haravan puts on a page; it silently lowers any higher `limit` to this."""

_FIELDS = "id,updated_at,cancelled_at,fulfillment_status,fulfillments"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class FulfillmentFilter:
    """Which fulfillments of an order are listed; by itself the first fifty.

    The names are those of the Fulfillment API reference. Its times have no zone, and nobody says
    which is meant; so they are sent in UTC and say so, as the Order API reference prints them.
    """

    ids: tuple[str, ...] = ()
    """These fulfillments alone; the reference calls them ids of orders."""
    since_id: str | None = None
    """Those with a higher id."""
    created_at_min: datetime | None = None
    created_at_max: datetime | None = None
    updated_at_min: datetime | None = None
    updated_at_max: datetime | None = None
    limit: int | None = None
    """How many stand on a page, up to 50; that many where it is None. The reference has no most."""
    page: int = 1

    def params(self) -> dict[str, str]:
        """Return the query; no blank is in it, for Haravan ignores a blank filter.

        Raises:
            InvalidInput: something in it cannot be asked for.
        """
        limit = MOST_ORDERS if self.limit is None else self.limit
        if not (1 <= limit <= MOST_ORDERS and self.page >= 1):
            raise InvalidInput(f"A page has 1 to {MOST_ORDERS} rows, and the first is page 1.")
        times = {
            name: format_time(getattr(self, name))
            for name in ("created_at_min", "created_at_max", "updated_at_min", "updated_at_max")
            if getattr(self, name) is not None
        }
        ids = {"ids": ",".join(map(check_id, self.ids))} if self.ids else {}
        since = {"since_id": check_id(self.since_id)} if self.since_id is not None else {}
        page = {"page": str(self.page)} if self.page > 1 else {}
        return {**ids, **since, **times, "limit": str(limit), **page}

    def takes(self, fulfillment_id: str | None) -> bool:
        """Tell whether a row was asked for by its id; one whose id cannot be read may have been."""
        return not self.ids or fulfillment_id is None or fulfillment_id in self.ids


_EVERY = FulfillmentFilter()


@dataclass(frozen=True, kw_only=True, slots=True)
class FulfillmentPage:
    """One page of an order's fulfillments: what of it could be read, and what could not."""

    fulfillments: tuple[Observation, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class NewFulfillment:
    """What a fulfillment is created with, for all that is left to send of an order.

    What is None is not sent. The names are those of the Fulfillment API reference's two examples,
    whose replies repeat neither the note nor anything of the package but its name.
    """

    tracking_number: str | None = None
    tracking_company: str | None = None
    """A carrier that Haravan knows by this name gets its code; another one is `other`."""
    location_id: str | None = None
    cod_amount: int | None = None
    """Cash to collect, in whole đồng; Haravan takes the order's total where it is not said."""
    notify_customer: bool | None = None
    note: str | None = None
    coupon_code: str | None = None
    carrier_service_package: int | None = None
    carrier_service_package_name: str | None = None
    is_new_service_package: bool | None = None
    carrier_service_code: str | None = None

    def __repr__(self) -> str:
        said = ", ".join(f.name for f in fields(self) if getattr(self, f.name) is not None)
        return f"{type(self).__name__}({said})"


@guarded_methods
class Client:
    """One shop's orders and fulfillments on Haravan, within the budget that runs spend from.

    `Carrierflow.platform_client` makes one; close it, or use it in a `with`. Threads may share it.

    Reads are asked again while that may help. They raise `ReadRefused` for a clear no (a 404 is
    `NotThere`), `Throttled` or `PlatformUnavailable` where no answer came, and `AccessDenied`
    where the token is not accepted. A write is sent exactly once. It raises `Throttled` or
    `NotSent` where it certainly had no effect, `Refused` where Haravan will not do it,
    `AccessDenied`, and `OutcomeUnknown` where only a read can tell what became of it. Either
    raises `InvalidInput` for ids that are none; then nothing is sent.
    """

    def __init__(
        self,
        shop: str,
        http: PlatformClient,
        *,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._shop = shop
        self._http = http
        self._on_answer = on_answer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._shop!r} at {self._http.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that nobody is using; a later call opens new ones."""
        self._http.close()

    def orders(self, order_ids: Sequence[str]) -> tuple[RemoteOrder, ...]:
        """Read 1 to 50 orders by id, whatever their state.

        A shop may leave orders out, or their fulfillments, or show others: then nothing is known.
        """
        check_order_count(order_ids)
        return self._orders(
            {"ids": ",".join(map(check_id, dict.fromkeys(order_ids))), "status": "any"}
        )

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

    def order(self, order_id: str) -> RemoteOrder:
        """Read one order."""

        def read(reply: PlatformReply) -> RemoteOrder:
            order = self._read(read_order, reply)
            if order.order_id not in {order_id, ""}:
                raise UnreadableReply(f"it answers with another order than {order_id}")
            return order

        return self._http.get(f"/orders/{check_id(order_id)}.json", {"fields": _FIELDS}, read)

    def fulfillments(self, order_id: str, chosen: FulfillmentFilter = _EVERY) -> FulfillmentPage:
        """Read one page of an order's fulfillments; an empty reply shows as little as none."""

        def read(reply: PlatformReply) -> FulfillmentPage:
            # Some replies are 200 with an empty body.
            if reply.flaw is None and not reply.body.strip():
                return FulfillmentPage()
            found, odd = self._read(read_fulfillments, reply, order_id=order_id)
            return FulfillmentPage(
                fulfillments=tuple(one for one in found if chosen.takes(one.ref.fulfillment_id)),
                unreadable=tuple(row for row in odd if chosen.takes(row.fulfillment_id)),
            )

        return self._http.get(_of_order(order_id), chosen.params(), read)

    def count_fulfillments(self, order_id: str) -> int:
        """Read how many fulfillments an order has."""

        def read(reply: PlatformReply) -> int:
            return self._answered(read_count(reply.document()))

        return self._http.get(_of_order(order_id, "/count"), {}, read)

    def fulfillment(self, order_id: str, fulfillment_id: str) -> Observation | Unreadable:
        """Read one fulfillment; a row that cannot be read comes as such."""
        ref = self._ref(order_id, fulfillment_id)

        def read(reply: PlatformReply) -> Observation | Unreadable:
            found = self._read(read_one, reply, order_id=order_id)
            return found if isinstance(found, Unreadable) else _about(ref, found)

        return self._http.get(_of_order(order_id, f"/{fulfillment_id}"), {}, read)

    def create_fulfillment(
        self, order_id: str, wanted: NewFulfillment = NewFulfillment()
    ) -> Observation:
        """Create a fulfillment, and return it as Haravan answers.

        Nothing in the request tells a second one from the first: after `OutcomeUnknown`, list the
        order's fulfillments before anything is created again.
        """

        def read(reply: PlatformReply) -> Observation:
            seen = self._read(read_fulfillment, reply)
            return _about(self._ref(order_id, seen.ref.fulfillment_id), seen)

        said = {name: value for name, value in asdict(wanted).items() if value is not None}
        return self._http.send("POST", _of_order(order_id), read, document={"fulfillment": said})

    def update_fulfillment(
        self, order_id: str, fulfillment_id: str, *, tracking_number: str
    ) -> Observation:
        """Change a fulfillment's tracking number, and return it as Haravan answers.

        Its statuses are not changed by this: record them, and a run tells them in order.
        """
        check_text("tracking number", tracking_number, TRACKING_NUMBER, names=True)
        ref = self._ref(order_id, fulfillment_id)
        document = {"fulfillment": {"tracking_number": tracking_number}}
        path = _of_order(order_id, f"/{fulfillment_id}")
        return self._http.send("PUT", path, lambda it: self._shown(ref, it), document=document)

    def put_status(
        self, order_id: str, fulfillment_id: str, status: Status, *, not_later_than: datetime
    ) -> Observation:
        """Tell a status at once, whatever the ledger says, and return what Haravan answers.

        This is the runs' own call: they have written their intent, and have waited for the budget.
        Anybody else records the status instead. `NotSent` also says that `not_later_than` passed.

        Raises:
            UnknownStatus: Haravan cannot be told this one.
        """
        ref = self._ref(order_id, fulfillment_id)
        path = put_path(ref, status)
        return self._http.put(path, lambda it: self._shown(ref, it), not_later_than=not_later_than)

    def _orders(self, params: dict[str, str]) -> tuple[RemoteOrder, ...]:
        return self._http.get(
            "/orders.json",
            {**params, "limit": str(MOST_ORDERS), "fields": _FIELDS},
            lambda reply: self._read(read_orders, reply),
        )

    def _ref(self, order_id: str, fulfillment_id: str) -> FulfillmentRef:
        return FulfillmentRef(
            shop=self._shop, order_id=check_id(order_id), fulfillment_id=check_id(fulfillment_id)
        )

    def _shown(self, ref: FulfillmentRef, reply: PlatformReply) -> Observation:
        return _about(ref, self._read(read_fulfillment, reply))

    def _read(self, reader: Callable[..., T], reply: PlatformReply, **more: str) -> T:
        asked_at, seen_at = reply.asked_at, reply.seen_at
        return self._answered(
            reader(reply.document(), shop=self._shop, asked_at=asked_at, seen_at=seen_at, **more)
        )

    def _answered(self, found: T) -> T:
        """Say that the platform answered something, as only it can."""
        self._on_answer()
        return found


def check_order_count(order_ids: Sequence[str]) -> None:
    """Raise `InvalidInput` where there are no orders to ask for, or more than a page holds."""
    if not 0 < len(set(order_ids)) <= MOST_ORDERS:
        raise InvalidInput(f"Haravan is asked for 1 to {MOST_ORDERS} orders at a time.")


def _of_order(order_id: str, what: str = "") -> str:
    return f"/orders/{check_id(order_id)}/fulfillments{what}.json"


def _about(ref: FulfillmentRef, seen: Observation) -> Observation:
    if seen.ref.fulfillment_id != ref.fulfillment_id or seen.ref.order_id != ref.order_id:
        raise UnreadableReply("the reply is about another fulfillment")
    return seen
