"""Sends the webhooks that wait, signed with the app's secret, and lets faults befall them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.refusals import NoAnswer
from carrierflow.sandbox.sapo.order_events import SentEvent


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.sapo.order_events import QueuedEvent
    from carrierflow.sandbox.sapo.sapo_store import SapoStore


__all__ = ["SIGNATURE", "EventSender", "event_signature"]

SIGNATURE = "X-Sapo-Hmac-SHA256"
_PATIENCE = 5.0
_WRONG_SECRET = "not-the-secret"  # noqa: S105 - that is the point
_HELD = frozenset({FaultKind.CALL_LATE, FaultKind.CALL_REORDERED})


def event_signature(body: bytes, app_secret: str) -> str:
    """Return the signature of a webhook: HMAC-SHA256 of the exact bytes, in base64."""
    digest = hmac.new(app_secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode("ascii")


class EventSender:
    """Takes what is due, sends it, and says how it went; the world is not locked meanwhile."""

    def __init__(
        self,
        world: SapoStore,
        faults: Faults,
        *,
        send: Callable[[Outgoing], Answer] = send_over_http,
    ) -> None:
        self._world = world
        self._faults = faults
        self._send = send

    def deliver(self) -> int:
        """Send every webhook that is due, the earliest first; return how many were tried."""
        tried = 0
        while (event := self._next()) is not None:
            fault = None if event.is_held else self._fault_for(event)
            if not self._is_held_back(event, fault):
                self._try(event, fault)
                tried += 1
        return tried

    def _next(self) -> QueuedEvent | None:
        with self._world.lock:
            return self._world.events.take(self._world.now())

    def _fault_for(self, event: QueuedEvent) -> Fault | None:
        with self._world.lock:
            return self._faults.choose_for_call("POST", event.topic, event.shop)

    def _is_held_back(self, event: QueuedEvent, fault: Fault | None) -> bool:
        if fault is None or fault.kind not in _HELD:
            return False
        with self._world.lock:
            due = self._world.now() + round(fault.seconds * TICKS_PER_SECOND)
            may_be_passed = fault.kind is FaultKind.CALL_REORDERED
            self._world.events.hold(event, due, may_be_passed=may_be_passed)
        return True

    def _try(self, event: QueuedEvent, fault: Fault | None) -> None:
        kind = fault.kind if fault is not None else None
        if kind is FaultKind.CALL_LOST:
            self._note(event, self._headers(event, kind), None, kind)
            return  # for good: nobody noticed
        times = 2 if kind is FaultKind.CALL_DOUBLED else 1
        answers = [self._once(event, kind) for _ in range(times)]
        if kind is FaultKind.CALL_REPLY_LOST or not _is_success(answers[-1]):
            with self._world.lock:
                self._world.events.failed(event, self._world.now())

    def _once(self, event: QueuedEvent, kind: FaultKind | None) -> Answer | None:
        headers = self._headers(event, kind)
        call = Outgoing(
            method="POST", url=event.address, headers=headers, body=event.body, seconds=_PATIENCE
        )
        try:
            answer = self._send(call)
        except NoAnswer:
            answer = None
        self._note(event, headers, answer, kind)
        return answer

    def _headers(self, event: QueuedEvent, kind: FaultKind | None) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Sapo-Topic": event.topic,
            "X-Sapo-Tenant-Domain": event.domain,
            "X-Sapo-Order-Id": str(event.order_id),
            "X-Sapo-Object-Id": str(event.order_id),
            "X-Sapo-Test": "false",
            "X-Sapo-Webhook-Address": event.address,
            "X-Event-Version": str(event.version),
        }
        if kind is not FaultKind.CALL_UNSIGNED:
            is_wrong = kind is FaultKind.CALL_MISSIGNED
            secret = _WRONG_SECRET if is_wrong else self._world.app_secret
            headers[SIGNATURE] = event_signature(event.body, secret)
        return headers

    def _note(
        self,
        event: QueuedEvent,
        headers: dict[str, str],
        answer: Answer | None,
        kind: FaultKind | None,
    ) -> None:
        status = answer.status if answer is not None else None
        with self._world.lock:
            self._world.events.sent.append(
                SentEvent(event=event, headers=headers, status=status, fault=kind)
            )


def _is_success(answer: Answer | None) -> bool:
    if answer is None:
        return False
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
