"""Webhooks that wait to be sent: which shops want them, and how long Haravan keeps trying.

Nothing here sends anything. Whoever does takes what is due and says how it went.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

from carrierflow.sandbox.clocks import TICKS_PER_SECOND


if TYPE_CHECKING:
    from collections.abc import Iterator

    from carrierflow.sandbox.haravan.shop_state import SandboxShop


__all__ = ["FAILURES_ALLOWED", "UNINSTALLED", "QueuedWebhook", "WebhookQueue", "WebhookTarget"]

FAILURES_ALLOWED = 19
UNINSTALLED = "app/uninstalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTarget:
    """A shop whose webhooks the app wants; `failures` counts those in a row."""

    id: int
    shop: str
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedWebhook:
    """One webhook as it was when the thing happened; `number` is the order of happening."""

    number: int
    subscription_id: int
    shop: str
    org_id: int
    topic: str
    resource: int | None
    body: bytes
    due: int
    tries: int = 0
    is_detained: bool = False
    may_be_passed: bool = False


class WebhookQueue:
    """The subscriptions of every shop, and the webhooks that are under way."""

    def __init__(self) -> None:
        self._subscriptions: dict[str, WebhookTarget] = {}
        self._waiting: list[QueuedWebhook] = []
        self._ids = count(1)
        self._numbers = count(1)

    def subscription(self, shop: str) -> WebhookTarget | None:
        """Return the subscription of a shop, if the app has one there."""
        return self._subscriptions.get(shop)

    def waiting(self) -> Iterator[QueuedWebhook]:
        """Yield what has not been sent yet, in the order of happening."""
        return iter(sorted(self._waiting, key=lambda each: each.number))

    def subscribe(self, shop: str) -> WebhookTarget:
        """Send a shop's webhooks from now on; a second time changes nothing."""
        known = self._subscriptions.get(shop)
        if known is None:
            known = self._subscriptions[shop] = WebhookTarget(id=next(self._ids), shop=shop)
        return known

    def unsubscribe(self, shop: str) -> None:
        """Send no more webhooks of a shop, those under way included."""
        self._subscriptions.pop(shop, None)
        self._waiting = [each for each in self._waiting if each.shop != shop]

    def put(
        self, shop: SandboxShop, topic: str, resource: int | None, body: bytes, at: int
    ) -> None:
        """Let a webhook be due, if the app has subscribed to the shop."""
        subscription = self._subscriptions.get(shop.code)
        if subscription is not None:
            self._waiting.append(
                QueuedWebhook(
                    number=next(self._numbers),
                    subscription_id=subscription.id,
                    shop=shop.code,
                    org_id=shop.org_id,
                    topic=topic,
                    resource=resource,
                    body=body,
                    due=at,
                )
            )

    def take(self, now: int) -> QueuedWebhook | None:
        """Take out the webhook that has been due for longest, if any is."""
        due = [each for each in self._waiting if each.due <= now]
        if not due:
            return None
        first = min(due, key=lambda each: (each.due, each.number))
        self._waiting = [
            replace(each, due=now) if each.may_be_passed and each.shop == first.shop else each
            for each in self._waiting
            if each is not first
        ]
        return first

    def detain(self, delivery: QueuedWebhook, due: int, *, may_be_passed: bool) -> None:
        """Hold a webhook back until a later moment, or only until the shop's next one has gone."""
        held = replace(delivery, due=due, is_detained=True, may_be_passed=may_be_passed)
        self._waiting.append(held)

    def arrived(self, delivery: QueuedWebhook) -> None:
        """Note that a webhook was answered with a 2xx."""
        known = self._subscriptions.get(delivery.shop)
        if known is not None:
            self._subscriptions[delivery.shop] = replace(known, failures=0)

    def failed(self, delivery: QueuedWebhook, now: int, retry_seconds: float) -> None:
        """Note a failure: the webhook is tried again, or its subscription is given up."""
        tries, known = delivery.tries + 1, self._subscriptions.get(delivery.shop)
        if known is None and delivery.topic != UNINSTALLED:
            return
        failures = known.failures + 1 if known is not None else tries
        if failures >= FAILURES_ALLOWED:
            self.unsubscribe(delivery.shop)
            return
        if known is not None:
            self._subscriptions[delivery.shop] = replace(known, failures=failures)
        due = now + round(retry_seconds * TICKS_PER_SECOND)
        self._waiting.append(replace(delivery, tries=tries, due=due))

    def last_word(self, shop: str) -> None:
        """Forget a subscription but send what waits: the news of an uninstall is the last."""
        self._subscriptions.pop(shop, None)
