"""What stands under Sapo's rules: shops, and orders and parcels that are simply there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from carrierflow.domain import clock as real_clock
from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.refusals import BadInput, NotFound
from carrierflow.sandbox.sapo.action_judge import SapoRecorder
from carrierflow.sandbox.sapo.id_supply import IdSupply
from carrierflow.sandbox.sapo.order_events import OrderEvents
from carrierflow.sandbox.sapo.order_json import order_json
from carrierflow.sandbox.sapo.parcel_actions import COURIER
from carrierflow.sandbox.sapo.posted_fields import order_lines, packed_parcel
from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoOrder
from carrierflow.sandbox.sapo.sapo_shop import SapoOptions, SapoShop
from carrierflow.sandbox.world_clock import WorldClock


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime


__all__ = ["SapoStore"]

_TOTAL = 100_000
_CARRIER = 10355


class SapoStore(WorldClock):
    """Shops, and a way to put orders and parcels into them as if they had always been there."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = real_clock.now,
        app_secret: str = "app-secret",  # noqa: S107 - of a sandbox
    ) -> None:
        super().__init__(clock)
        self.app_secret = app_secret
        self.recorder = SapoRecorder()
        self.shops: dict[str, SapoShop] = {}
        self.reset(keep_shops=False)

    def second(self) -> int:
        """Return the present moment as Sapo stores it: in whole seconds."""
        return self.now() // TICKS_PER_SECOND

    def reset(self, *, keep_shops: bool = True) -> None:
        """Forget orders, waiting requests and the recorder's; shops and tokens too if asked."""
        self.forget_late()
        self.ids = IdSupply()
        self.events = OrderEvents()
        self.recorder.forget()
        if not keep_shops:
            self.shops.clear()
        for shop in self.shops.values():
            shop.empty()

    def add_shop(
        self, *, code: str, token: str, tenant_id: int = 56322, **options: Any
    ) -> SapoShop:
        """Open a shop; `options` are the fields of `SapoOptions`.

        Raises:
            BadInput: if the code or the token is taken.
        """
        if code in self.shops or self.shop_of(token) is not None:
            raise BadInput(f"A shop {code!r}, or one with the same token, exists already.")
        chosen = SapoOptions(**options)
        self.shops[code] = SapoShop(code=code, token=token, options=chosen, tenant_id=tenant_id)
        return self.shops[code]

    def shop(self, code: str) -> SapoShop:
        """Return a shop by its code.

        Raises:
            NotFound: if there is none.
        """
        if code not in self.shops:
            raise NotFound(f"There is no shop {code!r}.")
        return self.shops[code]

    def shop_of(self, token: str) -> SapoShop | None:
        """Return the shop that a token opens, if any."""
        return next((shop for shop in self.shops.values() if shop.token == token), None)

    def add_order(
        self,
        *,
        shop: str,
        total: int = _TOTAL,
        status: str = "finalized",
        order_id: int | None = None,
        code: str | None = None,
        issued_on: int | None = None,
        lines: Iterable[Mapping[str, Any]] | None = None,
        **details: Any,
    ) -> int:
        """Put an order into a shop and return its number; no webhook tells of it."""
        at = self.second()
        rows = lines if lines is not None else [{"price": total, "quantity": 1}]
        order = SapoOrder(
            id=order_id if order_id is not None else self.ids.order(),
            code=code or self.ids.code("SO", at),
            status=status,
            created_on=at,
            modified_on=at,
            issued_on=issued_on if issued_on is not None else at,
            lines=order_lines(rows, self.ids, at, keeps_ids=True),
            finalized_on=None if status == "draft" else at,
            details=details,
        )
        self.shop(shop).put(self.now(), order)
        return order.id

    def add_parcel(
        self,
        *,
        shop: str,
        cod_amount: int = 0,
        tracking_code: str | None = None,
        order_id: int | None = None,
        delivery_type: str = COURIER,
        packed_on: int | None = None,
        total: int | None = None,
        **shipment: Any,
    ) -> tuple[int, int]:
        """Put a packed parcel into an order, a new one if none is named, and return both numbers.

        A new order's goods cost `total`, or else what is to be collected. `shipment` holds further
        fields of the shipment.
        """
        store = self.shop(shop)
        if order_id is None:
            price = total if total is not None else cod_amount or _TOTAL
            order_id = self.add_order(shop=shop, total=price)
        sent = {
            "delivery_service_provider_id": _CARRIER,
            "cod_amount": cod_amount,
            "tracking_code": tracking_code,
            **shipment,
        }
        fields = {"delivery_type": delivery_type, "shipment": sent}
        order = store.order(order_id)
        parcel = packed_parcel(store, order, fields, self.ids, self.second())
        if packed_on is not None:
            parcel = replace(parcel, packed_on=packed_on)
        store.put(self.now(), replace(order, fulfillments=(*order.fulfillments, parcel)))
        return order_id, parcel.id

    def save(self, shop: SapoShop, order: SapoOrder, *topics: str) -> SapoOrder:
        """Store an order that changed, and tell whoever subscribed to it."""
        shop.put(self.now(), order)
        for topic in (*topics, "orders/update"):
            self.events.put(shop, topic, order.id, order_json(shop, order), self.now())
        return order

    def save_parcel(
        self, shop: SapoShop, order: SapoOrder, parcel: SapoFulfillment, *topics: str
    ) -> SapoOrder:
        """Store a parcel that changed, and its order with it."""
        others = tuple(parcel if each.id == parcel.id else each for each in order.fulfillments)
        at = self.second() if shop.options.bumps_orders else order.modified_on
        return self.save(shop, replace(order, fulfillments=others, modified_on=at), *topics)
