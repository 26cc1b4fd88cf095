"""The webhook that tells of a shipment's new status: what it says, and how long it is tried.

No page shows it. Assumed is that it has the outer fields of the one that is shown, of stock
(`user_id`, `business_id`, `instance_id`, `event_code`), and of the older API's the tracking codes,
`status` and `status_update_time`; that it is sent for every stage, unsigned; and that it is tried
again until it is answered with a 2xx, or its account's tries are used up.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import count
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.faults import Fault, FaultKind
from carrierflow.sandbox.http_client import Answer, Outgoing
from carrierflow.sandbox.http_client import send as send_over_http
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.onflow.shipment_json import unix_seconds
from carrierflow.sandbox.refusals import NoAnswer


if TYPE_CHECKING:
    from collections.abc import Callable

    from carrierflow.sandbox.faults import Faults
    from carrierflow.sandbox.onflow.api_user import OnflowAccount
    from carrierflow.sandbox.onflow.outbound import OnflowShipment
    from carrierflow.sandbox.onflow.warehouse import OnflowWorld


__all__ = ["STATUS_EVENT", "OnflowHook", "OnflowHookQueue", "OnflowHookSender"]

STATUS_EVENT = "shipment.update_status"
_JSON = {"Content-Type": "application/json"}
_HELD = frozenset({FaultKind.CALL_LATE, FaultKind.CALL_REORDERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OnflowHook:
    """One webhook as it was when the status changed; `number` is the order of changing."""

    number: int
    account: str
    body: bytes
    due: int
    tries: int = 0
    is_held: bool = False
    may_be_passed: bool = False


class OnflowHookQueue:
    """The webhooks that are under way."""

    def __init__(self) -> None:
        self._waiting: list[OnflowHook] = []
        self._numbers = count(1)

    def put(self, account: OnflowAccount, shipment: OnflowShipment, now: int) -> None:
        """Let a webhook be due, if the account wants any."""
        if account.options.webhook_url:
            number = next(self._numbers)
            body = _body(account, shipment, number)
            self.add(OnflowHook(number=number, account=account.code, body=body, due=now))

    def add(self, hook: OnflowHook) -> None:
        """Keep a webhook until it is due."""
        self._waiting.append(hook)

    def take(self, now: int) -> OnflowHook | None:
        """Take out the webhook that has been due for longest; what it passes is due after it."""
        due = [each for each in self._waiting if each.due <= now]
        if not due:
            return None
        first = min(due, key=lambda each: (each.due, each.number))
        self._waiting.remove(first)
        self._waiting = [
            replace(each, due=now) if each.may_be_passed and each.account == first.account else each
            for each in self._waiting
        ]
        return first


class OnflowHookSender:
    """Sends what is due, one attempt each; the world is locked only before and after."""

    def __init__(
        self,
        world: OnflowWorld,
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
        while (hook := self._next()) is not None:
            fault = None if hook.is_held else self._choose(hook)
            if fault is not None and fault.kind in _HELD:
                self._hold(hook, fault)
            else:
                self._try(hook, fault.kind if fault is not None else None)
                tried += 1
        return tried

    def _next(self) -> OnflowHook | None:
        with self._world.lock:
            self._world.settle()
            return self._world.hooks.take(self._world.now())

    def _choose(self, hook: OnflowHook) -> Fault | None:
        with self._world.lock:
            return self._faults.choose_for_call("POST", STATUS_EVENT, hook.account)

    def _hold(self, hook: OnflowHook, fault: Fault) -> None:
        with self._world.lock:
            due = self._world.now() + round(fault.seconds * TICKS_PER_SECOND)
            may_be_passed = fault.kind is FaultKind.CALL_REORDERED
            held = replace(hook, due=due, is_held=True, may_be_passed=may_be_passed)
            self._world.hooks.add(held)

    def _try(self, hook: OnflowHook, kind: FaultKind | None) -> None:
        """Send once, or as its fault wants it; one that is lost is lost, for nobody noticed."""
        if kind is FaultKind.CALL_LOST:
            return
        if kind is FaultKind.CALL_DOUBLED:
            self._has_arrived(hook)
        if not self._has_arrived(hook) or kind is FaultKind.CALL_REPLY_LOST:
            self._try_again(hook)

    def _has_arrived(self, hook: OnflowHook) -> bool:
        url = self._world.accounts[hook.account].options.webhook_url
        try:
            answer = self._send(Outgoing(method="POST", url=url, headers=_JSON, body=hook.body))
        except NoAnswer:
            return False
        return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES

    def _try_again(self, hook: OnflowHook) -> None:
        with self._world.lock:
            options = self._world.accounts[hook.account].options
            pause = round(options.webhook_retry_seconds * TICKS_PER_SECOND)
            if hook.tries + 1 < options.webhook_tries:
                due = self._world.now() + pause
                self._world.hooks.add(replace(hook, due=due, tries=hook.tries + 1))


def _body(account: OnflowAccount, shipment: OnflowShipment, number: int) -> bytes:
    name = f"onflow-webhook-{account.code}-{number}"
    return encode(
        {
            "user_id": account.user_id,
            "business_id": account.business_id,
            "instance_id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "event_code": STATUS_EVENT,
            "tracking_code": shipment.tracking_code,
            "merchant_tracking_code_reference": shipment.reference,
            "courier_tracking_code": shipment.courier_tracking_code,
            "status": account.options.numbers.of(shipment.stage),
            "status_update_time": unix_seconds(shipment.moved_at),
        }
    )
