"""One request and what comes of it, with no socket in sight."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from carrierflow.sandbox.jsontext import encode
from carrierflow.sandbox.refusals import BadInput


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["HTML", "Dropped", "HttpReply", "HttpRequest", "Outcome", "json_reply"]

HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """What a client sent; header names are matched without case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(
        cls, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> HttpRequest:
        """Build a request from a URL or a target; the host does not matter here."""
        parts = urlsplit(url)
        return cls(
            method=method.upper(),
            path=parts.path,
            query=MappingProxyType(dict(parse_qsl(parts.query, keep_blank_values=True))),
            headers={name.lower(): value for name, value in (headers or {}).items()},
            body=body,
        )

    def form(self) -> dict[str, str]:
        """Return the fields of a body that is a form; other bytes are no fields at all."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))

    def payload(self) -> dict[str, Any]:
        """Return the body as a JSON object; an empty body is an empty object.

        Raises:
            BadInput: if the body is anything else.
        """
        try:
            payload = json.loads(self.body or b"{}")
        except ValueError as error:
            raise BadInput("The body is not JSON.") from error
        if not isinstance(payload, dict):
            raise BadInput("The body is not a JSON object.")
        return payload


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """An answer; it reaches the client after `delay_seconds`, or only its first half does."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    is_truncated: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether a client can tell from this what became of its request."""
        is_json = self.headers.get("Content-Type", "").startswith("application/json")
        is_answer = self.status < HTTPStatus.INTERNAL_SERVER_ERROR
        return is_answer and is_json and bool(self.body) and not self.is_truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The connection closed without an answer."""

    reason: str


Outcome = HttpReply | Dropped


def json_reply(status: int, payload: Any) -> HttpReply:
    """Return a reply with a JSON body."""
    return HttpReply(status=status, body=encode(payload), headers={"Content-Type": _JSON})
