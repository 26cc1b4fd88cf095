"""One HTTP reply, and what its headers and its refusal say; safe to print, whatever it holds."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any, NoReturn

import msgspec

from carrierflow.domain.limits import cut
from carrierflow.errors import PlatformError


__all__ = [
    "PlatformReply",
    "UnreadableReply",
    "is_page",
    "masked",
    "parse_document",
    "refusal",
    "retry_after",
    "used_calls",
]

_fast = msgspec.json.Decoder(float_hook=str)
_LONGEST_REASON = 200
_LONGEST_READ = 4096
_LONGEST_NUMBER = 40
_BLANK = b"\xef\xbb\xbf \t\r\n"
_USED = re.compile(r"\s*(\d{1,6})\s*/\s*\d{1,6}\s*", flags=re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d+)?", flags=re.ASCII)

# In this order: a quoted value may hold any of the others.
_PERSONAL = (
    re.compile(r"\"[^\"]*\"|“[^”]*”|\u2018[^\u2019]*\u2019|«[^»]*»|(?<!\w)'[^']*'(?!\w)"),
    re.compile(r"\S+@\S+"),
    re.compile(r"https?://\S+", flags=re.IGNORECASE),
    re.compile(r"\+?\d(?:[\s().-]{0,2}\d){7,}"),
)


class UnreadableReply(PlatformError):  # noqa: N818 (as in the tree: what happened, no "Error")
    """A reply of the platform that lacks what every reply of its kind must have."""


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


def parse_document(body: bytes) -> Any:
    """Return the JSON value of a reply, with every decimal number as the text that was printed.

    Raises:
        UnreadableReply: it is empty or no JSON; the error holds nothing of the body.
    """
    if not body.strip():
        raise UnreadableReply("the reply is empty")
    # What the fast reader takes it reads as the json module does, to the byte; what it does not
    # take may be no JSON, or only more than it knows: a mark of byte order, half of a character.
    with suppress(msgspec.MsgspecError, ValueError, RecursionError):
        return _fast.decode(body)
    # A number of thousands of digits is none that `int` takes, and stays text; the plain reading
    # of numbers is the fast one.
    for parse_int in (None, _whole):
        try:
            return json.loads(
                body, parse_float=str, parse_int=parse_int, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError):
            continue
    # Raised out here because the error of the json module carries the whole body, names and
    # phones included, and would come along as the context.
    raise UnreadableReply(f"the reply of {len(body)} bytes is not JSON")


def used_calls(reply: PlatformReply, *, header: str) -> int | None:
    """Return how many calls the platform has on its books for us: the 32 of `32/80`."""
    match = _USED.fullmatch(reply.headers.get(header, ""))
    return int(match[1]) if match else None


def is_page(reply: PlatformReply) -> bool:
    """Tell whether a reply is a page for people: a gate's word, and not the platform's."""
    kind = reply.headers.get("Content-Type", "").lower()
    return "html" in kind or reply.body.lstrip(_BLANK)[:1] == b"<"


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


def refusal(reply: PlatformReply, messages: Iterable[str], *, secret: str) -> str:
    """Return why the platform refused, short and without anything that could be personal.

    A body in which no messages were found is named by its digest.
    """
    said = "; ".join(messages)
    said = said.replace(secret, "…") if secret else said
    if not said:
        digest = hashlib.sha256(reply.body).hexdigest()[:12]
        return f"HTTP {reply.status}, with {len(reply.body)} bytes of digest {digest}"
    return cut(f"HTTP {reply.status}: {masked(said)}", _LONGEST_REASON)


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


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
