"""The classes of answers that prove nothing, whoever gives them."""

from __future__ import annotations

from collections.abc import Iterator

from carrierflow.sandbox.exchange import Dropped, HttpReply, Outcome, json_reply
from carrierflow.sandbox.wire_faults import page


__all__ = ["CUT", "FOREIGN_REFUSALS", "REDIRECT", "SILENCE", "throttling", "unclear_answers"]

REDIRECT = "/elsewhere"
"""Where redirects lead, and no request ever."""
CUT = Dropped(reason="The connection broke.")
SILENCE = HttpReply(status=200, delay_seconds=1.0)
"""An answer for which nobody waits who waits for `Trial.impatient`."""

FOREIGN_REFUSALS: tuple[Outcome, ...] = (
    *(page(status, "A gate says no") for status in (400, 404, 405, 409, 410, 422)),
    json_reply(404, {"message": "no Route matched with those values"}),
    HttpReply(status=404),
)
"""What a proxy was seen to say in a platform's place."""

_REDIRECTS = (301, 302, 303, 307, 308)
_NO_VERDICT = (408, 425, 499, 500, 502, 503, 504, 520)


def unclear_answers() -> Iterator[tuple[str, Outcome]]:
    """Yield each class of answer from which nobody can tell what became of a request."""
    for status in _REDIRECTS:
        yield f"HTTP {status}", HttpReply(status=status, headers={"Location": REDIRECT})
    for status in _NO_VERDICT:
        yield f"a page with HTTP {status}", page(status, "A gate is busy")
        yield f"HTTP {status} as JSON", json_reply(status, {"message": "busy"})
    yield "a page with HTTP 200", page(200, "We are back soon")
    yield "HTTP 200 without a body", HttpReply(status=200)
    yield "HTTP 200 that is no JSON", HttpReply(status=200, body=b'{"half":')
    yield "HTTP 200 with null", json_reply(200, None)
    yield "HTTP 200 with a list of nothing", json_reply(200, [])
    yield "a connection that breaks", CUT
    broken = HttpReply(status=200, body=b'{"parcel": {"id": 1}}' * 9, is_truncated=True)
    yield "a reply that breaks off", broken


def throttling(seconds: int) -> HttpReply:
    """Return a 429 that asks for a pause."""
    return HttpReply(status=429, headers={"Retry-After": str(seconds)})
