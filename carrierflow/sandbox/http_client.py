"""A call to the carrier over HTTP: one request out, one answer in, within a time limit."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from carrierflow.sandbox.refusals import NoAnswer


if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = ["Answer", "Outgoing", "send"]

_LONGEST_ANSWER = 1 << 20
_PIECE = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One request to the carrier, signed or not, as it goes over the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes = b""


def send(call: Outgoing) -> Answer:
    """Make a call on a connection of its own; redirects are not followed.

    Raises:
        NoAnswer: if nobody listens, the answer is not HTTP, too long, or not there in time.
    """
    try:
        parts = urlsplit(call.url)
        with closing(_connection(parts, call.seconds)) as connection:
            return _exchange(connection, _target(parts), call)
    except TimeoutError as error:
        raise NoAnswer(f"The carrier did not answer within {call.seconds:g} seconds.") from error
    except (OSError, HTTPException, ValueError) as error:  # the last for what is no address
        raise NoAnswer(f"The carrier could not be reached: {_reason(error)}.") from error


def _exchange(connection: HTTPConnection, target: str, call: Outgoing) -> Answer:
    deadline = time.monotonic() + call.seconds
    connection.request(call.method, target, call.body, dict(call.headers))
    response = connection.getresponse()
    return Answer(status=response.status, body=_read(response, deadline))


def _connection(parts: SplitResult, seconds: float) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=seconds)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _read(response: HTTPResponse, deadline: float) -> bytes:
    """Read an answer piece by piece, so that one that trickles in cannot outlast the limit."""
    body = b""
    while piece := response.read1(_PIECE):
        body += piece
        if len(body) > _LONGEST_ANSWER:
            raise NoAnswer("The carrier's answer is longer than a mebibyte.")
        if time.monotonic() > deadline:
            raise TimeoutError
    return body


def _reason(error: Exception) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__
