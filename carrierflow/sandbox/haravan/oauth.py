"""The browser's way through the accounts: consent, and back to the app with a code."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from carrierflow.sandbox.exchange import HTML, HttpReply, HttpRequest
from carrierflow.sandbox.haravan.authorization import client_of
from carrierflow.sandbox.haravan.consent import id_token
from carrierflow.sandbox.haravan.denials import Denied
from carrierflow.sandbox.haravan.failed_replies import failed


if TYPE_CHECKING:
    from collections.abc import Mapping

    from carrierflow.sandbox.haravan.shop_state import SandboxShop
    from carrierflow.sandbox.haravan.world import World


__all__ = ["AUTHORIZE", "TOKEN", "authorize", "shop_asking"]

AUTHORIZE, TOKEN = "/connect/authorize", "/connect/token"
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
    "<body><h1>{title}</h1>{body}</body></html>"
)


def authorize(world: World, request: HttpRequest) -> HttpReply:
    """Send the browser back to the app with a code; the owner is logged in, and always consents.

    Which shop it is for stands in `orgid`; without it a sandbox of several shops asks.
    """
    query = request.query
    problem = _problem(world, query)
    if problem is not None:
        return failed(400, problem)
    wanted = query.get("orgid")
    found = [shop for shop in world.shops.values() if wanted is None or wanted == str(shop.org_id)]
    if not found:
        return failed(400, f"There is no shop with the id {wanted}.")
    return _choice(found, query) if len(found) > 1 else _back(world, found[0], query)


def shop_asking(world: World, request: HttpRequest) -> SandboxShop:
    """Return the shop whose tokens a request asks for.

    Raises:
        Denied: if the app does not prove who it is, or the request names no consent.
    """
    form = request.form()
    given = client_of(request) or (form.get("client_id"), form.get("client_secret"))
    if given != (world.app.client_id, world.app.client_secret):
        raise Denied("invalid_client")
    return world.shop(world.accounts.named(form, world.now()).shop)


def _problem(world: World, query: Mapping[str, str]) -> str | None:
    if query.get("client_id") != world.app.client_id:
        return "There is no app with this client_id."
    if query.get("response_type") not in {"code", "code id_token"}:
        return "response_type must be code, or code id_token."
    if query.get("response_mode", "query") not in {"query", "form_post"}:
        return "response_mode must be query or form_post."
    parts = urlsplit(query.get("redirect_uri", ""))
    if parts.scheme == "https" or parts.hostname in _OWN_MACHINE:
        return None
    return "redirect_uri must be an HTTPS address."


def _choice(shops: list[SandboxShop], query: Mapping[str, str]) -> HttpReply:
    links = "".join(
        f'<li><a href="{escape(_asked_again(query, shop))}">{escape(shop.code)}</a></li>'
        for shop in shops
    )
    body = _PAGE.format(title="Which shop?", body=f"<ul>{links}</ul>")
    return HttpReply(status=200, body=body.encode(), headers={"Content-Type": HTML})


def _asked_again(query: Mapping[str, str], shop: SandboxShop) -> str:
    return f"{AUTHORIZE}?{urlencode({**query, 'orgid': shop.org_id})}"


def _back(world: World, shop: SandboxShop, query: Mapping[str, str]) -> HttpReply:
    now = world.now()
    fields = {"code": world.accounts.consent(shop.code, query, now)}
    if "id_token" in query["response_type"]:
        fields["id_token"] = id_token(world.app, shop, query.get("nonce", ""), now)
    fields |= {"scope": query.get("scope", "")}
    fields |= {"state": query["state"]} if "state" in query else {}
    if query.get("response_mode") == "form_post":
        return _posting(query["redirect_uri"], fields)
    joint = "&" if urlsplit(query["redirect_uri"]).query else "?"
    location = f"{query['redirect_uri']}{joint}{urlencode(fields)}"
    return HttpReply(status=302, headers={"Location": location})


def _posting(address: str, fields: Mapping[str, str]) -> HttpReply:
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in fields.items()
    )
    form = f'<form method="post" action="{escape(address)}">{inputs}<button>Go on</button></form>'
    submit = "<script>document.forms[0].submit()</script>"
    body = _PAGE.format(title="Back to the app", body=form + submit)
    return HttpReply(status=200, body=body.encode(), headers={"Content-Type": HTML})
