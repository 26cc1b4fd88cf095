"""A shop's webhooks on Haravan: one switch, on a host of its own (webhook tutorial).

Which events are sent and where to is set once for the app, in the partners' dashboard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.carrier_service.registration import Subscription
from carrierflow.errors import Refused
from carrierflow.platforms.http.replies import UnreadableReply, masked


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.platforms.http.client import PlatformClient
    from carrierflow.platforms.http.replies import PlatformReply


__all__ = ["HaravanSubscriptions", "Unmetered"]

_SWITCH = "/subscribe"


class Unmetered:
    """The budget of a host that has none: the shop's bucket is for another one."""

    def spend(self) -> None:
        """Let the request leave."""

    def room(self, seconds: float) -> int:
        """Return that one may leave now and then; nobody sends many."""
        return 1 + int(seconds)

    def learn_used(self, used: int) -> None:
        """Take no note: there is nothing to count."""

    def pause(self, seconds: float) -> None:
        """Take no note: whoever was told to wait comes back in an hour."""


class HaravanSubscriptions:
    """The webhooks of one shop, as the port `carrierflow.link.Subscriptions` has them."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    def close(self) -> None:
        """Close the connections that nobody is using."""
        self._client.close()

    def listed(self) -> list[Subscription]:
        """Return what is sent by webhook; nothing while the switch is off."""
        return self._client.get(_SWITCH, {}, _read_list)

    def subscribe(self) -> None:
        """Switch the shop's webhooks on."""
        self._client.write("POST", _SWITCH, _accept, document={})

    def unsubscribe(self) -> None:
        """Switch the shop's webhooks off."""
        self._client.write("DELETE", _SWITCH, _accept)


def _accept(reply: PlatformReply) -> None:
    """Look into the envelope: the platform says no with a 200 as well."""
    document = reply.document()
    if not isinstance(document, dict) or not isinstance(document.get("error"), bool):
        raise UnreadableReply("the reply does not say whether it was done")
    if document["error"]:
        said = masked(str(document.get("message") or "no reason given"))
        raise Refused(f"it does not switch webhooks: {said}", http_status=reply.status)


def _read_list(reply: PlatformReply) -> list[Subscription]:
    document = reply.document()
    rows = document.get("data") if isinstance(document, dict) else document
    if not isinstance(rows, list):
        raise UnreadableReply("the reply holds no list of subscriptions")
    return [_row(row) for row in rows if isinstance(row, dict)]


def _row(row: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=str(row.get("id") or ""),
        topic=str(row.get("event") or row.get("topic") or ""),
        url=str(row["url"]) if row.get("url") else None,
    )
