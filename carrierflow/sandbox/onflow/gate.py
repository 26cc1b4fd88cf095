"""Onflow's front door: who may come in, how often, and what goes wrong on the way."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from carrierflow.sandbox.exchange import HttpReply, HttpRequest, Outcome
from carrierflow.sandbox.faults import Fault, Faults
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.onflow.b2c_endpoints import OnflowCall, OnflowPaths, OnflowRoutes
from carrierflow.sandbox.onflow.cancel_judge import OnflowExchange
from carrierflow.sandbox.onflow.envelope import OnflowProblem, failure
from carrierflow.sandbox.onflow.mishaps import OnflowMishap, befall, throttled
from carrierflow.sandbox.onflow.onflow_control import OnflowControl
from carrierflow.sandbox.onflow.status_hooks import OnflowHookSender
from carrierflow.sandbox.onflow.status_numbers import OnflowLanguage
from carrierflow.sandbox.wire_faults import AT_THE_DOOR, NEVER_REACHED, page


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.onflow.api_user import OnflowAccount
    from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = ["Onflow"]

_WAIT = "1"


class Onflow:
    """The whole platform in process: a request goes in, a reply or a dropped connection comes out.

    It holds the world's lock while it answers. Webhooks wait until `hook_sender` delivers them,
    through `send`.
    """

    def __init__(
        self,
        world: OnflowWorld,
        *,
        faults: Faults | None = None,
        paths: OnflowPaths | None = None,
        send: Callable[[Outgoing], Answer] = send_over_http,
    ) -> None:
        self.world = world
        self.faults = faults or Faults()
        self.hook_sender = OnflowHookSender(world, self.faults, send=send)
        self._routes = OnflowRoutes(paths or OnflowPaths())
        self._control = OnflowControl(world, self.faults)

    def handle(self, request: HttpRequest) -> Outcome:
        """Answer one request."""
        if self._control.owns(request):
            return self._control.answer(request)
        with self.world.lock:
            self.world.settle()
            return self._handle(request)

    def _handle(self, request: HttpRequest) -> Outcome:
        account = self.world.account_of(request.headers.get("authorization", ""))
        if account is None:
            return self._seen(request, None, self._stranger(request))
        arrival = self.world.recorder.arrival()
        fault = self.faults.choose(request.method, request.path, account.code)
        call = OnflowCall(world=self.world, account=account, request=request, arrival=arrival)
        outcome = self._seen(request, account, self._admit(call, fault), fault)
        if isinstance(outcome, HttpReply) and outcome.is_usable:
            self.world.recorder.saw_reply(arrival, outcome.body)
        return outcome

    def _admit(self, call: OnflowCall, fault: Fault | None) -> Outcome:
        if fault is not None and fault.kind in AT_THE_DOOR:
            return self._befall(call, fault)
        if not call.account.bucket.take(self.world.now()):
            return throttled(call, _WAIT if call.account.options.tells_wait else None)
        if not self._routes.has(call.request.path):
            return page(HTTPStatus.NOT_FOUND, "404 Not Found")
        if fault is not None:
            return self._befall(call, fault)
        return self._routes.answer(call)

    def _befall(self, call: OnflowCall, fault: Fault) -> Outcome:
        return befall(
            OnflowMishap(fault=fault, call=call, routes=self._routes, chance=self.faults.chance)
        )

    def _stranger(self, request: HttpRequest) -> HttpReply:
        """Answer whoever has no token, or puts a scheme before it."""
        return failure(
            OnflowProblem.UNAUTHORIZED,
            status=HTTPStatus.UNAUTHORIZED,
            log_id=self.world.next_log_id(),
            language=OnflowLanguage.wanted(request.headers.get("accept-language", "")),
        )

    def _seen(
        self,
        request: HttpRequest,
        account: OnflowAccount | None,
        outcome: Outcome,
        fault: Fault | None = None,
    ) -> Outcome:
        reply = outcome if isinstance(outcome, HttpReply) else None
        self.world.recorder.saw_exchange(
            OnflowExchange(
                at=self.world.now(),
                account=account.code if account else None,
                method=request.method,
                path=request.path,
                status=reply.status if reply else None,
                usable=reply.is_usable if reply else False,
                reached=fault is None or fault.kind not in NEVER_REACHED,
            )
        )
        return outcome
