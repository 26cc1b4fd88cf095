"""Haravan's side of the carrier service: how it signs, asks, and wants to be answered.

The shapes are those of Haravan's "Connect carrier" tutorial and of integrations that answered
these callbacks in production. A failure is an answer with HTTP 200 and `error: true`; only a
signature that does not hold is turned away with 401.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from carrierflow.carrier_service.carrier import AcceptRequest, Address, Item, QuoteRequest, Rate
from carrierflow.carrier_service.dialect import ShownParcel, Webhook
from carrierflow.carrier_service.messages import Request, Response, header
from carrierflow.domain import limits
from carrierflow.domain.cleaning import in_force
from carrierflow.errors import InvalidInput
from carrierflow.platforms.haravan.bodies import Fields, parse_body
from carrierflow.platforms.haravan.signing import is_signed
from carrierflow.platforms.haravan.spelling import (
    callback_word,
    check_id,
    format_time,
    is_id,
)


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


__all__ = ["SIGNATURE_HEADER", "TOPICS", "HaravanDialect"]

SIGNATURE_HEADER = "X-Haravan-Hmac-SHA256"
"""Webhooks spell it otherwise than carrier callbacks do; case and dashes do not count."""

TOPICS: Mapping[str, str] = {
    "orders/update": "orders/updated",
    "orders/updated": "orders/updated",
    "orders/cancel": "orders/cancelled",
    "orders/canceled": "orders/cancelled",
    "orders/cancelled": "orders/cancelled",
    "orders/fulfill": "orders/fulfilled",
    "orders/fulfilled": "orders/fulfilled",
    "app/uninstall": "app/uninstalled",
    "app/uninstalled": "app/uninstalled",
    "app_uninstall": "app/uninstalled",
    "app_uninstalled": "app/uninstalled",
}
"""The spellings seen of the topics that we act on; all others are kept as they come."""

_ADDRESS_FIELDS = tuple(field.name for field in fields(Address))
_TOPIC = re.compile(r"[a-z0-9_]{1,40}/[a-z0-9_]{1,40}")
_JSON = {"Content-Type": "application/json; charset=utf-8"}


class HaravanDialect:
    """Reads what Haravan asks, and words what it is answered."""

    mounted_at = "/haravan"
    signature_header = SIGNATURE_HEADER
    signed_by = (
        f"base64 of its HMAC-SHA256 in `{SIGNATURE_HEADER}` (callbacks) or "
        "`X-Haravan-Hmacsha256` (webhooks)"
    )

    def __init__(
        self,
        *,
        secrets: Sequence[str],
        webhook_secrets: Sequence[str] = (),
        verify_token: str = "",
        tracking_url: str = "",
    ) -> None:
        """Take the app's client secrets, the newest first, and those of hand-made webhooks.

        `tracking_url` is what stands before a tracking number where a carrier gave no URL.
        """
        self._secrets = in_force(secrets)
        self._webhook_secrets = (*self._secrets, *in_force(webhook_secrets))
        self._verify_tokens = in_force([verify_token])
        self._tracking_url = tracking_url

    def is_signed(self, request: Request) -> bool:
        """Tell whether a callback bears the signature of one of the client secrets."""
        return _is_signed(request, self._secrets)

    def is_signed_webhook(self, request: Request) -> bool:
        """Tell whether a webhook bears one of the signatures that webhooks may bear."""
        return _is_signed(request, self._webhook_secrets)

    def quote_request(self, shop: str, request: Request) -> QuoteRequest:
        """Read what is to be priced."""
        return QuoteRequest(shop=shop, **_load(parse_body(request.body)))

    def accept_request(self, shop: str, request: Request) -> AcceptRequest:
        """Read what parcel is handed over."""
        body = parse_body(request.body)
        return AcceptRequest(
            shop=shop,
            **_load(body),
            external_code=body.required("external_code", longest=limits.KEY),
            order_id=_id(body, "external_order_id"),
            fulfillment_id=_id(body, "external_fulfillment_id"),
            store_id=body.text("external_store_id", longest=limits.ID),
            service_id=body.text("shipping_rate_id", longest=limits.ID),
            note=body.text("note"),
        )

    def tracking_number(self, request: Request) -> str:
        """Read a tracking number from the body, or from the query where proxies drop bodies."""
        return _named(request, "tracking_number")

    def external_code(self, request: Request) -> str:
        """Read an external code from the body, or from the query."""
        return _named(request, "external_code")

    def challenge(self, request: Request) -> str | None:
        """Return what to answer a subscription's challenge with, if it knows our token.

        The mode need not be said; one that is said must be to subscribe.
        """
        given = request.query.get("hub.verify_token", "").encode(errors="replace")
        known = any(hmac.compare_digest(given, token.encode()) for token in self._verify_tokens)
        return request.query.get("hub.challenge") if known and _subscribes(request.query) else None

    def webhook(self, request: Request) -> Webhook:
        """Read the topic, the organisation and, where it is about one, the order."""
        topic = _topic(header(request, "X-Haravan-Topic") or _text_in_body(request, "topic"))
        return Webhook(
            topic=topic,
            org_id=_id_or_none(header(request, "X-Haravan-Org-Id"))
            or _from_body(request, "org_id"),
            order_id=_order_id(request) if topic.startswith("orders/") else None,
        )

    def rates(self, rates: Sequence[Rate]) -> Response:
        """Answer with the services offered."""
        return _reply({"rates": [_rate(rate) for rate in rates]})

    def shipment(self, shown: ShownParcel) -> Response:
        """Answer with a parcel; its statuses in the callbacks' own words."""
        answer = {
            "tracking_number": shown.tracking_number,
            "shipping_fee": shown.shipping_fee,
            "tracking_url": shown.tracking_url or self._tracked(shown.tracking_number),
            "cod_amount": shown.cod_amount,
        }
        if shown.carrier_status is not None:
            answer["status"] = callback_word(shown.carrier_status)
        if shown.cod_status is not None:
            answer["cod_status"] = callback_word(shown.cod_status)
        return _reply(answer)

    def _tracked(self, number: str | None) -> str | None:
        """Return where a parcel can be followed, as the platform itself would make the address."""
        if number is None or not self._tracking_url:
            return None
        return self._tracking_url + quote(number, safe="")

    def refusal(self, sentence: str, *, status: int = 200) -> Response:
        """Answer that it will not be done, and why."""
        return _reply(None, message=sentence, status=status)


