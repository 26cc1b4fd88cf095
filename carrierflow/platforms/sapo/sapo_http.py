"""What of HTTP is Sapo's own: where a token stands, and the shapes of an error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from carrierflow.platforms.http.http_dialect import HttpDialect, no_page
from carrierflow.platforms.http.replies import PlatformReply, UnreadableReply, used_calls


__all__ = ["DIALECT", "says_no"]


def says_no(document: Any) -> bool:
    """Tell whether a body is that of an error, of which not every HTTP status is documented."""
    return isinstance(document, dict) and any(map(document.get, ("error", "data_error")))


def _messages(reply: PlatformReply) -> Iterator[str]:
    """Yield what an error says, in the two shapes that are printed.

    One is `data_error.errors`, an object of texts under what they are about; the other is
    `error.message`. Neither holds a code, so they are for people and decide nothing.
    """
    try:
        document = reply.document()
    except UnreadableReply:
        return
    yield from _listed(_member(_member(document, "data_error"), "errors"))
    said = _member(_member(document, "error"), "message")
    if said:
        yield _plain(said)


def _listed(errors: Any) -> Iterator[str]:
    if isinstance(errors, Mapping):
        for about, said in errors.items():
            yield f"{about}: {_plain(said)}" if about else _plain(said)
    elif errors:
        yield _plain(errors)


def _member(body: Any, name: str) -> Any:
    return body.get(name) if isinstance(body, dict) else None


def _plain(said: Any) -> str:
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def _bear(token: str) -> dict[str, str]:
    return {"X-Sapo-Access-Token": token}


DIALECT = HttpDialect(
    budget_event="carrierflow.sapo.budget_not_told",
    headers=_bear,
    used_calls=partial(used_calls, header="X-Sapo-Api-Call-Limit"),
    messages=_messages,
    is_own=no_page,
)
"""The count of calls is documented for Sapo's newer API alone, and used where it comes.

Its gate, as integrators met it, sends pages with 401, 403 and 503.
"""
