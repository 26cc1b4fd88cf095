"""Sapo's front door: whose token it is, how often it may ask, and what goes wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from carrierflow.sandbox.exchange import Dropped, HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, Faults
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.sapo.action_judge import SapoExchange
from carrierflow.sandbox.sapo.admin_lists import SapoReading
from carrierflow.sandbox.sapo.admin_routes import BLANK, Target, answer, target_of
from carrierflow.sandbox.sapo.data_errors import message_error
from carrierflow.sandbox.sapo.event_sender import EventSender
from carrierflow.sandbox.sapo.sapo_control import SapoControl
from carrierflow.sandbox.sapo.sapo_faults import LIMIT_HEADER, SapoFault, befall, throttled
from carrierflow.sandbox.wire_faults import AT_THE_DOOR, NEVER_REACHED


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.sapo.sapo_shop import SapoShop
    from carrierflow.sandbox.sapo.sapo_world import SapoWorld


__all__ = ["TOKEN_HEADER", "Sapo"]

TOKEN_HEADER = "X-Sapo-Access-Token"  # noqa: S105 - the name of a header


class Sapo:
    """The whole platform in process: a request goes in, a reply or a dropped connection comes out.

    The token says which shop is meant: all shops share the one address. Webhooks go out through
    `send` when `event_sender.deliver` is called.
    """

    def __init__(
        self,
        world: SapoWorld,
        *,
        faults: Faults | None = None,
        send: Callable[[Outgoing], Answer] = send_over_http,
    ) -> None:
        self.world = world
        self.faults = faults or Faults()
        self.event_sender = EventSender(world, self.faults, send=send)
        self._control = SapoControl(world, self.faults)

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request."""
        if self._control.owns(request):
            return self._control.answer(request)
        with self.world.lock:
            self.world.settle()
            return self._handle(request)

    def _handle(self, request: HttpRequest) -> Outcome:
        shop = self.world.shop_of(request.headers.get(TOKEN_HEADER.lower(), ""))
        if shop is None:
            refusal = message_error(HTTPStatus.UNAUTHORIZED, "Unauthorized").reply()
            return self._seen(request, None, refusal, None)
        fault = self.faults.choose(request.method, request.path, shop.code)
        return self._seen(request, shop, self._admit(request, shop, fault), fault)

    def _admit(self, request: HttpRequest, shop: SapoShop, fault: Fault | None) -> Outcome:
        if fault is not None and fault.kind in AT_THE_DOOR:
            return self._befall(request, shop, fault)
        if not shop.bucket.take(self.world.now()):
            return throttled(shop)
        if request.method != "GET" and not shop.options.may_write:
            return message_error(HTTPStatus.FORBIDDEN, "The token lacks a scope.").reply()
        return self._counted(shop, self._serve(request, shop, fault))

    def _serve(self, request: HttpRequest, shop: SapoShop, fault: Fault | None) -> Outcome:
        if fault is None:
            return answer(self.world, shop, request, SapoReading())
        return self._befall(request, shop, fault)

    def _befall(self, request: HttpRequest, shop: SapoShop, fault: Fault) -> Outcome:
        befallen = SapoFault(
            fault=fault,
            world=self.world,
            shop=shop,
            request=request,
            chance=self.faults.chance,
        )
        return befall(befallen)

    def _counted(self, shop: SapoShop, outcome: Outcome) -> Outcome:
        if not shop.options.tells_limit or isinstance(outcome, Dropped):
            return outcome
        if LIMIT_HEADER in outcome.headers:
            return outcome
        used = shop.bucket.header(self.world.now())
        return replace(outcome, headers={**outcome.headers, LIMIT_HEADER: used})

    def _seen(
        self, request: HttpRequest, shop: SapoShop | None, outcome: Outcome, fault: Fault | None
    ) -> Outcome:
        target = target_of(shop, request) if shop is not None else None
        reply = outcome if isinstance(outcome, HttpReply) else None
        self.world.recorder.saw_exchange(
            SapoExchange(
                at=self.world.now(),
                shop=shop.code if shop is not None else None,
                method=request.method,
                path=request.path,
                status=reply.status if reply is not None else None,
                usable=reply is not None and (reply.is_usable or _says_done(shop, target, reply)),
                reached=fault is None or fault.kind not in NEVER_REACHED,
                target=target,
            )
        )
        return outcome


def _says_done(shop: SapoShop | None, target: Target | None, reply: HttpReply) -> bool:
    """Whether an empty reply is the answer that the documents print."""
    if shop is None or target is None or reply.body:
        return False
    return shop.options.blank_replies and target[1] in BLANK and reply.status == HTTPStatus.OK
