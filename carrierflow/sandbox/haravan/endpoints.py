"""The calls of the platform that a carrier's app may make, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import HttpReply, HttpRequest, json_reply
from carrierflow.sandbox.haravan.app_endpoints import (
    SUBSCRIBE,
    issue_tokens,
    list_subscriptions,
    read_shop,
    subscribe,
    unsubscribe,
)
from carrierflow.sandbox.haravan.denials import Denied
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.list_queries import (
    ORDER_FILTERS,
    PARCEL_FILTERS,
    Reading,
    chosen_fields,
    count_fulfillments,
    count_orders,
    fulfillments_of,
    orders_of,
    refuse_unknown,
)
from carrierflow.sandbox.haravan.oauth import TOKEN
from carrierflow.sandbox.haravan.parcels import Order, ParcelRef
from carrierflow.sandbox.haravan.payloads import (
    READ,
    UPDATED,
    WRITTEN,
    fulfillment_body,
    order_body,
)
from carrierflow.sandbox.haravan.request_context import RequestContext
from carrierflow.sandbox.haravan.vocabulary import BY_CODE, BY_SEGMENT, StatusMachine, StatusWord
from carrierflow.sandbox.refusals import BadInput, NotFound, SandboxError, Unprocessable


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["answer", "parcel_of"]


def answer(world: World, shop: SandboxShop, request: HttpRequest, reading: Reading) -> HttpReply:
    """Do what a request asks and return the platform's answer, refusals included."""
    for route in _ROUTES:
        match = route.pattern.fullmatch(request.path)
        if match is not None and route.method == request.method:
            args = match.groupdict()
            call = RequestContext(
                world=world, shop=shop, request=request, reading=reading, args=args
            )
            return _guarded(route, call)
    return failed(HTTPStatus.NOT_FOUND, "Not Found")


def parcel_of(shop: SandboxShop, path: str) -> ParcelRef | None:
    """Return the fulfillment that a path names, if it names one."""
    match = _PARCEL.search(path)
    return ParcelRef(shop.code, int(match[1]), int(match[2])) if match else None


def _guarded(route: _Route, call: RequestContext) -> HttpReply:
    try:
        if route.filters is not None:
            refuse_unknown(call.request.query, route.filters)
        return route.handler(call)
    except Denied as denial:
        return json_reply(HTTPStatus.BAD_REQUEST, {"error": str(denial)})
    except SandboxError as refusal:
        return failed(_STATUS_OF[type(refusal)], str(refusal))


def _list_orders(call: RequestContext) -> HttpReply:
    orders = orders_of(call.shop, call.request.query, call.reading)
    bodies = (_order_body(call, order) for order in orders)
    return json_reply(200, {"orders": chosen_fields(call.request.query, bodies)})


def _count_orders(call: RequestContext) -> HttpReply:
    return json_reply(200, {"count": count_orders(call.shop, call.request.query, call.reading)})


def _read_order(call: RequestContext) -> HttpReply:
    bodies = chosen_fields(call.request.query, [_order_body(call, _seen_order(call))])
    return json_reply(200, {"order": bodies[0]})


def _cancel_order(call: RequestContext) -> HttpReply:
    payload = call.request.payload()
    order = call.world.cancel_order(
        call.shop.code,
        call.order_id,
        reason=str(payload.get("reason") or "other"),
        ignore_fulfillments=payload.get("ignore_cancel_fulfillment") is True,
    )
    return json_reply(200, {"order": _order_body(call, order)})


def _seen_order(call: RequestContext) -> Order:
    if call.reading.omits(call.order_id):
        raise NotFound(f"Order {call.order_id} is not in this shop.")
    return call.order()


def _list_fulfillments(call: RequestContext) -> HttpReply:
    parcels = call.shop.parcels_of(_seen_order(call), call.reading.as_of)
    found = fulfillments_of(parcels, call.request.query)
    bodies = (fulfillment_body(parcel, READ) for parcel in found)
    return json_reply(200, {"fulfillments": chosen_fields(call.request.query, bodies)})


def _count_fulfillments(call: RequestContext) -> HttpReply:
    parcels = call.shop.parcels_of(call.order(), call.reading.as_of)
    return json_reply(200, {"count": count_fulfillments(parcels, call.request.query)})


def _read_fulfillment(call: RequestContext) -> HttpReply:
    _seen_order(call)
    parcel = call.shop.parcel(call.order_id, call.ref.fulfillment_id, call.reading.as_of)
    return json_reply(200, {"fulfillment": fulfillment_body(parcel, READ)})


def _create_fulfillment(call: RequestContext) -> HttpReply:
    made = call.world.create_fulfillment(call.shop.code, call.order_id, call.wrapped("fulfillment"))
    return json_reply(201, {"fulfillment": fulfillment_body(made.parcel, WRITTEN, made.fresh)})


