"""Sapo's webhooks `orders/…`: signed, repeated and out of order, so no more than a hint.

There is no webhook about a fulfillment. What comes is the order itself, not wrapped in anything,
and its `id` is all that is taken: the order is read, and where no webhook comes, it is read when
it is due. The header `X-Sapo-Hmac-Sha256` holds base64 of HMAC-SHA256 over the raw body, made
with the app's secret (integrations in production; Sapo's order API document has no webhooks).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

from carrierflow.carrier_service.dialect import Webhook
from carrierflow.carrier_service.messages import MAX_BODY, Request, header
from carrierflow.carrier_service.routes import Call, Route, RoutedPath
from carrierflow.domain.cleaning import in_force
from carrierflow.platforms.http.replies import UnreadableReply, parse_document
from carrierflow.platforms.sapo.printed_values import parse_number


__all__ = ["SapoHints", "is_signed"]

_SIGNATURE = "X-Sapo-Hmac-SHA256"

_TOPICS = frozenset(
    f"orders/{event}"
    for event in (
        *("create", "update", "cancelled", "finalized", "fulfilled", "paid", "received"),
        *("create_return", "receive_return", "create_refund"),
    )
)
"""The topics about an order; any other is about something else, and counts as unknown."""


class SapoHints:
    """Reads the webhooks of shops on Sapo."""

    mounted_at = "/sapo"
    signature_header: str | None = _SIGNATURE
    route = Route(call=Call.WEBHOOK, methods=("POST",), template="/{shop}/webhooks")

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take the secrets of the app; several while one replaces the other."""
        self._secrets = in_force(secrets)

    def is_admitted(self, request: Request, found: RoutedPath) -> bool:  # noqa: ARG002 (the port's)
        """Tell whether a webhook bears the signature of one of the secrets."""
        signature = header(request, _SIGNATURE)
        return is_signed(request.body, signature, secrets=self._secrets)

    def webhook(self, request: Request) -> Webhook:
        """Read the topic from its header and the order's id from the body."""
        topic = (header(request, "X-Sapo-Topic") or "").strip().lower()
        if topic not in _TOPICS:
            return Webhook(topic="unknown", org_id=None, order_id=None)
        return Webhook(topic=topic, org_id=None, order_id=_order_in(request.body))


def is_signed(body: bytes, signature: str | None, *, secrets: Iterable[str]) -> bool:
    """Tell whether a body bears the signature of one of the secrets; an empty one never counts.

    The time this takes depends on neither the signature nor which secret matches.
    """
    given = (signature or "").strip().encode(errors="replace")
    matches = [hmac.compare_digest(_signature(body, one), given) for one in in_force(secrets)]
    return any(matches)


def _signature(body: bytes, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))


def _order_in(body: bytes) -> str | None:
    """Return the id of the order in a body; None where it names none, or is too long to read."""
    try:
        order = parse_document(body) if len(body) <= MAX_BODY else None
        return parse_number(order.get("id"), of="it") if isinstance(order, dict) else None
    except UnreadableReply:
        return None
