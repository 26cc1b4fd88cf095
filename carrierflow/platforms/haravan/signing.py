"""How Haravan signs what it sends: base64 of HMAC-SHA256 over the raw body.

Carrier callbacks and webhooks are signed alike, with the app's client secret (Connect carrier
tutorial; webhook tutorial). There is no timestamp and no nonce, so a signature says who sent
the bytes and not when: whoever acts on them must be idempotent.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

from carrierflow.domain.cleaning import in_force


if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["is_signed", "sign"]


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body, over its bytes exactly as received."""
    digest = hmac.digest(secret.encode(), body, hashlib.sha256)
    return base64.b64encode(digest).decode("ascii")


def is_signed(body: bytes, signature: str | None, *, secrets: Iterable[str]) -> bool:
    """Tell whether a body bears the signature of one of these secrets.

    Several secrets are valid while one replaces the other; an empty one never is. The time this
    takes depends on neither the signature nor which secret matches.
    """
    given = (signature or "").strip().encode(errors="replace")
    matches = [
        hmac.compare_digest(sign(body, secret).encode(), given) for secret in in_force(secrets)
    ]
    return any(matches)
