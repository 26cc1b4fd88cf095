"""What the carrier itself decides: the prices it asks, the parcels it takes, the cancels it grants.

An embedder writes these three methods; everything else of the carrier service is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from carrierflow.domain import limits
from carrierflow.domain.typecheck import check_text
from carrierflow.errors import BadTime, InvalidInput


__all__ = [
    "AcceptRequest",
    "Accepted",
    "Address",
    "CancelRequest",
    "Carrier",
    "Declined",
    "Item",
    "QuoteRequest",
    "Rate",
]

INT32 = range(-(2**31), 2**31)


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Address:
    """A place and who is there, as the platform words it; it never prints itself."""

    name: str | None = None
    phone: str | None = None
    address1: str | None = None
    address2: str | None = None
    ward: str | None = None
    ward_code: str | None = None
    district: str | None = None
    district_code: str | None = None
    province: str | None = None
    province_code: str | None = None
    city: str | None = None
    zip: str | None = None
    country: str | None = None
    country_code: str | None = None
    country_name: str | None = None

    def __repr__(self) -> str:
        return "Address(…)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One line of an order."""

    name: str | None = None
    sku: str | None = None
    quantity: int | None = None
    grams: Decimal | None = None
    price: Decimal | None = None
    product_id: str | None = None
    variant_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class QuoteRequest:
    """What would have to be carried, and from where to where."""

    shop: str
    origin: Address | None = None
    destination: Address | None = None
    cod_amount: int = 0
    """Cash to collect, in whole đồng."""
    total_grams: Decimal | None = None
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptRequest(QuoteRequest):
    """A parcel that a seller hands over."""

    external_code: str
    """Names this parcel for good: the same code is the same parcel, however often it comes."""
    order_id: str
    fulfillment_id: str
    store_id: str | None = None
    service_id: str | None = None
    """The `service_id` of the rate that the seller chose."""
    note: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelRequest:
    """A parcel that a seller wants back before it is on its way."""

    shop: str
    order_id: str
    fulfillment_id: str
    tracking_number: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """One service that the carrier offers, and what it costs."""

    service_id: int
    """Comes back as `service_id` of the `AcceptRequest`; platforms hold it in 32 bits."""
    name: str
    total_price: int
    """In whole đồng."""
    code: str | None = None
    description: str | None = None
    phone_required: bool = False
    earliest: datetime | None = None
    """Between when and when the parcel will arrive; aware times."""
    latest: datetime | None = None

    def __post_init__(self) -> None:
        if self.service_id not in INT32:
            raise InvalidInput(f"The service id {self.service_id} does not fit into 32 bits.")
        if self.total_price < 0 or not self.name.strip():
            raise InvalidInput("A rate needs a name and a price that is not negative.")
        for moment in (self.earliest, self.latest):
            if moment is not None and moment.utcoffset() is None:
                raise BadTime(moment.isoformat(), why="has no time zone")


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """The carrier took a parcel."""

    tracking_number: str
    """Unique within the shop: parcels are found again by it."""
    shipping_fee: int
    """In whole đồng."""
    tracking_url: str | None = None

    def __post_init__(self) -> None:
        check_text("tracking number", self.tracking_number, limits.TRACKING_NUMBER, names=True)
        if not 0 <= self.shipping_fee <= limits.MOST_CASH:
            raise InvalidInput("A shipping fee is whole đồng, not negative, and not beyond belief.")
        if self.tracking_url:
            check_text("tracking URL", self.tracking_url, limits.URL)


@dataclass(frozen=True, slots=True)
class Declined:
    """The carrier will not do it; the seller is shown the reason."""

    reason: str


class Carrier(Protocol):
    """The carrier's own business.

    Called outside any transaction of ours, from as many threads as requests come at once. An
    exception is logged and answered as a failure for now; the platform may ask again. To say
    no for good, return `Declined`.
    """

    def quote(self, request: QuoteRequest) -> Sequence[Rate] | Declined:
        """Return the services that can carry this, with their prices."""
        ...

    def accept(self, request: AcceptRequest) -> Accepted | Declined:
        """Take a parcel.

        Must be idempotent on `(shop, external_code)`: asked twice, also at the same moment in
        two processes, it takes one parcel and returns the same answer. Nothing is written here
        before it returns, so a crash in between is healed by the platform's next try.
        """
        ...

    def cancel(self, request: CancelRequest) -> Declined | None:
        """Give up a parcel; None agrees. Asked twice, the second time agrees too."""
        ...
