"""Control over HTTP, as far as it is Haravan's own: look, reset, plant, move and judge."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.control_calls import ControlCalls, body_of
from carrierflow.sandbox.haravan.dotnet_time import printed_fresh
from carrierflow.sandbox.haravan.parcels import ParcelRef, Recipient
from carrierflow.sandbox.haravan.partner_app import App
from carrierflow.sandbox.haravan.state_json import call_state, parcel_state, shop_state
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.exchange import HttpRequest
    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.haravan.webhook_sender import WebhookSender
    from carrierflow.sandbox.haravan.world import World
    from carrierflow.sandbox.legal_steps import Legal


__all__ = ["Control"]

_UNLOCKED = frozenset({"poll", "challenge"})  # these call the carrier


class Control(ControlCalls):
    """Answers the control calls."""

    def __init__(
        self, world: World, faults: Faults, legal: Legal | None, webhook_sender: WebhookSender
    ) -> None:
        self._webhook_sender = webhook_sender
        self._sandbox = world
        self._legal = legal
        calls: Mapping[tuple[str, str], Callable[[HttpRequest], Any]] = {
            ("GET", "state"): self._state,
            ("GET", "judge"): self._judge,
            ("POST", "reset"): self._reset,
            ("POST", "shops"): self._add_shop,
            ("POST", "orders"): self._add_parcel,
            ("POST", "edit"): self._edit,
            ("POST", "poll"): self._poll,
            ("POST", "app"): self._change_app,
            ("POST", "uninstall"): self._uninstall,
            ("POST", "challenge"): self._challenge,
            ("GET", "calls"): self._calls_made,
        }
        super().__init__(world, faults, calls, unlocked=_UNLOCKED, prints=printed_fresh)

    def _state(self, request: HttpRequest) -> dict[str, Any]:
        only = request.query.get("shop")
        shops = [self._sandbox.shop(only)] if only else list(self._sandbox.shops.values())
        return {
            "now": self.now(),
            "app": asdict(self._sandbox.app),
            "shops": [shop_state(self._sandbox, shop) for shop in shops],
            "faults_given": self.faults_given(),
        }

    def _judge(self, _request: HttpRequest) -> dict[str, Any]:
        if self._legal is None:
            raise BadInput("This sandbox was started without legal steps to judge by.")
        return asdict(self._sandbox.recorder.report(self._legal))

    def _reset(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, optional=("shops",))
        self.end_faults()
        self._sandbox.reset(keep_shops=not body.get("shops", False))
        return {"ok": True}

    def _add_shop(self, request: HttpRequest) -> dict[str, Any]:
        shop = self._sandbox.add_shop(
            **body_of(request, required=("code", "token"), optional=_SHOP)
        )
        return {"code": shop.code, "org_id": shop.org_id}

    def _add_parcel(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("shop",), optional=_PARCEL)
        body |= {name: int(body[name]) for name in _WHOLE if body.get(name) is not None}
        if "recipient" in body:
            body["recipient"] = Recipient(**body["recipient"])
        order_id, fulfillment_id = self._sandbox.add_parcel(**body)
        return {"order_id": order_id, "fulfillment_id": fulfillment_id}

    def _edit(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, required=("shop", "order_id"), optional=_EDIT)
        shop, order_id = str(body["shop"]), int(body["order_id"])
        if "order" in body:
            _ORDER_EDITS[body["order"]](self._sandbox, shop, order_id, body)
            return {"ok": True}
        ref = ParcelRef(shop, order_id, int(body["fulfillment_id"]))
        parcel = self._sandbox.edit(
            ref, carrier_status=body.get("carrier_status"), cod_status=body.get("cod_status")
        )
        return parcel_state(parcel)

    def _change_app(self, request: HttpRequest) -> dict[str, Any]:
        body = body_of(request, optional=_APP)
        if "topics" in body:
            body["topics"] = tuple(str(topic) for topic in body["topics"])
        self._sandbox.app = replace(self._sandbox.app, **body)
        return asdict(self._sandbox.app)

    def _uninstall(self, request: HttpRequest) -> dict[str, Any]:
        self._sandbox.uninstall(str(body_of(request, required=("shop",))["shop"]))
        return {"ok": True}

    def _challenge(self, _request: HttpRequest) -> dict[str, Any]:
        self._webhook_sender.challenge()
        return {"ok": True}

    def _calls_made(self, _request: HttpRequest) -> dict[str, Any]:
        return {"calls": [call_state(made) for made in self._sandbox.calls]}

    def _poll(self, _request: HttpRequest) -> dict[str, Any]:
        return {"changed": self._sandbox.poll_all()}


def _cancel_order(world: World, shop: str, order_id: int, body: Mapping[str, Any]) -> None:
    ignore = body.get("ignore_cancel_fulfillment") is True
    world.cancel_order(shop, order_id, ignore_fulfillments=ignore)


def _close_order(world: World, shop: str, order_id: int, _body: Mapping[str, Any]) -> None:
    world.close_order(shop, order_id)


def _remove_order(world: World, shop: str, order_id: int, _body: Mapping[str, Any]) -> None:
    world.remove_order(shop, order_id)


_ORDER_EDITS = {"cancel": _cancel_order, "close": _close_order, "remove": _remove_order}
_APP = tuple(spec.name for spec in fields(App))
_SHOP = ("org_id", "bump_orders", "lifts_cod", "may_write", "bucket_size", "leak_per_second")
_PARCEL = (
    "cod_amount",
    "order_id",
    "fulfillment_id",
    "carrier_status",
    "cod_status",
    "tracking_number",
    "tracking_company",
    "tracking_company_code",
    "recipient",
)
_WHOLE = ("cod_amount", "order_id", "fulfillment_id")
_EDIT = ("fulfillment_id", "carrier_status", "cod_status", "order", "ignore_cancel_fulfillment")
