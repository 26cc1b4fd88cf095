"""The seller's side of a shop: a page for people, and the calls that the page makes."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import HTML, HttpReply, HttpRequest, json_reply
from carrierflow.sandbox.haravan.denials import CarrierDeclined
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.parcels import ParcelRef, Recipient
from carrierflow.sandbox.haravan.seller_json import shown
from carrierflow.sandbox.refusals import BadInput, NoAnswer, NotFound, SandboxError, Unprocessable


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.carrier_calls import CarrierCalls
    from carrierflow.sandbox.haravan.world import World


__all__ = ["Seller"]

_ROOT = "/seller"
_FILES: Mapping[str, tuple[str, str]] = {
    _ROOT: ("seller.html", HTML),
    f"{_ROOT}/seller.css": ("seller.css", "text/css; charset=utf-8"),
    f"{_ROOT}/seller.js": ("seller.js", "text/javascript; charset=utf-8"),
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
_STATUS_OF: Mapping[type[SandboxError], int] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    CarrierDeclined: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoAnswer: HTTPStatus.BAD_GATEWAY,
    BadInput: HTTPStatus.BAD_REQUEST,
}


class Seller:
    """Answers the page of a seller; nobody logs in, for there is nothing to protect."""

    def __init__(self, world: World, carrier_calls: CarrierCalls) -> None:
        self._world = world
        self._carrier_calls = carrier_calls
        self._actions: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "orders": self._order,
            "rates": self._rates,
            "ship": self._ship,
            "retry": self._retry,
            "cancel": self._cancel,
            "cancel-order": self._cancel_order,
            "uninstall": self._uninstall,
        }

    def owns(self, request: HttpRequest) -> bool:
        """Whether a request comes from the page, or asks for it."""
        return request.path in {"/", _ROOT} or request.path.startswith(f"{_ROOT}/")

    def answer(self, request: HttpRequest) -> HttpReply:
        """Show the page, or do what a seller wants; what went wrong is one sentence."""
        if request.method == "GET":
            return self._show(request)
        action = self._actions.get(request.path.removeprefix(f"{_ROOT}/"))
        if request.method != "POST" or action is None:
            return failed(HTTPStatus.NOT_FOUND, "There is no such page.")
        try:
            return json_reply(200, action(request.payload()))
        except SandboxError as error:
            return failed(_STATUS_OF[type(error)], str(error))
        except (KeyError, TypeError, ValueError) as error:
            return failed(HTTPStatus.BAD_REQUEST, f"The request cannot be read: {error!r}.")

    def _show(self, request: HttpRequest) -> HttpReply:
        if request.path == "/":
            return HttpReply(status=HTTPStatus.FOUND, headers={"Location": _ROOT})
        if request.path in _FILES:
            name, kind = _FILES[request.path]
            body = (files("carrierflow.sandbox.haravan") / "page" / name).read_bytes()
            return HttpReply(status=200, body=body, headers={"Content-Type": kind, **_HEADERS})
        if request.path != f"{_ROOT}/state":
            return failed(HTTPStatus.NOT_FOUND, "There is no such page.")
        try:
            with self._world.lock:
                self._world.settle()
                return json_reply(200, shown(self._world, request.query.get("shop")))
        except NotFound as error:
            return failed(HTTPStatus.NOT_FOUND, str(error))

    def _order(self, wish: dict[str, Any]) -> dict[str, Any]:
        total = int(wish["total"])
        if total < 0:
            raise BadInput("An order cannot cost less than nothing.")
        recipient = Recipient(**wish.get("recipient", {}))
        with self._world.lock:
            order = self._world.add_order(shop=wish["shop"], total=total, recipient=recipient)
        return {"order_id": order.id}

    def _rates(self, wish: dict[str, Any]) -> dict[str, Any]:
        asked = wish["shop"], int(wish["order_id"]), int(wish["cod_amount"])
        offers, problems = self._carrier_calls.rates(*asked)
        return {"offers": [asdict(offer) for offer in offers], "problems": problems}

    def _ship(self, wish: dict[str, Any]) -> dict[str, Any]:
        parcel = self._carrier_calls.ship(
            wish["shop"],
            int(wish["order_id"]),
            carrier=int(wish["carrier"]),
            service_id=int(wish["service_id"]),
            cod_amount=int(wish["cod_amount"]),
            note=wish.get("note") or None,
        )
        return {
            "fulfillment_id": parcel.ref.fulfillment_id,
            "tracking_number": parcel.tracking_number,
        }

    def _retry(self, wish: dict[str, Any]) -> dict[str, Any]:
        return {"tracking_number": self._carrier_calls.hand_over(_ref(wish)).tracking_number}

    def _cancel(self, wish: dict[str, Any]) -> dict[str, Any]:
        return {"carrier_status": self._carrier_calls.cancel(_ref(wish)).carrier_status}

    def _cancel_order(self, wish: dict[str, Any]) -> dict[str, Any]:
        self._carrier_calls.cancel_order(wish["shop"], int(wish["order_id"]))
        return {"ok": True}

    def _uninstall(self, wish: dict[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            self._world.uninstall(wish["shop"])
        return {"ok": True}


def _ref(wish: Mapping[str, Any]) -> ParcelRef:
    return ParcelRef(wish["shop"], int(wish["order_id"]), int(wish["fulfillment_id"]))
