"""Onflow's envelope: a reply says yes by a flag in it, whatever its HTTP status says.

Every reply printed is `{data, error, error_code, log_id, messages, total, version, error_detail}`,
and every one of them is a good one. So of a bad one nothing is relied upon but the flag and two
of the general codes of the page "Error code"; no page says with which HTTP status they come.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from carrierflow.platforms.http.replies import PlatformReply, UnreadableReply


__all__ = ["INVALID_TOKEN", "NOT_FOUND", "data_if_good", "error_code", "reference", "words"]

INVALID_TOKEN = "UNAUTHORIZED"  # noqa: S105 (the code of an error)
NOT_FOUND = "NOT_FOUND"

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")  # two of them leave room for a sentence
_FINE = "OK"


def data_if_good(reply: PlatformReply) -> Mapping[str, Any] | None:
    """Return the `data` of a reply that says yes; None where it says no, in either of two ways.

    Raises:
        UnreadableReply: it says neither, or has no `data`.
    """
    document = reply.document()
    flag = document.get("error") if isinstance(document, dict) else None
    if not isinstance(flag, bool):
        raise UnreadableReply("the reply does not say whether it is an error")
    if flag:
        return None
    data = document.get("data")
    if not isinstance(data, dict):
        raise UnreadableReply("`data` of the reply is not an object")
    return data if data.get("success", True) is True else None


def error_code(reply: PlatformReply) -> Any:
    """Return the code of the error that a reply is; None where it names none."""
    return _envelope(reply).get("error_code")


def words(reply: PlatformReply) -> Iterator[str]:
    """Yield what a reply says of an error, as it says it: to be masked before anybody reads it."""
    envelope = _envelope(reply)
    for said in (envelope.get("error_detail"), envelope.get("messages")):
        if said and said != _FINE:
            yield said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
            return


def reference(reply: PlatformReply) -> str:
    """Return by which names Onflow's support finds an error: its code, and its line in a log."""
    envelope = _envelope(reply)
    named = ((name, envelope.get(name)) for name in ("error_code", "log_id"))
    return ", ".join(f"{name} {value}" for name, value in named if _is_name(value))


def _is_name(value: Any) -> bool:
    is_plain = isinstance(value, str | int) and not isinstance(value, bool)
    return is_plain and _NAME.fullmatch(str(value)) is not None


def _envelope(reply: PlatformReply) -> Mapping[str, Any]:
    try:
        document = reply.document()
    except UnreadableReply:
        return {}
    return document if isinstance(document, dict) else {}
