"""Webhooks: keep first, act later, and never believe one.

A webhook says that somebody should look; what there is to see, the next run reads for itself.
So it may come late, twice, out of order or not at all, and only the time changes that passes
until the look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from carrierflow.carrier_service.dialect import Dialect, Webhook
from carrierflow.carrier_service.messages import MAX_BODY, Request
from carrierflow.carrier_service.ports import CallbackStore, WebhookDelivery
from carrierflow.domain.clock import Clock
from carrierflow.ledger.ports import Encryptor


__all__ = ["UNINSTALLED", "WebhookReceiver"]

UNINSTALLED = "app/uninstalled"


class WebhookReceiver:
    """Takes webhooks in; each is acted on once, however often it is delivered."""

    def __init__(
        self,
        *,
        dialect: Dialect,
        store: CallbackStore,
        encryptor: Encryptor,
        revoke: Callable[[str], object],
        is_gone: Callable[[str], bool],
        clock: Clock,
    ) -> None:
        self._dialect = dialect
        self._store = store
        self._encryptor = encryptor
        self._revoke = revoke
        self._is_gone = is_gone
        self._clock = clock

    def take(self, request: Request) -> str:
        """Keep a signed webhook and act on it; return its topic.

        Raises:
            MissingSecretKey: if there is no key to encrypt its body with.
            DatabaseUnavailable: if it could not be kept; the platform will send it again.
            PlatformUnavailable: if it could not be acted on; likewise.
        """
        webhook = self._dialect.webhook(request)
        delivery = self._delivery(webhook, request.body)
        ends_here = webhook.topic != UNINSTALLED
        shops = self._store.store_webhook(delivery, acted=ends_here)
        if not ends_here:
            self._leave(self._left(delivery) if shops is None else shops)
            self._store.mark_webhook_handled(delivery, now=self._clock())
        return webhook.topic

    def _left(self, delivery: WebhookDelivery) -> list[str]:
        """Return the shops that an uninstall is about which was acted on before.

        Every uninstall of a shop has the same bytes. So after another install these may be an
        echo of the last one, or news; the platform is asked whether our token still opens.
        """
        return [code for code in self._store.shops_of(delivery.org_id) if self._is_gone(code)]

    def _leave(self, shops: list[str]) -> None:
        for code in shops:
            self._revoke(code)

    def _delivery(self, webhook: Webhook, body: bytes) -> WebhookDelivery:
        name = hashlib.sha256(f"{webhook.org_id}\n{webhook.topic}\n".encode() + body).hexdigest()
        fits = len(body) <= MAX_BODY
        return WebhookDelivery(
            digest=name,
            topic=webhook.topic,
            org_id=webhook.org_id,
            order_id=webhook.order_id,
            received_at=self._clock(),
            ciphertext=self._encryptor.encrypt(body, context=f"webhook:{name}") if fits else None,
        )
