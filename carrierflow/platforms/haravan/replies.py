"""One HTTP reply, and what its headers and its refusal say; safe to print, whatever it holds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

from carrierflow.domain.limits import cut
from carrierflow.platforms.haravan.codec import UnreadableReply, parse_document


__all__ = ["PlatformReply", "masked", "refusal", "retry_after", "used_calls"]

_CALL_LIMIT = "X-Haravan-Api-Call-Limit"
_LONGEST_REASON = 200
_LONGEST_READ = 4096
_USED = re.compile(r"\s*(\d{1,6})\s*/\s*\d{1,6}\s*", flags=re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d+)?", flags=re.ASCII)

# In this order: a quoted value may hold any of the others.
_PERSONAL = (
    re.compile(r"\"[^\"]*\"|“[^”]*”|\u2018[^\u2019]*\u2019|«[^»]*»|(?<!\w)'[^']*'(?!\w)"),
    re.compile(r"\S+@\S+"),
    re.compile(r"https?://\S+", flags=re.IGNORECASE),
    re.compile(r"\+?\d(?:[\s().-]{0,2}\d){7,}"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformReply:
    """What came back for one request, read to the end or to where reading failed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    flaw: str | None
    """Why the body is not whole, if it is not."""
    asked_at: datetime
    seen_at: datetime

    def document(self) -> Any:
        """Return the JSON value of the body.

        Raises:
            UnreadableReply: the body is not whole, empty or no JSON.
        """
        if self.flaw is not None:
            raise UnreadableReply(self.flaw)
        return parse_document(self.body)


def used_calls(reply: PlatformReply) -> int | None:
    """Return how many calls the platform has on its books for us: the 32 of `32/80`.

    The header is documented in Haravan's API call limit page.
    """
    match = _USED.fullmatch(reply.headers.get(_CALL_LIMIT, ""))
    return int(match[1]) if match else None


def retry_after(reply: PlatformReply) -> float | None:
    """Return the seconds of the `Retry-After` header: whole, decimal (`2.0`), or as a date.

    They may be any number up to infinity; what is no such thing is None.
    """
    text = reply.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - reply.seen_at).total_seconds())


def refusal(reply: PlatformReply, *, secret: str) -> str:
    """Return why the platform refused, short and without anything that could be personal.

    `errors` comes in three shapes (Customer address API reference): an object of lists, the same
    under `base`, or plain text. A body in any other shape is named by its digest.
    """
    said = "; ".join(_messages(reply))
    said = said.replace(secret, "…") if secret else said
    if not said:
        digest = hashlib.sha256(reply.body).hexdigest()[:12]
        return f"HTTP {reply.status}, with {len(reply.body)} bytes of digest {digest}"
    return cut(f"HTTP {reply.status}: {masked(said)}", _LONGEST_REASON)


def _messages(reply: PlatformReply) -> Iterator[str]:
    try:
        document = reply.document()
    except UnreadableReply:
        return
    errors = document.get("errors") if isinstance(document, dict) else None
    if isinstance(errors, Mapping):
        for name, said in errors.items():
            prefix = "" if name == "base" else f"{name}: "
            yield prefix + (
                ", ".join(map(_plain, said)) if isinstance(said, list) else _plain(said)
            )
    elif isinstance(errors, list):
        yield from map(_plain, errors)
    elif errors:
        yield _plain(errors)


def _plain(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said)


def masked(said: str) -> str:
    """Return what the platform says without anything that could be personal."""
    text = "".join(char if char.isprintable() else " " for char in said[:_LONGEST_READ])
    for pattern in _PERSONAL:
        text = pattern.sub("…", text)
    return " ".join(_without_names(text.split()))


def _without_names(words: list[str]) -> Iterator[str]:
    # Two capitalised words in a row may be somebody's name or street.
    for capitalised, run in groupby(words, key=lambda word: word.lstrip("([{")[:1].isupper()):
        together = list(run)
        yield from ["…"] if capitalised and len(together) > 1 else together
