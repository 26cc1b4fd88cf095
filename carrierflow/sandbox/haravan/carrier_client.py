"""Signs the calls to the carrier, lets faults befall them, and keeps a record."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.haravan.call_log import CallEntry, CallKind
from carrierflow.sandbox.haravan.carrier_callables import SIGNATURE_HEADER, sign
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.refusals import NoAnswer


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.haravan.world import World


__all__ = ["WEBHOOK_SIGNATURE_HEADER", "CarrierClient", "PlannedCall"]

WEBHOOK_SIGNATURE_HEADER = "X-Haravan-Hmacsha256"
_WRONG_SECRET = "not-the-secret"  # noqa: S105 - that is the point


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call that is to be made: for what, in which shop, and to whom."""

    kind: CallKind
    shop: str | None
    call: Outgoing
    topic: str | None = None


class CarrierClient:
    """Makes calls, one attempt each; the world is locked only before and after a call."""

    def __init__(
        self,
        world: World,
        faults: Faults,
        *,
        send: Callable[[Outgoing], Answer] = send_over_http,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._world = world
        self._faults = faults
        self._send = send
        self._sleep = sleep

    def fault_for(self, plan: PlannedCall) -> Fault | None:
        """Choose what goes wrong with a call; a webhook's rules match its topic, not its path."""
        path = plan.topic or urlsplit(plan.call.url).path
        with self._world.lock:
            return self._faults.choose_for_call(plan.call.method, path, plan.shop or "")

    def make(self, plan: PlannedCall, fault: Fault | None = None) -> Answer:
        """Make a call as a fault wants it.

        Raises:
            NoAnswer: if no answer was heard.
        """
        kind = fault.kind if fault is not None else None
        if kind is FaultKind.CALL_LOST:
            self._note(plan, kind, time.monotonic(), None, "The call was lost.")
            raise NoAnswer("The carrier did not answer.")
        if fault is not None and kind is FaultKind.CALL_LATE:
            self._sleep(fault.seconds)
        if kind is FaultKind.CALL_DOUBLED:
            self._make(plan, kind)
        answer = self._make(plan, kind)
        if kind is FaultKind.CALL_REPLY_LOST:
            raise NoAnswer("The carrier's answer was lost.")
        return answer

    def _make(self, plan: PlannedCall, kind: FaultKind | None) -> Answer:
        started = time.monotonic()
        signed = replace(plan, call=self._signed(plan, kind))
        try:
            answer = self._send(signed.call)
        except NoAnswer as error:
            self._note(signed, kind, started, None, str(error))
            raise
        self._note(signed, kind, started, answer, None)
        return answer

    def _signed(self, plan: PlannedCall, kind: FaultKind | None) -> Outgoing:
        """Sign the exact bytes; a challenge has none, and is not signed."""
        if kind is FaultKind.CALL_UNSIGNED or plan.kind is CallKind.CHALLENGE:
            return plan.call
        wrong = kind is FaultKind.CALL_MISSIGNED
        secret = _WRONG_SECRET if wrong else self._world.app.client_secret
        name = WEBHOOK_SIGNATURE_HEADER if plan.kind is CallKind.WEBHOOK else SIGNATURE_HEADER
        headers = {**plan.call.headers, name: sign(plan.call.body, secret)}
        return replace(plan.call, headers=headers)

    def _note(
        self,
        plan: PlannedCall,
        fault: FaultKind | None,
        started: float,
        answer: Answer | None,
        problem: str | None,
    ) -> None:
        names = {name.lower() for name in plan.call.headers}
        with self._world.lock:
            self._world.calls.note(
                CallEntry(
                    number=self._world.calls.next_number(),
                    at=self._world.now(),
                    shop=plan.shop,
                    kind=plan.kind,
                    topic=plan.topic,
                    method=plan.call.method,
                    url=plan.call.url,
                    body=plan.call.body.decode("utf-8", "replace"),
                    is_signed=any("hmac" in name for name in names),
                    status=answer.status if answer is not None else None,
                    answer=answer.body.decode("utf-8", "replace") if answer is not None else "",
                    problem=problem,
                    fault=fault,
                    seconds=round(time.monotonic() - started, 3),
                )
            )
