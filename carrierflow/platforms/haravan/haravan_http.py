"""What of HTTP is Haravan's own: a bearer token, the count of calls, the shapes of an error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from carrierflow.platforms.http.client import PlatformClient
from carrierflow.platforms.http.http_dialect import HttpDialect
from carrierflow.platforms.http.replies import PlatformReply, UnreadableReply, used_calls
from carrierflow.platforms.http.transport import bearer


__all__ = ["HaravanClient"]


def _messages(reply: PlatformReply) -> Iterator[str]:
    """Yield what `errors` says, in its three shapes (Customer address API reference).

    It is an object of lists, the same under `base`, or plain text.
    """
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


HaravanClient = partial(
    PlatformClient,
    dialect=HttpDialect(
        budget_event="carrierflow.haravan.budget_not_told",
        headers=bearer,
        used_calls=partial(used_calls, header="X-Haravan-Api-Call-Limit"),
        messages=_messages,
    ),
    folder="/com",
)
"""Makes the client of one shop; the header is that of Haravan's API call limit page."""
