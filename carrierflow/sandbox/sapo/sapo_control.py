"""Control over HTTP, as far as it is Sapo's own: its shops and orders, and what a merchant does."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.control_calls import ControlCalls, body_of
from carrierflow.sandbox.sapo.fulfillment_states import STATUS_WORDS, SapoAction, SapoState
from carrierflow.sandbox.sapo.sapo_numbers import printed, printed_time
from carrierflow.sandbox.sapo.sapo_orders import SapoRef
from carrierflow.sandbox.sapo.sapo_shop import SapoOptions


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.exchange import HttpRequest
    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.sapo.sapo_orders import SapoFulfillment, SapoOrder
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop
    from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = ["SapoControl"]

_SHOP = tuple(spec.name for spec in fields(SapoOptions))
_PARCEL = (
    "cod_amount",
    "total",
    "order_id",
    "tracking_code",
    "delivery_type",
    "delivery_service_provider_id",
)


class SapoControl(ControlCalls):
    """Answers the control calls."""

    def __init__(self, world: SapoWorld, faults: Faults) -> None:
        self._sapo = world
        calls: Mapping[tuple[str, str], Callable[[HttpRequest], Any]] = {
            ("GET", "state"): self._state,
            ("GET", "judge"): self._judge,
            ("POST", "reset"): self._reset,
            ("POST", "shops"): self._add_shop,
            ("POST", "orders"): self._add_parcel,
            ("POST", "edit"): self._edit,
        }
        super().__init__(
            world, faults, calls, prints=lambda ticks: printed_time(ticks // TICKS_PER_SECOND)
        )

    def _state(self, request: HttpRequest) -> dict[str, Any]:
        only = request.query.get("shop")
        shops = [self._sapo.shop(only)] if only else list(self._sapo.shops.values())
        return {
            "now": self.now(),
            "shops": [_shop_state(shop) for shop in shops],
            "faults_given": self.faults_given(),
        }

    def _judge(self, _request: HttpRequest) -> dict[str, Any]:
        return asdict(self._sapo.recorder.report())

    def _reset(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, optional=("shops",))
        self.end_faults()
        self._sapo.reset(keep_shops=not body.get("shops", False))
        return {"ok": True}

    def _add_shop(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("code", "token"), optional=_SHOP)
        return {"code": self._sapo.add_shop(**body).code}

    def _add_parcel(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("shop",), optional=_PARCEL)
        order_id, fulfillment_id = self._sapo.add_parcel(**body)
        return {"order_id": order_id, "fulfillment_id": fulfillment_id}

    def _edit(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(
            request,
            required=("shop", "order_id"),
            optional=("fulfillment_id", "action", "order"),
        )
        shop, order_id = str(body["shop"]), int(body["order_id"])
        if "order" in body:
            _ORDER_EDITS[body["order"]](self._sapo, shop, order_id)
            return {"ok": True}
        ref = SapoRef(shop, order_id, int(body["fulfillment_id"]))
        return _parcel_state(_moved(self._sapo, ref, body["action"]))


def _moved(world: SapoWorld, ref: SapoRef, word: str) -> SapoFulfillment:
    """Move a parcel as its merchant does, or as a carrier that is linked with Sapo."""
    if word == _HAND_OVER:
        return world.hand_over(ref)
    if word in _LINKED:
        return world.link_says(ref, SapoState(word))
    return world.act_by_hand(ref, SapoAction(word))


def _remove_order(world: SapoWorld, shop: str, order_id: int) -> None:
    world.shop(shop).order(order_id)
    world.remove_order(shop, order_id)


def _shop_state(shop: SapoShop) -> dict[str, Any]:
    return {
        "code": shop.code,
        "options": asdict(shop.options),
        "orders": [_order_state(order) for order in shop.orders()],
    }


def _order_state(order: SapoOrder) -> dict[str, Any]:
    return {
        "id": order.id,
        "code": order.code,
        "status": order.status,
        "modified_on": printed_time(order.modified_on),
        "fulfillments": [_parcel_state(each) for each in order.fulfillments],
    }


def _parcel_state(parcel: SapoFulfillment) -> dict[str, Any]:
    shipment = parcel.shipment
    return {
        "id": parcel.id,
        "state": parcel.state,
        "status": STATUS_WORDS[parcel.state],
        "cod_amount": printed(parcel.cod_amount),
        "is_paid": bool(parcel.payments),
        "tracking_code": shipment.tracking_code if shipment is not None else None,
        "modified_on": printed_time(parcel.modified_on),
    }


_HAND_OVER = "hand_over"
_LINKED = (SapoState.RETRY_DELIVERY, SapoState.FULFILLED)
_ORDER_EDITS: Mapping[str, Callable[[SapoWorld, str, int], object]] = {
    "cancel": lambda world, shop, order_id: world.cancel_order(shop, order_id),
    "finish": lambda world, shop, order_id: world.finish_order(shop, order_id),
    "remove": _remove_order,
}