def _is_signed(request: Request, secrets: Sequence[str]) -> bool:
    signature = header(request, SIGNATURE_HEADER)
    return is_signed(request.body, signature, secrets=secrets)


def _load(body: Fields) -> dict[str, Any]:
    """Return what the rates callback and create order have in common."""
    return {
        "origin": _address(body.fields("origin")),
        "destination": _address(body.fields("destination")),
        "cod_amount": body.whole("cod_amount") or 0,
        "total_grams": body.decimal("total_grams"),
        "items": tuple(_item(item) for item in body.each("items")),
    }


def _address(body: Fields | None) -> Address | None:
    if body is None:
        return None
    return Address(**{name: body.text(name) for name in _ADDRESS_FIELDS})


def _item(body: Fields) -> Item:
    return Item(
        name=body.text("name"),
        sku=body.text("sku"),
        quantity=body.whole("quantity"),
        grams=body.decimal("grams"),
        price=body.decimal("price"),
        product_id=body.text("product_id"),
        variant_id=body.text("variant_id"),
    )


def _id(body: Fields, name: str) -> str:
    text = body.required(name, longest=limits.ID)
    if not is_id(text):
        raise InvalidInput(f"`{name}` must be an id of up to 20 digits.")
    return text


def _named(request: Request, name: str) -> str:
    """Read one text that says which parcel is meant."""
    body = parse_body(request.body) if request.body.strip() else Fields({})
    longest = limits.TRACKING_NUMBER
    given = body.text(name, longest=longest) or Fields(request.query).text(name, longest=longest)
    if given is None:
        raise InvalidInput(f"`{name}` is missing.")
    return given


def _subscribes(query: Mapping[str, str]) -> bool:
    return query.get("hub.mode", "subscribe") == "subscribe"


def _topic(text: str | None) -> str:
    plain = (text or "").strip().lower().replace("-", "_")
    if plain in TOPICS:
        return TOPICS[plain]
    return plain if _TOPIC.fullmatch(plain) else "unknown"


def _order_id(request: Request) -> str | None:
    return _id_or_none(header(request, "X-Haravan-Order-Id")) or _from_body(request, "id")


def _from_body(request: Request, name: str) -> str | None:
    return _id_or_none(_text_in_body(request, name))


def _text_in_body(request: Request, name: str) -> str | None:
    try:
        return parse_body(request.body).text(name)
    except InvalidInput:
        return None


def _id_or_none(text: str | None) -> str | None:
    try:
        return check_id(text)
    except InvalidInput:
        return None


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "service_id": rate.service_id,
        "service_name": rate.name,
        "service_code": rate.code or str(rate.service_id),
        "currency": "vnd",
        "total_price": rate.total_price,
        "phone_required": rate.phone_required,
        "min_delivery_date": _date(rate.earliest),
        "max_delivery_date": _date(rate.latest),
        "description": rate.description,
    }


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)


def _reply(answer: Any, *, message: str | None = None, status: int = 200) -> Response:
    envelope = {"error": message is not None, "message": message, "data": answer}
    body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status=status, headers=_JSON, body=body)
