"""How orders and parcels get into a shop and are kept there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.haravan.clock_and_shops import ClockAndShops
from carrierflow.sandbox.haravan.parcels import (
    Order,
    OrderItem,
    ParcelRef,
    Recipient,
    SandboxFulfillment,
    moved,
)
from carrierflow.sandbox.haravan.payloads import order_body
from carrierflow.sandbox.haravan.vocabulary import StatusMachine, status_of
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.shop_state import SandboxShop


__all__ = ["Inventory"]


class Inventory(ClockAndShops):
    """The shops with what they hold, before any rule about how it may change."""

    def add_order(
        self,
        *,
        shop: str,
        order_id: int | None = None,
        total: int = 0,
        recipient: Recipient | None = None,
    ) -> Order:
        """Put an order without fulfillments into a shop.

        Raises:
            BadInput: if the id is taken in any shop.
        """
        self.settle()
        at, store = self.now(), self.shop(shop)
        if order_id is not None and self._has_order(order_id):
            raise BadInput(f"Order {order_id} exists already.")
        chosen = order_id or next(each for each in self._order_ids if not self._has_order(each))
        order = Order(
            id=chosen,
            number=100_000 + len(store.orders) + 1,
            created_at=at,
            updated_at=at + self.lags.updated_to_order,
            item=OrderItem(id=next(self._item_ids), price=total),
            total=total,
            recipient=recipient or Recipient(),
        )
        store.orders.put(at, order)
        self.announce(store, "orders/create", order)
        return order

    def add_parcel(
        self,
        *,
        shop: str,
        cod_amount: int = 0,
        order_id: int | None = None,
        fulfillment_id: int | None = None,
        carrier_status: str = "readytopick",
        cod_status: str | None = None,
        recipient: Recipient | None = None,
        **details: Any,
    ) -> tuple[int, int]:
        """Put a parcel into a shop, with an order of its own unless it names one that exists.

        `details` are further fields of `Fulfillment`, such as `tracking_number`. Returns the id of
        the order and that of the fulfillment.

        Raises:
            BadInput: if an id is taken.
        """
        self.settle()
        store = self.shop(shop)
        if order_id is None or order_id not in store.orders:
            order_id = self.add_order(
                shop=shop, order_id=order_id, total=cod_amount, recipient=recipient
            ).id
        parcel = self.new_parcel(
            store,
            store.order(order_id),
            fulfillment_id,
            at=self.now() - self.lags.ready_to_created - self.lags.created_to_updated,
            cod_amount=cod_amount,
            **details,
        )
        parcel = _as_planted(parcel, carrier_status, cod_status)
        self.put_in(store, parcel)
        return order_id, parcel.ref.fulfillment_id

    def new_parcel(
        self,
        store: SandboxShop,
        order: Order,
        fulfillment_id: int | None = None,
        *,
        at: int,
        **details: Any,
    ) -> SandboxFulfillment:
        """Return a parcel as it is when just made: ready to pick, codpending if money is due.

        Raises:
            BadInput: if the id is taken in any shop.
        """
        if fulfillment_id is not None and self._has_parcel(fulfillment_id):
            raise BadInput(f"Fulfillment {fulfillment_id} exists already.")
        fresh = (each for each in self._fulfillment_ids if not self._has_parcel(each))
        ref = ParcelRef(store.code, order.id, fulfillment_id or next(fresh))
        created = at + self.lags.ready_to_created
        return SandboxFulfillment(
            ref=ref,
            item=order.item,
            recipient=order.recipient,
            created_at=created,
            updated_at=created + self.lags.created_to_updated,
            carrier_status="readytopick",
            cod_status="codpending" if details.get("cod_amount") else "none",
            dates={"ready_to_pick_date": at},
            **details,
        )

    def put_in(self, store: SandboxShop, parcel: SandboxFulfillment) -> None:
        """Store a new parcel and list it in its order, whose `updated_at` moves with it."""
        order = store.order(parcel.ref.order_id)
        listed = (*order.fulfillment_ids, parcel.ref.fulfillment_id)
        store.put_parcel(self.now(), parcel)
        self.save_order(
            store,
            replace(order, fulfillment_ids=listed),
            updated_at=parcel.updated_at + self.lags.updated_to_order,
        )
        self.announce(store, "orders/fulfilled", store.order(order.id))

    def save(self, store: SandboxShop, parcel: SandboxFulfillment) -> None:
        """Store a changed parcel; the order's `updated_at` moves with it if the shop says so."""
        store.put_parcel(self.now(), parcel)
        if store.options.bump_orders:
            order = store.order(parcel.ref.order_id)
            self.save_order(store, order, updated_at=parcel.updated_at + self.lags.updated_to_order)

    def note_choice(self, ref: ParcelRef, rate_id: int, note: str | None) -> SandboxFulfillment:
        """Keep with a new parcel which rate the seller chose, and what the carrier should know."""
        store = self.shop(ref.shop)
        parcel = store.parcel(ref.order_id, ref.fulfillment_id)
        chosen = replace(parcel, shipping_rate_id=rate_id, note=note)
        store.put_parcel(self.now(), chosen)
        return chosen

    def book(self, ref: ParcelRef, tracking_number: str, tracking_url: str) -> SandboxFulfillment:
        """Keep what the carrier answered when it took a parcel."""
        store = self.shop(ref.shop)
        parcel = store.parcel(ref.order_id, ref.fulfillment_id)
        taken = replace(
            parcel,
            tracking_number=tracking_number,
            tracking_url=tracking_url,
            tracking_urls=(tracking_url,) if tracking_url else (),
            updated_at=max(parcel.updated_at, self.now()),
        )
        self.save(store, taken)
        return taken

    def withdraw(self, ref: ParcelRef) -> None:
        """Take a parcel out of its order that no carrier took; the order stays."""
        store = self.shop(ref.shop)
        order = store.order(ref.order_id)
        left = tuple(each for each in order.fulfillment_ids if each != ref.fulfillment_id)
        store.remove_parcel(ref.fulfillment_id)
        self.save_order(store, replace(order, fulfillment_ids=left), updated_at=self.now())

    def save_order(self, store: SandboxShop, order: Order, *, updated_at: int) -> None:
        """Store an order under a time of update, which never goes back."""
        newest = max(order.updated_at, updated_at)
        saved = replace(order, updated_at=newest)
        store.orders.put(self.now(), saved)
        self.announce(store, "orders/updated", saved)

    def announce(self, store: SandboxShop, topic: str, order: Order) -> None:
        """Let the app hear of an order as it stands now, if it wants to."""
        if topic in self.app.topics and self.webhook_queue.subscription(store.code) is not None:
            body = encode(order_body(order, store.parcels_of(order)))
            self.webhook_queue.put(store, topic, order.id, body, self.now())

    def _has_order(self, order_id: int) -> bool:
        return any(order_id in shop.orders for shop in self.shops.values())

    def _has_parcel(self, fulfillment_id: int) -> bool:
        return any(shop.has_parcel(fulfillment_id) for shop in self.shops.values())


def _as_planted(
    parcel: SandboxFulfillment, carrier_status: str, cod_status: str | None
) -> SandboxFulfillment:
    """Give a new parcel the statuses that its planter wants, as if it had just got there."""
    if carrier_status != parcel.carrier_status:
        status = status_of(StatusMachine.DELIVERY, carrier_status)
        at = parcel.dates["ready_to_pick_date"]
        parcel = moved(parcel, status, at=at, lag=parcel.updated_at - at).parcel
    return replace(parcel, cod_status=cod_status) if cod_status is not None else parcel
