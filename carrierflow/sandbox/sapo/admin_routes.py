"""The calls under `/admin` as one table; each is answered with the suffix `.json` and without."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import HttpReply, HttpRequest, json_reply
from carrierflow.sandbox.refusals import BadInput
from carrierflow.sandbox.sapo.admin_lists import SapoReading, fulfillments_page, orders_page
from carrierflow.sandbox.sapo.data_errors import (
    NO_SUCH_ORDER,
    NO_SUCH_PARCEL,
    SapoRefusal,
    message_error,
    not_there,
)
from carrierflow.sandbox.sapo.fulfillment_states import SapoAction
from carrierflow.sandbox.sapo.order_json import fulfillment_json, order_json, prepayment_json
from carrierflow.sandbox.sapo.sapo_orders import SapoOrder, SapoRef


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.sapo.order_events import OrderTopic
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop
    from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = ["BLANK", "Target", "answer", "target_of"]

Target = tuple[SapoRef, SapoAction]

BLANK = frozenset({SapoAction.SHIP, SapoAction.TAKE_BACK})
"""The actions whose replies the documents print as nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    world: SapoWorld
    shop: SapoShop
    request: HttpRequest
    reading: SapoReading
    args: Mapping[str, str]

    def number(self, name: str) -> int:
        return int(self.args[name])

    @property
    def ref(self) -> SapoRef:
        return SapoRef(self.shop.code, self.number("order"), self.number("fulfillment"))

    def order(self) -> SapoOrder:
        if self.reading.omits(self.number("order")):
            raise not_there(NO_SUCH_ORDER)
        return self.shop.order(self.number("order"), self.reading.as_of)

    def wrapped(self, name: str) -> dict[str, Any]:
        inner = self.request.payload().get(name)
        if not isinstance(inner, dict):
            raise BadInput(f"The body has no object named {name!r}.")
        return inner


def answer(
    world: SapoWorld, shop: SapoShop, request: HttpRequest, reading: SapoReading
) -> HttpReply:
    """Do what a request asks and return Sapo's answer, refusals included."""
    path = request.path.removesuffix(".json")
    for method, pattern, handler in _ROUTES:
        match = pattern.fullmatch(path)
        if match is not None and method == request.method:
            call = _Call(
                world=world, shop=shop, request=request, reading=reading, args=match.groupdict()
            )
            return _guarded(handler, call)
    return message_error(HTTPStatus.NOT_FOUND, "Not Found").reply()


def target_of(shop: SapoShop, request: HttpRequest) -> Target | None:
    """Return the parcel and the action that a path names, if it names both."""
    match = _ACTION.fullmatch(request.path.removesuffix(".json"))
    if match is None or request.method != "POST":
        return None
    ref = SapoRef(shop.code, int(match["order"]), int(match["fulfillment"]))
    return ref, SapoAction(match["action"])


def _guarded(handler: Callable[[_Call], HttpReply], call: _Call) -> HttpReply:
    try:
        return handler(call)
    except SapoRefusal as refusal:
        return refusal.reply()
    except BadInput as error:
        return message_error(HTTPStatus.BAD_REQUEST, str(error)).reply()


def _list_orders(call: _Call) -> HttpReply:
    page = orders_page(call.shop, call.request.query, call.reading)
    rows = [order_json(call.shop, order) for order in page.rows]
    return json_reply(200, {"metadata": page.metadata, "orders": rows})


def _read_order(call: _Call) -> HttpReply:
    return json_reply(200, {"order": order_json(call.shop, call.order())})


def _create_order(call: _Call) -> HttpReply:
    return _order_reply(call, call.world.create_order(call.shop.code, call.wrapped("order")))


def _change_order(call: _Call) -> HttpReply:
    fields = call.wrapped("order")
    changed = call.world.change_order(call.shop.code, call.number("order"), fields)
    return _order_reply(call, changed)


def _finalize(call: _Call) -> HttpReply:
    return _order_reply(call, call.world.finalize(call.shop.code, call.number("order")))


def _finish(call: _Call) -> HttpReply:
    return _order_reply(call, call.world.finish_order(call.shop.code, call.number("order")))


def _cancel(call: _Call) -> HttpReply:
    return _order_reply(call, call.world.cancel_order(call.shop.code, call.number("order")))


def _order_reply(call: _Call, order: SapoOrder) -> HttpReply:
    return json_reply(200, {"order": order_json(call.shop, order, is_read=False)})


def _create_fulfillment(call: _Call) -> HttpReply:
    fields = call.wrapped("fulfillment")
    made = call.world.create_fulfillment(call.shop.code, call.number("order"), fields)
    return json_reply(200, {"fulfillment": fulfillment_json(call.shop, *made, is_read=False)})


