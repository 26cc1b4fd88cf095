"""One shop: its token, its options, and everything it stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.haravan.carrier_registrations import CarrierServices
from carrierflow.sandbox.haravan.order_index import OrderIndex
from carrierflow.sandbox.refusals import NotFound
from carrierflow.sandbox.versions import Versions


if TYPE_CHECKING:
    from collections.abc import Iterator

    from carrierflow.sandbox.haravan.parcels import Order, SandboxFulfillment


__all__ = ["SandboxShop", "ShopOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopOptions:
    """What may differ between shops.

    Whether a status PUT moves the order's `updated_at` is unproven, so `bump_orders` is a switch.
    Every documented delivery lifts codpending to codpaid; `lifts_cod=False` is a shop where it does
    not. `may_write=False` stands for a token without the scope `com.write_orders`.
    """

    bump_orders: bool = True
    lifts_cod: bool = True
    may_write: bool = True
    bucket_size: int = 80
    leak_per_second: int = 4


class SandboxShop:
    """A shop with its own token, bucket, orders, parcels and carrier registrations."""

    def __init__(self, *, code: str, token: str, org_id: int, options: ShopOptions) -> None:
        self.code = code
        self.token = token
        self.org_id = org_id
        self.options = options
        self.empty()

    def empty(self) -> None:
        """Forget everything that the shop stores; its token and options stay."""
        self.bucket = LeakyBucket(
            size=self.options.bucket_size, leak_per_second=self.options.leak_per_second
        )
        self.orders = OrderIndex()
        self.services = CarrierServices()
        self._parcels: dict[int, Versions[SandboxFulfillment]] = {}

    def order(self, order_id: int, as_of: int | None = None) -> Order:
        """Return one order as it is, or as it was at a moment.

        Raises:
            NotFound: if the shop has no such order, or had none then.
        """
        order = self.orders.get(order_id, as_of)
        if order is None:
            raise NotFound(f"Order {order_id} is not in this shop.")
        return order

    def parcel(
        self, order_id: int, fulfillment_id: int, as_of: int | None = None
    ) -> SandboxFulfillment:
        """Return one fulfillment of one order, as it is or as it was at a moment.

        Raises:
            NotFound: if that order has no such fulfillment.
        """
        order = self.order(order_id, as_of)
        versions = self._parcels.get(fulfillment_id)
        parcel = versions.as_of(as_of) if versions else None
        if parcel is None or fulfillment_id not in order.fulfillment_ids:
            raise NotFound(f"Order {order_id} has no fulfillment {fulfillment_id}.")
        return parcel

    def parcels_of(self, order: Order, as_of: int | None = None) -> list[SandboxFulfillment]:
        """Return the fulfillments of an order, oldest first."""
        known = (self._parcels.get(each) for each in order.fulfillment_ids)
        found = (versions.as_of(as_of) for versions in known if versions is not None)
        return [parcel for parcel in found if parcel is not None]

    def parcels(self) -> Iterator[SandboxFulfillment]:
        """Yield every fulfillment of the shop as it is, in the order of their making."""
        return (versions.now for versions in self._parcels.values())

    def has_parcel(self, fulfillment_id: int) -> bool:
        """Return whether the shop ever made a fulfillment of this id."""
        return fulfillment_id in self._parcels

    def put_parcel(self, at: int, parcel: SandboxFulfillment) -> None:
        """Store a new fulfillment, or a new version of one."""
        versions = self._parcels.get(parcel.ref.fulfillment_id)
        if versions is None:
            self._parcels[parcel.ref.fulfillment_id] = Versions(at, parcel)
        else:
            versions.add(at, parcel)

    def remove_parcel(self, fulfillment_id: int) -> None:
        """Take a fulfillment away as if it had never been."""
        del self._parcels[fulfillment_id]

    def remove_order(self, order_id: int) -> None:
        """Take an order and its fulfillments away, so that every later call finds nothing."""
        for fulfillment_id in self.order(order_id).fulfillment_ids:
            del self._parcels[fulfillment_id]
        self.orders.remove(order_id)
