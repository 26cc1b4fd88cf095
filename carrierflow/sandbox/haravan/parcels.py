"""Orders and fulfillments as values, and the one pure step that moves a fulfillment.

Nothing here changes in place: every edit makes a new value, so that the world can still show how it
looked a while ago.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from carrierflow.sandbox.haravan.vocabulary import (
    BY_SEGMENT,
    CANCEL,
    DELIVERED,
    StatusMachine,
    StatusWord,
)


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "Lags",
    "Moved",
    "Order",
    "OrderItem",
    "ParcelRef",
    "Recipient",
    "SandboxFulfillment",
    "moved",
]

_COD_PAID = BY_SEGMENT[StatusMachine.COD, "paid"]


class ParcelRef(NamedTuple):
    """The three names without which no call can find a fulfillment."""

    shop: str
    order_id: int
    fulfillment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lags:
    """How many ticks pass between the times that one call writes.

    The defaults are the distances in the documented examples; a test that replays an example sets
    them to that example's own.
    """

    ready_to_created: int = 142_710
    created_to_updated: int = 56
    date_to_updated: int = 19_671
    updated_to_order: int = 130_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who receives the parcel; the defaults cannot be taken for a person."""

    first_name: str = "Thử"
    last_name: str = "Người Nhận Giả"
    phone: str = "0000000000"
    address: str = "1 Đường Không Có Thật"
    email: str = "nobody@example.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItem:
    """One line of an order."""

    id: int
    title: str = "Hàng mẫu"
    sku: str = "SANDBOX-1"
    price: int = 0
    quantity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order of a shop; times are ticks."""

    id: int
    number: int
    created_at: int
    updated_at: int
    item: OrderItem
    total: int = 0
    recipient: Recipient = field(default_factory=Recipient)
    fulfillment_ids: tuple[int, ...] = ()
    cancelled_at: int | None = None
    cancel_reason: str | None = None
    closed_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFulfillment:
    """One parcel of an order, its two statuses and every date that they ever stamped, in ticks."""

    ref: ParcelRef
    item: OrderItem
    recipient: Recipient
    created_at: int
    updated_at: int
    carrier_status: str
    cod_status: str
    dates: Mapping[str, int]
    cod_amount: int = 0
    tracking_number: str | None = None
    tracking_company: str = "Carrier"
    tracking_company_code: str | None = "external"
    tracking_url: str = ""
    tracking_urls: tuple[str, ...] = ()
    location_id: int = 1091390
    coupon_code: str | None = None
    package_name: str = ""
    shipping_rate_id: int | None = None
    note: str | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether the parcel is in the one status that Haravan lets nobody leave."""
        return self.carrier_status == CANCEL

    def status(self, machine: StatusMachine) -> str:
        """Return the code that the parcel has in one of its machines."""
        return self.carrier_status if machine is StatusMachine.DELIVERY else self.cod_status


class Moved(NamedTuple):
    """A parcel after a call, and the fields that this call wrote."""

    parcel: SandboxFulfillment
    fresh: frozenset[str] = frozenset()


def moved(
    parcel: SandboxFulfillment, to: StatusWord, *, at: int, lag: int, lifts_cod: bool = True
) -> Moved:
    """Move one machine of a parcel, asking no question about the road, as Haravan does.

    The new status stamps its own date, over an earlier one; no other date is ever cleared. Entering
    delivered lifts codpending to codpaid with the same date, unless the shop does not do so, and
    touches no other COD status.
    """
    lifts = lifts_cod and to.code == DELIVERED and parcel.cod_status == "codpending"
    stamped = _stamps(to) | (_stamps(_COD_PAID) if lifts else frozenset())
    now_at = {StatusMachine.DELIVERY: parcel.carrier_status, StatusMachine.COD: parcel.cod_status}
    now_at |= {to.machine: to.code} | ({StatusMachine.COD: _COD_PAID.code} if lifts else {})
    after = replace(
        parcel,
        carrier_status=now_at[StatusMachine.DELIVERY],
        cod_status=now_at[StatusMachine.COD],
        dates={**parcel.dates, **dict.fromkeys(sorted(stamped), at)},
        updated_at=max(parcel.updated_at, at + lag),
    )
    return Moved(after, stamped | {"updated_at"})


def _stamps(status: StatusWord) -> frozenset[str]:
    return frozenset({status.date_field} if status.date_field else ())