def _act(call: _Call) -> HttpReply:
    """Do an action; whatever body came with it is not looked at."""
    action = SapoAction(call.args["action"])
    done = call.world.act(call.ref, action)
    reply = json_reply(200, {"fulfillment": fulfillment_json(call.shop, *done, is_read=False)})
    if call.shop.options.blank_replies and action in BLANK:
        return HttpReply(status=200, headers=reply.headers)
    return reply


def _list_fulfillments(call: _Call) -> HttpReply:
    page = fulfillments_page(call.shop, call.request.query, call.reading)
    rows = [fulfillment_json(call.shop, order, parcel) for order, parcel in page.rows]
    return json_reply(200, {"metadata": page.metadata, "fulfillments": rows})


def _read_fulfillment(call: _Call) -> HttpReply:
    number = call.number("fulfillment")
    for order in call.shop.orders(call.reading.as_of):
        for parcel in order.fulfillments:
            if parcel.id == number and not call.reading.omits(order.id):
                shown = fulfillment_json(call.shop, order, parcel)
                return json_reply(200, {"fulfillment": shown})
    raise not_there(NO_SUCH_PARCEL)


def _prepay(call: _Call) -> HttpReply:
    fields = call.wrapped("prepayment")
    made = call.world.prepay(call.shop.code, call.number("order"), fields)
    return json_reply(200, {"prepayment": prepayment_json(call.shop, made)})


def _cancel_prepayment(call: _Call) -> HttpReply:
    order, number = call.number("order"), call.number("prepayment")
    done = call.world.cancel_prepayment(call.shop.code, order, number)
    return json_reply(200, {"prepayment": prepayment_json(call.shop, done)})


def _list_webhooks(call: _Call) -> HttpReply:
    rows = [_webhook(each) for each in call.world.events.topics(call.shop.code)]
    return json_reply(200, {"webhooks": rows})


def _create_webhook(call: _Call) -> HttpReply:
    fields = call.wrapped("webhook")
    topic, address = str(fields.get("topic") or ""), str(fields.get("address") or "")
    made = call.world.events.subscribe(call.shop.code, topic, address)
    return json_reply(200, {"webhook": _webhook(made)})


def _change_webhook(call: _Call) -> HttpReply:
    fields = call.wrapped("webhook")
    changed = call.world.events.change(call.shop.code, call.number("webhook"), fields)
    return json_reply(200, {"webhook": _webhook(changed)})


def _remove_webhook(call: _Call) -> HttpReply:
    call.world.events.unsubscribe(call.shop.code, call.number("webhook"))
    return json_reply(200, {})


def _webhook(wanted: OrderTopic) -> dict[str, Any]:
    return {
        "id": wanted.id,
        "topic": wanted.topic,
        "address": wanted.address,
        "format": wanted.format,
    }


_ORDER = r"/admin/orders/(?P<order>\d+)"
_PARCEL = r"/admin/(?:fulfillments|shipments)/(?P<fulfillment>\d+)"
_WEBHOOK = r"/admin/webhooks/(?P<webhook>\d+)"
_ACTION = re.compile(
    _ORDER
    + r"/fulfillments/(?P<fulfillment>\d+)"
    + r"/(?P<action>ship|receive|cancel|receive_after_cancellation)"
)
_ROUTES: tuple[tuple[str, re.Pattern[str], Callable[[_Call], HttpReply]], ...] = (
    ("GET", re.compile(r"/admin/orders"), _list_orders),
    ("POST", re.compile(r"/admin/orders"), _create_order),
    ("GET", re.compile(_ORDER), _read_order),
    ("PUT", re.compile(_ORDER), _change_order),
    ("POST", re.compile(_ORDER + "/finalize"), _finalize),
    ("POST", re.compile(_ORDER + "/finish"), _finish),
    ("POST", re.compile(_ORDER + "/cancel"), _cancel),
    ("POST", re.compile(_ORDER + "/fulfillments"), _create_fulfillment),
    ("POST", _ACTION, _act),
    ("POST", re.compile(_ORDER + "/prepayments"), _prepay),
    (
        "POST",
        re.compile(_ORDER + r"/prepayments/(?P<prepayment>\d+)/cancel"),
        _cancel_prepayment,
    ),
    ("GET", re.compile(r"/admin/(?:fulfillments|shipments)"), _list_fulfillments),
    ("GET", re.compile(_PARCEL), _read_fulfillment),
    ("GET", re.compile(r"/admin/webhooks"), _list_webhooks),
    ("POST", re.compile(r"/admin/webhooks"), _create_webhook),
    ("PUT", re.compile(_WEBHOOK), _change_webhook),
    ("DELETE", re.compile(_WEBHOOK), _remove_webhook),
)
