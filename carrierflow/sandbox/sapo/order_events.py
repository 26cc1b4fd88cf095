"""Webhooks: who wants which, what waits to be sent, and what was sent.

Nothing here sends anything. Headers, topics and the bare order as body are those of captured
traffic; that a failed one is tried 19 times more within 48 hours is what a digest of the
documentation says, and that its tries lie evenly apart is assumed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.clocks import TICKS_PER_SECOND
from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.sapo.data_errors import data_error, not_there


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from carrierflow.sandbox.faults import FaultKind
    from carrierflow.sandbox.sapo.sapo_shop import SapoShop


__all__ = ["TOPICS", "OrderEvents", "OrderTopic", "QueuedEvent", "SentEvent"]

TOPICS = frozenset(
    f"orders/{event}"
    for event in (
        *("create", "update", "cancelled", "finalized", "fulfilled", "paid", "received"),
        *("create_return", "receive_return", "create_refund"),
    )
)
RETRIES = 19
_BETWEEN = 48 * 3600 // RETRIES * TICKS_PER_SECOND
_REMEMBERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTopic:
    """A topic that an app wants of a shop, and where."""

    id: int
    shop: str
    topic: str
    address: str
    format: str = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedEvent:
    """One webhook as it was when the thing happened; `version` grows with every event."""

    version: int
    shop: str
    domain: str
    topic: str
    address: str
    order_id: int
    body: bytes
    due: int
    tries: int = 0
    is_held: bool = False
    may_be_passed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """One try to send a webhook; `status` is None where no answer came."""

    event: QueuedEvent
    headers: Mapping[str, str]
    status: int | None
    fault: FaultKind | None


class OrderEvents:
    """The subscriptions of every shop, and the webhooks that are under way."""

    def __init__(self) -> None:
        self.sent: deque[SentEvent] = deque(maxlen=_REMEMBERED)
        self._topics: dict[int, OrderTopic] = {}
        self._waiting: list[QueuedEvent] = []
        self._ids = count(1)
        self._versions = count(1)

    def topics(self, shop: str) -> list[OrderTopic]:
        """Return what is wanted of a shop."""
        return [each for each in self._topics.values() if each.shop == shop]

    def topic(self, shop: str, number: int) -> OrderTopic:
        """Return one subscription of a shop.

        Raises:
            SapoRefusal: if it is not there.
        """
        found = self._topics.get(number)
        if found is None or found.shop != shop:
            raise not_there("Webhook không tồn tại")
        return found

    def subscribe(self, shop: str, topic: str, address: str) -> OrderTopic:
        """Send a topic of a shop to an address from now on.

        Raises:
            SapoRefusal: if there is no such topic, or no address.
        """
        _refuse_unusable(topic, address)
        made = OrderTopic(id=next(self._ids), shop=shop, topic=topic, address=address)
        self._topics[made.id] = made
        return made

    def change(self, shop: str, number: int, fields: Mapping[str, Any]) -> OrderTopic:
        """Change the topic or the address of a subscription.

        Raises:
            SapoRefusal: if it is not there, or cannot be what is asked.
        """
        known = self.topic(shop, number)
        changed = replace(
            known,
            topic=str(fields.get("topic", known.topic)),
            address=str(fields.get("address", known.address)),
        )
        _refuse_unusable(changed.topic, changed.address)
        self._topics[number] = changed
        return changed

    def unsubscribe(self, shop: str, number: int) -> None:
        """End a subscription; what waits already is still sent."""
        del self._topics[self.topic(shop, number).id]

    def put(
        self, shop: SapoShop, topic: str, order_id: int, body: Mapping[str, Any], at: int
    ) -> None:
        """Let a webhook be due for everybody who wants the topic."""
        for wanted in self.topics(shop.code):
            if wanted.topic == topic:
                self._waiting.append(
                    QueuedEvent(
                        version=next(self._versions),
                        shop=shop.code,
                        domain=shop.domain,
                        topic=topic,
                        address=wanted.address,
                        order_id=order_id,
                        body=encode(body),
                        due=at,
                    )
                )

    def waiting(self) -> Iterator[QueuedEvent]:
        """Yield what has not been sent yet, in the order of happening."""
        return iter(sorted(self._waiting, key=lambda each: each.version))

    def take(self, now: int) -> QueuedEvent | None:
        """Take out the webhook that has been due for longest, if any is."""
        due = [each for each in self._waiting if each.due <= now]
        if not due:
            return None
        first = min(due, key=lambda each: (each.due, each.version))
        self._waiting = [
            replace(each, due=now) if each.may_be_passed and each.shop == first.shop else each
            for each in self._waiting
            if each is not first
        ]
        return first

    def hold(self, event: QueuedEvent, due: int, *, may_be_passed: bool) -> None:
        """Keep a webhook back until a later moment, or only until the shop's next one has gone."""
        self._waiting.append(replace(event, due=due, is_held=True, may_be_passed=may_be_passed))

    def failed(self, event: QueuedEvent, now: int) -> None:
        """Note a failure: the webhook is tried again, or given up."""
        if event.tries < RETRIES:
            self._waiting.append(replace(event, tries=event.tries + 1, due=now + _BETWEEN))


def _refuse_unusable(topic: str, address: str) -> None:
    errors = {}
    if topic not in TOPICS:
        errors["topic"] = "invalid"
    if not address.startswith(("http://", "https://")):
        errors["address"] = "invalid"
    if errors:
        raise data_error(errors)
