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

from carrierflow.domain.cleaning import in_force
from carrierflow.errors import InvalidInput
from carrierflow.platforms.http.replies import UnreadableReply, parse_document
from carrierflow.platforms.onflow.tracking_codes import is_tracking_code


__all__ = ["hinted_shipment", "is_admitted"]


def hinted_shipment(body: bytes, *, given: str, secrets: Iterable[str]) -> str | None:
    """Return the tracking code that a webhook names; None where it names none.

    Args:
        body: what came, as it came.
        given: the secret in the address that it came to.
        secrets: those in force; several while one replaces the other.

    Raises:
        InvalidInput: the address bears none of the secrets; the body was not looked at.
    """
    if not is_admitted(given, secrets=secrets):
        raise InvalidInput("The address of this webhook bears no secret that is in force.")
    try:
        event: Any = parse_document(body)
    except UnreadableReply:
        return None
    code = event.get("tracking_code") if isinstance(event, dict) else None
    return code if isinstance(code, str) and is_tracking_code(code) else None


def is_admitted(given: str, *, secrets: Iterable[str]) -> bool:
    """Tell whether an address bears one of the secrets; an empty one never lets anybody in.

    The time this takes depends on neither the secret given nor which one matches.
    """
    matches = [hmac.compare_digest(_digest(given), _digest(one)) for one in in_force(secrets)]
    return any(matches)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()
