"""Who a request says it comes from, by its header `Authorization`."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import unquote


if TYPE_CHECKING:
    from carrierflow.sandbox.exchange import HttpRequest


__all__ = ["bearer_token", "client_of"]


def bearer_token(request: HttpRequest) -> str:
    """Return the bearer token, or nothing if there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def client_of(request: HttpRequest) -> tuple[str, str] | None:
    """Return the name and the secret of a client that sends them in a header, or None."""
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    text = base64.b64decode(coded, validate=False).decode("utf-8", "replace")
    name, _, secret = text.partition(":")
    return unquote(name), unquote(secret)
