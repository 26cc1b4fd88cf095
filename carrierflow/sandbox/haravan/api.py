"""The platform's front door: who may come in, how often, and what goes wrong on the way."""

from __future__ import annotations

import time
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from carrierflow.sandbox.exchange import Dropped, HttpReply, HttpRequest, Outcome, json_reply
from carrierflow.sandbox.faults import Fault, Faults
from carrierflow.sandbox.haravan.app_endpoints import SUBSCRIBE
from carrierflow.sandbox.haravan.authorization import bearer_token
from carrierflow.sandbox.haravan.call_limit import HEADER
from carrierflow.sandbox.haravan.carrier_callables import CarrierCallables
from carrierflow.sandbox.haravan.carrier_calls import CarrierCalls
from carrierflow.sandbox.haravan.carrier_client import CarrierClient
from carrierflow.sandbox.haravan.control import Control
from carrierflow.sandbox.haravan.denials import Denied
from carrierflow.sandbox.haravan.endpoints import answer
from carrierflow.sandbox.haravan.failed_replies import failed
from carrierflow.sandbox.haravan.fault_effects import (
    RETRY_AFTER,
    FaultContext,
    apply,
)
from carrierflow.sandbox.haravan.list_queries import Reading
from carrierflow.sandbox.haravan.oauth import AUTHORIZE, TOKEN, authorize, shop_asking
from carrierflow.sandbox.haravan.recorder import Exchange
from carrierflow.sandbox.haravan.seller import Seller
from carrierflow.sandbox.haravan.webhook_sender import WebhookSender
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.wire_faults import AT_THE_DOOR, NEVER_REACHED


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World
    from carrierflow.sandbox.legal_steps import Legal


__all__ = ["Haravan"]

_API = "/com/"
_SCOPES = (
    ("/com/orders", "com.{}_orders"),
    ("/com/carrier_services", "com.{}_shippings"),
    (SUBSCRIBE, "wh_api"),
)


class Haravan:
    """The whole platform in process: a request goes in, a reply or a dropped connection comes out.

    It holds the world's lock while it answers, and never while it calls the carrier, which it does
    through `send`; a call that a fault makes late waits in `sleep`. `legal` are the steps by which
    the control call `GET /_sandbox/judge` judges.
    """

    def __init__(
        self,
        world: World,
        *,
        faults: Faults | None = None,
        legal: Legal | None = None,
        send: Callable[[Outgoing], Answer] = send_over_http,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.world = world
        self.faults = faults or Faults()
        client = CarrierClient(world, self.faults, send=send, sleep=sleep)
        self.carrier_calls = CarrierCalls(world, client)
        self.webhook_sender = WebhookSender(world, client)
        if world.callbacks == CarrierCallables():
            world.callbacks = self.carrier_calls.callbacks
        self._seller = Seller(world, self.carrier_calls)
        self._control = Control(world, self.faults, legal, self.webhook_sender)

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request, and make the callbacks that it caused before its client hears."""
        outcome = self.dispatch(request)
        self.world.deliver_callbacks()
        return outcome

    def dispatch(self, request: HttpRequest) -> Outcome:
        """Answer one request; callbacks that it caused wait in the world."""
        if self._control.owns(request):
            return self._control.answer(request)
        if self._seller.owns(request):
            return self._seller.answer(request)
        with self.world.lock:
            self.world.settle()
            return self._dispatch(request)

    def _dispatch(self, request: HttpRequest) -> Outcome:
        if request.path == AUTHORIZE and request.method == "GET":
            return authorize(self.world, request)
        if request.path == TOKEN:
            return self._issue_tokens(request)
        shop = self.world.shop_of(bearer_token(request))
        if shop is None:
            return self._seen(request, None, _unauthorized())
        fault = self.faults.choose(request.method, request.path, shop.code)
        return self._seen(request, shop, self._admit(request, shop, fault), fault)

    def _issue_tokens(self, request: HttpRequest) -> Outcome:
        """Let faults befall the accounts too; they have no bucket, and the recorder no interest."""
        try:
            shop = shop_asking(self.world, request)
        except Denied as denial:
            return json_reply(HTTPStatus.BAD_REQUEST, {"error": str(denial)})
        return self._serve(request, shop, self.faults.choose("POST", TOKEN, shop.code))

    def _admit(self, request: HttpRequest, shop: SandboxShop, fault: Fault | None) -> Outcome:
        if fault is not None and fault.kind in AT_THE_DOOR:
            return apply(self._fault_effect(request, shop, fault))
        missing = self._missing_scope(request, shop)
        if not request.path.startswith(_API):
            return missing or self._serve(request, shop, fault)
        now = self.world.now()
        if not shop.bucket.take(now):
            return _throttled(shop)
        outcome = missing or self._serve(request, shop, fault)
        return _with_header(outcome, shop.bucket.header(now))

    def _missing_scope(self, request: HttpRequest, shop: SandboxShop) -> HttpReply | None:
        grant = self.world.grants.of(bearer_token(request), self.world.now())
        scope = _scope_for(request)
        may = grant is not None and (scope is None or grant.allows(scope))
        if may and (request.method == "GET" or shop.options.may_write):
            return None
        return failed(HTTPStatus.FORBIDDEN, f"The token lacks the scope {scope}.")

    def _serve(self, request: HttpRequest, shop: SandboxShop, fault: Fault | None) -> Outcome:
        if fault is None:
            return answer(self.world, shop, request, Reading())
        return apply(self._fault_effect(request, shop, fault))

    def _fault_effect(self, request: HttpRequest, shop: SandboxShop, fault: Fault) -> FaultContext:
        return FaultContext(
            fault=fault,
            world=self.world,
            shop=shop,
            request=request,
            chance=self.faults.chance,
        )

    def _seen(
        self,
        request: HttpRequest,
        shop: SandboxShop | None,
        outcome: Outcome,
        fault: Fault | None = None,
    ) -> Outcome:
        reply = outcome if isinstance(outcome, HttpReply) else None
        self.world.recorder.saw_exchange(
            Exchange(
                at=self.world.now(),
                shop=shop.code if shop else None,
                method=request.method,
                path=request.path,
                status=reply.status if reply else None,
                usable=reply.is_usable if reply else False,
                reached=fault is None or fault.kind not in NEVER_REACHED,
            )
        )
        return outcome


def _scope_for(request: HttpRequest) -> str | None:
    """Return the scope that a request needs; the shop may be read with any token."""
    verb = "read" if request.method == "GET" else "write"
    return next(
        (scope.format(verb) for path, scope in _SCOPES if request.path.startswith(path)), None
    )


def _unauthorized() -> HttpReply:
    reply = failed(HTTPStatus.UNAUTHORIZED, "The token is missing or wrong.")
    return _added(reply, {"WWW-Authenticate": "Bearer"})


def _throttled(shop: SandboxShop) -> HttpReply:
    reply = failed(HTTPStatus.TOO_MANY_REQUESTS, "Too Many Requests")
    return _added(reply, {"Retry-After": RETRY_AFTER, HEADER: shop.bucket.full_header})


def _with_header(outcome: Outcome, used: str) -> Outcome:
    if isinstance(outcome, Dropped) or HEADER in outcome.headers:
        return outcome
    return _added(outcome, {HEADER: used})


def _added(reply: HttpReply, headers: Mapping[str, str]) -> HttpReply:
    return replace(reply, headers={**reply.headers, **headers})
