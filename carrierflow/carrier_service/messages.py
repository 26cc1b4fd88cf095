"""A request and its reply as plain values, so that any web framework can pass them on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


__all__ = ["MAX_BODY", "TOO_LONG", "Request", "Response", "header", "plain_text"]

MAX_BODY = 1024 * 1024
"""The longest body that is read, in bytes; an order is far from it."""

TOO_LONG = f"The body is longer than {MAX_BODY} bytes."


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One HTTP request of the platform; `body` holds its bytes exactly as received."""

    method: str
    path: str
    """The path below the mount point, like `/sms/rates`."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """What the platform is answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def header(request: Request, name: str) -> str | None:
    """Return a header of a request, whatever its case and wherever its dashes stand."""
    wanted = _plain(name)
    return next((text for key, text in request.headers.items() if _plain(key) == wanted), None)


def plain_text(text: str, *, status: int = 200) -> Response:
    """Return an answer in plain text."""
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return Response(status=status, headers=headers, body=text.encode())


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()
