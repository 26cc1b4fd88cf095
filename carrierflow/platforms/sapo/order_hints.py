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

from carrierflow.domain.cleaning import in_force
from carrierflow.platforms.http.replies import UnreadableReply, parse_document
from carrierflow.platforms.sapo.printed_values import parse_number


__all__ = ["hinted_order", "is_signed"]


def hinted_order(body: bytes, signature: str | None, *, secrets: Iterable[str]) -> str | None:
    """Return the id of the order that a webhook names; None where it names none, or is unsigned.

    Whoever must tell the two apart asks `is_signed` first.

    Args:
        body: what came, byte by byte.
        signature: the header that signs it, if it came.
        secrets: those in force; several while one replaces the other.
    """
    if not is_signed(body, signature, secrets=secrets):
        return None
    try:
        order = parse_document(body)
        return parse_number(order.get("id"), of="it") if isinstance(order, dict) else None
    except UnreadableReply:
        return None


def is_signed(body: bytes, signature: str | None, *, secrets: Iterable[str]) -> bool:
    """Tell whether a body bears the signature of one of the secrets; an empty one never counts.

    The time this takes depends on neither the signature nor which secret matches.
    """
    given = (signature or "").strip().encode(errors="replace")
    matches = [hmac.compare_digest(_signature(body, one), given) for one in in_force(secrets)]
    return any(matches)


def _signature(body: bytes, secret: str) -> bytes:
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256))
