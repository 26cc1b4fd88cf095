"""One Sapo shop: its token, its options, and its orders with all their earlier versions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from carrierflow.sandbox.bucket import LeakyBucket
from carrierflow.sandbox.sapo.data_errors import NO_SUCH_ORDER, NO_SUCH_PARCEL, not_there
from carrierflow.sandbox.versions import Versions


if TYPE_CHECKING:
    from collections.abc import Iterator

    from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoOrder, SapoRef


__all__ = ["SapoOptions", "SapoShop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SapoOptions:
    """What may differ between shops, or what no document settles.

    `blank_replies`: the documents print nothing as the reply to ship and to taking back. A later
    revision prints a body for the first, so both may be met.
    `says_cancelling`: whether a parcel on its way back is `cancelling` or `cancelled` already.
    `bumps_orders`: whether an action on a parcel moves its order's `modified_on`.
    `filters_modified`: whether lists heed `modified_on_min`, which nobody verified on this host.
    `newest_first`: how lists are sorted, which is not documented.
    `cancels_parcels`: whether an order's cancel cancels those of its parcels that have not arrived.
    `puts_down_deposits`: whether a ship books a deposit of the cash, as the seed's sample shows.
    `packed_early`: by how many seconds `packed_on` lies before `created_on`; in the samples by -1
    to 58. `parts_early`: by how many a parcel's lines and shipment are older than itself.
    `may_write=False` stands for a token that lacks the scopes for writing.
    `tells_limit`: whether replies bear the header that the newer API counts requests in.
    """

    blank_replies: bool = False
    says_cancelling: bool = True
    bumps_orders: bool = True
    filters_modified: bool = True
    newest_first: bool = True
    cancels_parcels: bool = True
    puts_down_deposits: bool = True
    packed_early: int = 0
    parts_early: int = 0
    may_write: bool = True
    tells_limit: bool = False
    most_rows: int = 250
    bucket_size: int = 40
    leak_per_minute: int = 40


class SapoShop:
    """A shop; its numbers are those of the seed's samples where they are not given."""

    def __init__(
        self, *, code: str, token: str, options: SapoOptions, tenant_id: int = 56322
    ) -> None:
        self.code = code
        self.token = token
        self.options = options
        self.tenant_id = tenant_id
        self.location_id = 58369
        self.account_id = 72098
        self.cash_method = 220256
        self.cod_method = 220258
        self.carriers = {10355}
        self.empty()

    @property
    def domain(self) -> str:
        """The host that the shop would have."""
        return f"{self.code}.mysapogo.com"

    @property
    def payment_methods(self) -> frozenset[int]:
        """The payment methods that the shop knows."""
        return frozenset({self.cash_method, self.cod_method})

    def empty(self) -> None:
        """Forget every order and request; the token and the options stay."""
        self._orders: dict[int, Versions[SapoOrder]] = {}
        self.bucket = LeakyBucket(
            size=self.options.bucket_size,
            leak_per_second=Fraction(self.options.leak_per_minute, 60),
        )

    def order(self, order_id: int, as_of: int | None = None) -> SapoOrder:
        """Return an order as it is, or as it was at a moment in ticks.

        Raises:
            SapoRefusal: if the shop has no such order, or had none then.
        """
        versions = self._orders.get(order_id)
        order = versions.as_of(as_of) if versions is not None else None
        if order is None:
            raise not_there(NO_SUCH_ORDER)
        return order

    def orders(self, as_of: int | None = None) -> Iterator[SapoOrder]:
        """Yield every order, as it is or as it was."""
        found = (versions.as_of(as_of) for versions in self._orders.values())
        return (order for order in found if order is not None)

    def parcel(self, ref: SapoRef, as_of: int | None = None) -> tuple[SapoOrder, SapoFulfillment]:
        """Return a parcel and its order.

        Raises:
            SapoRefusal: if the order, or the parcel in it, is not there.
        """
        order = self.order(ref.order_id, as_of)
        for parcel in order.fulfillments:
            if parcel.id == ref.fulfillment_id:
                return order, parcel
        raise not_there(NO_SUCH_PARCEL)

    def has_code(self, code: str) -> bool:
        """Return whether an order has this code."""
        return any(order.code == code for order in self.orders())

    def put(self, at: int, order: SapoOrder) -> None:
        """Store a new order, or a new version of one, as of a moment in ticks."""
        versions = self._orders.get(order.id)
        if versions is None:
            self._orders[order.id] = Versions(at, order)
        else:
            versions.add(at, order)

    def remove(self, order_id: int) -> None:
        """Take an order away as if it had never been."""
        del self._orders[order_id]
