"""Sends the webhooks that wait, and answers the question whether their address is the app's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.haravan.call_log import CallKind
from carrierflow.sandbox.haravan.carrier_client import CarrierClient, PlannedCall
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.refusals import BadInput, NoAnswer, Unprocessable


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.webhook_queue import QueuedWebhook
    from carrierflow.sandbox.haravan.world import World


__all__ = ["WebhookSender"]

_CHALLENGE = "carrierflow-sandbox-challenge"
_DETAINED = frozenset({FaultKind.CALL_LATE, FaultKind.CALL_REORDERED})


class WebhookSender:
    """Takes what is due out of the post, sends it, and says how it went."""

    def __init__(self, world: World, client: CarrierClient) -> None:
        self._world = world
        self._client = client

    def deliver(self) -> int:
        """Send every webhook that is due, the earliest first; return how many were tried."""
        tried = 0
        while (delivery := self._next()) is not None:
            plan = self._plan(delivery)
            fault = None if delivery.is_detained else self._client.fault_for(plan)
            if not self._detained(delivery, fault):
                self._send(delivery, plan, fault)
                tried += 1
        return tried

    def challenge(self) -> None:
        """Ask the webhook address for the answer that only the app can give.

        Raises:
            BadInput: if the app has no such address.
            Refused: if the answer is another one.
            NoAnswer: if there is none.
        """
        app = self._world.app
        if not app.webhook_url:
            raise BadInput("The app has no address for webhooks.")
        query = {"mode": "subscribe", "verify_token": app.verify_token, "challenge": _CHALLENGE}
        asked = urlencode({f"hub.{name}": value for name, value in query.items()})
        call = Outgoing(method="GET", url=f"{app.webhook_url}?{asked}", seconds=app.webhook_seconds)
        answer = self._client.make(PlannedCall(kind=CallKind.CHALLENGE, shop=None, call=call))
        if (answer.status, answer.body.strip()) != (HTTPStatus.OK, _CHALLENGE.encode()):
            raise Unprocessable(f"The webhook address answered the challenge with {answer.status}.")

    def _next(self) -> QueuedWebhook | None:
        with self._world.lock:
            return self._world.webhook_queue.take(self._world.now())

    def _detained(self, delivery: QueuedWebhook, fault: Fault | None) -> bool:
        """Hold back what a fault makes late, or lets the next one overtake."""
        if fault is None or fault.kind not in _DETAINED:
            return False
        with self._world.lock:
            due = self._world.now() + round(fault.seconds * TICKS_PER_SECOND)
            may_be_passed = fault.kind is FaultKind.CALL_REORDERED
            self._world.webhook_queue.detain(delivery, due, may_be_passed=may_be_passed)
        return True

    def _send(self, delivery: QueuedWebhook, plan: PlannedCall, fault: Fault | None) -> None:
        try:
            has_arrived = _is_success(self._client.make(plan, fault))
        except NoAnswer:
            has_arrived = False
        is_lost = fault is not None and fault.kind is FaultKind.CALL_LOST
        with self._world.lock:
            if has_arrived:
                self._world.webhook_queue.arrived(delivery)
            elif not is_lost:  # a lost one is lost for good: nobody noticed
                seconds = self._world.app.retry_seconds
                self._world.webhook_queue.failed(delivery, self._world.now(), seconds)

    def _plan(self, delivery: QueuedWebhook) -> PlannedCall:
        app = self._world.app
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Haravan-Topic": delivery.topic,
            "X-Haravan-Org-Id": str(delivery.org_id),
            "X-Haravan-Subscription-Id": str(delivery.subscription_id),
        }
        if delivery.resource is not None:
            headers["X-Haravan-Order-Id"] = str(delivery.resource)
        call = Outgoing(
            method="POST",
            url=app.webhook_url,
            headers=headers,
            body=delivery.body,
            seconds=app.webhook_seconds,
        )
        return PlannedCall(
            kind=CallKind.WEBHOOK, shop=delivery.shop, call=call, topic=delivery.topic
        )


def _is_success(answer: Answer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES
