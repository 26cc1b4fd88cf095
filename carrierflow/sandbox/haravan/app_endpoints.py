"""The calls by which an app links itself to a shop: tokens, who the shop is, its webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carrierflow.sandbox.exchange import HttpReply, json_reply


if TYPE_CHECKING:
    from carrierflow.sandbox.haravan.request_context import RequestContext


__all__ = [
    "SUBSCRIBE",
    "issue_tokens",
    "list_subscriptions",
    "read_shop",
    "subscribe",
    "unsubscribe",
]

SUBSCRIBE = "/api/subscribe"


def issue_tokens(call: RequestContext) -> HttpReply:
    """Answer a code or a refresh token with new tokens."""
    world = call.world
    tokens = world.accounts.exchange(world.app, call.shop, call.request.form(), world.now())
    return json_reply(200, tokens)


def read_shop(call: RequestContext) -> HttpReply:
    """Say which shop the token is for."""
    shop = call.shop
    fields = {
        "id": shop.org_id,
        "name": shop.code,
        "myharavan_domain": f"{shop.code}.myharavan.example",
        "country_code": "VN",
        "currency": "VND",
        "timezone": "(GMT+07:00) Hanoi",
    }
    return json_reply(200, {"shop": fields})


def subscribe(call: RequestContext) -> HttpReply:
    """Switch a shop's webhooks on; their address and topics stand in the partners' dashboard."""
    if not call.world.app.webhook_url:
        return _told("The app has no address for webhooks.", error=True)
    call.world.webhook_queue.subscribe(call.shop.code)
    return _told("Subscribed.")


def unsubscribe(call: RequestContext) -> HttpReply:
    """Switch a shop's webhooks off."""
    call.world.webhook_queue.unsubscribe(call.shop.code)
    return _told("Unsubscribed.")


def list_subscriptions(call: RequestContext) -> HttpReply:
    """List what the shop's webhooks are: one row for each topic, while they are on."""
    app, known = call.world.app, call.world.webhook_queue.subscription(call.shop.code)
    topics = app.topics if known is not None else ()
    rows = [
        {"id": number, "event": topic, "url": app.webhook_url}
        for number, topic in enumerate(topics, start=1)
    ]
    return _told("", data=rows)


def _told(message: str, *, error: bool = False, **more: Any) -> HttpReply:
    return json_reply(200, {"error": error, "message": message, **more})
