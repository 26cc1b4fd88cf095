"""Onflow's webhooks: nobody signs them, so they say no more than which shipment to look at.

Onflow's documents show neither a signature nor the body for a shipment's status. What they print
of its older API bears a `tracking_code` at the top; the stock's event bears none. So a secret
stands in the address that Onflow is given, and what a body claims is never believed: the detail
is read, and where no webhook comes, it is read when it is due.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from carrierflow.carrier_service.dialect import Webhook
from carrierflow.carrier_service.messages import MAX_BODY, Request
from carrierflow.carrier_service.routes import Call, Route, RoutedPath
from carrierflow.domain.cleaning import in_force
from carrierflow.platforms.http.replies import UnreadableReply, parse_document
from carrierflow.platforms.onflow.tracking_codes import is_tracking_code


__all__ = ["OnflowHints", "is_admitted"]


class OnflowHints:
    """Reads the webhooks of accounts on Onflow."""

    mounted_at = "/onflow"
    signature_header: str | None = None
    route = Route(call=Call.WEBHOOK, methods=("POST",), template="/{shop}/webhooks/{secret}")

    def __init__(self, secrets: Iterable[str]) -> None:
        """Take what may stand in an address; several while one replaces the other."""
        self._secrets = in_force(secrets)

    def is_admitted(self, request: Request, found: RoutedPath) -> bool:  # noqa: ARG002 (the port's)
        """Tell whether a webhook came to an address that bears one of the secrets."""
        return is_admitted(found.secret, secrets=self._secrets)

    def webhook(self, request: Request) -> Webhook:
        """Read the tracking code, which names order and fulfillment at once.

        The topic is ours: how Onflow calls the event is not documented.
        """
        code = _shipment_in(request.body)
        return Webhook(topic="shipment" if code else "unknown", org_id=None, order_id=code)


def is_admitted(given: str, *, secrets: Iterable[str]) -> bool:
    """Tell whether an address bears one of the secrets; an empty one never lets anybody in.

    The time this takes depends on neither the secret given nor which one matches.
    """
    matches = [hmac.compare_digest(_digest(given), _digest(one)) for one in in_force(secrets)]
    return any(matches)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()


def _shipment_in(body: bytes) -> str | None:
    """Return the code in a body; None where it names no shipment, or is too long to read."""
    try:
        event: Any = parse_document(body) if len(body) <= MAX_BODY else None
    except UnreadableReply:
        return None
    code = event.get("tracking_code") if isinstance(event, dict) else None
    return code if isinstance(code, str) and is_tracking_code(code) else None
