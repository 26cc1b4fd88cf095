"""Signing what is pushed, as the Standard Webhooks specification has it: HMAC-SHA256, `v1`."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

from carrierflow.errors import ConfigurationError


__all__ = ["read_secret", "signed_headers"]

PREFIX = "whsec_"
BYTES = range(24, 65)
"""How long a secret is; in bytes."""


def read_secret(text: str) -> bytes:
    """Return the bytes of a secret that is written as the specification writes them.

    Raises:
        ConfigurationError: if it is none; what was given is not repeated.
    """
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        secret = b""
    if not text.startswith(PREFIX) or len(secret) not in BYTES:
        raise ConfigurationError(
            f"A secret of destinations is {PREFIX} and {BYTES[0]} to {BYTES[-1]} bytes in base64; "
            "`openssl rand -base64 32` makes what comes after the underscore."
        )
    return secret


def signed_headers(
    message_id: str, body: bytes, secrets: Sequence[bytes], *, seconds: int
) -> Mapping[str, str]:
    """Return the headers that prove a body, signed with each secret; `seconds` are Unix's."""
    content = b".".join((message_id.encode(), str(seconds).encode(), body))
    signatures = [hmac.digest(secret, content, "sha256") for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(s).decode()}" for s in signatures),
    }