def _update_fulfillment(call: RequestContext) -> HttpReply:
    """Answer in read-back form even for what was just written, as the documented reply does."""
    fields = call.wrapped("fulfillment")
    to = _puttable(fields["carrier_status_code"]) if "carrier_status_code" in fields else None
    changed = call.world.update(call.ref, fields, to)
    return json_reply(200, {"fulfillment": fulfillment_body(changed.parcel, UPDATED)})


def _put_status(call: RequestContext) -> HttpReply:
    segment = (
        StatusMachine(call.args["machine"].replace("carrier", "delivery")),
        call.args["segment"],
    )
    if segment not in BY_SEGMENT:
        raise NotFound(f"There is no {call.args['machine']} status {segment[1]!r} to set.")
    changed = call.world.put_status(call.ref, BY_SEGMENT[segment])
    return json_reply(
        200, {"fulfillment": fulfillment_body(changed.parcel, WRITTEN, changed.fresh)}
    )


def _puttable(code: object) -> StatusWord:
    status = BY_CODE.get((StatusMachine.DELIVERY, str(code)))
    if status is None or status.segment is None:
        raise Unprocessable(f"carrier_status_code cannot be set to {code!r}.")
    return status


def _list_services(call: RequestContext) -> HttpReply:
    return json_reply(200, {"carrier_services": call.shop.services.rows()})


def _register_service(call: RequestContext) -> HttpReply:
    service = call.shop.services.register(call.wrapped("carrier_service"), call.world.now())
    return json_reply(201, {"carrier_service": service.detail()})


def _read_service(call: RequestContext) -> HttpReply:
    return json_reply(200, {"carrier_service": call.shop.services.get(_service(call)).detail()})


def _change_service(call: RequestContext) -> HttpReply:
    fields = call.wrapped("carrier_service")
    service = call.shop.services.change(_service(call), fields, call.world.now())
    return json_reply(200, {"carrier_service": service.detail()})


def _remove_service(call: RequestContext) -> HttpReply:
    call.shop.services.remove(_service(call))
    return json_reply(200, {})


def _service(call: RequestContext) -> int:
    return int(call.args["service"])


def _order_body(call: RequestContext, order: Order) -> dict[str, Any]:
    return order_body(order, call.shop.parcels_of(order, call.reading.as_of))


# The status codes for a refusal are those that the platform documents for other resources.
_STATUS_OF: Mapping[type[SandboxError], int] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    BadInput: HTTPStatus.BAD_REQUEST,
}


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    pattern: re.Pattern[str]
    handler: Callable[[RequestContext], HttpReply]
    filters: frozenset[str] | None
    """What the query of a reading may say; None where nothing is read by a query."""


_PARCEL = re.compile(r"/orders/(\d+)/fulfillments/(\d+)")
_ORDER = r"/com/orders/(?P<order>\d+)"
_FULFILLMENT = _ORDER + r"/fulfillments/(?P<fulfillment>\d+)"
_SERVICE = r"/com/carrier_services/(?P<service>\d+)\.json"
_FILTERS: Mapping[Callable[[RequestContext], HttpReply], frozenset[str]] = {
    _list_orders: ORDER_FILTERS,
    _count_orders: ORDER_FILTERS,
    _read_order: frozenset({"fields"}),
    _list_fulfillments: PARCEL_FILTERS,
    _count_fulfillments: PARCEL_FILTERS,
    _read_fulfillment: frozenset(),
    _list_services: frozenset(),
    _read_service: frozenset(),
}
_ROUTES = tuple(
    _Route(method, re.compile(pattern), handler, _FILTERS.get(handler))
    for method, pattern, handler in (
        (
            "PUT",
            _FULFILLMENT + r"/(?P<machine>carrier|cod)_status/(?P<segment>\w+)\.json",
            _put_status,
        ),
        ("GET", r"/com/orders\.json", _list_orders),
        ("GET", r"/com/orders/count\.json", _count_orders),
        ("GET", _ORDER + r"\.json", _read_order),
        ("POST", _ORDER + r"/cancel\.json", _cancel_order),
        ("GET", _ORDER + r"/fulfillments\.json", _list_fulfillments),
        ("GET", _ORDER + r"/fulfillments/count\.json", _count_fulfillments),
        ("POST", _ORDER + r"/fulfillments\.json", _create_fulfillment),
        ("GET", _FULFILLMENT + r"\.json", _read_fulfillment),
        ("PUT", _FULFILLMENT + r"\.json", _update_fulfillment),
        ("GET", r"/com/carrier_services\.json", _list_services),
        ("POST", r"/com/carrier_services\.json", _register_service),
        ("GET", _SERVICE, _read_service),
        ("PUT", _SERVICE, _change_service),
        ("DELETE", _SERVICE, _remove_service),
        ("GET", r"/com/shop\.json", read_shop),
        ("POST", TOKEN, issue_tokens),
        ("GET", SUBSCRIBE, list_subscriptions),
        ("POST", SUBSCRIBE, subscribe),
        ("DELETE", SUBSCRIBE, unsubscribe),
    )
)
