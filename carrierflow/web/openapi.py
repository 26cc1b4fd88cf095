"""The callbacks as an OpenAPI 3.1 document, made from the table of paths.

It describes what the platform is known to send; what it may send beyond that is let through.
"""

from __future__ import annotations

from typing import Any

from carrierflow.carrier_service.paths import ROUTES, Call, Route


__all__ = ["document"]

TEXT: dict[str, Any] = {"type": ["string", "null"]}
NUMBER: dict[str, Any] = {"type": ["number", "string", "null"]}
"""Numbers come as text too (decimal data type page)."""

IDENTIFIER: dict[str, Any] = {"type": ["string", "integer"]}

ADDRESS: dict[str, Any] = {
    "type": ["object", "null"],
    "properties": dict.fromkeys(
        (
            *("name", "phone", "address1", "address2", "zip", "city"),
            *("country", "country_code", "province", "province_code"),
            *("district", "district_code", "ward", "ward_code"),
        ),
        TEXT,
    ),
}

ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "sku": TEXT,
        "quantity": NUMBER,
        "grams": NUMBER,
        "price": NUMBER,
        "product_id": IDENTIFIER,
        "variant_id": IDENTIFIER,
    },
}

PARCEL: dict[str, Any] = {
    "origin": ADDRESS,
    "destination": ADDRESS,
    "cod_amount": NUMBER,
    "total_grams": NUMBER,
    "items": {"type": ["array", "null"], "items": ITEM},
}

HANDED_OVER: dict[str, Any] = {
    **PARCEL,
    "external_code": IDENTIFIER,
    "external_store_id": IDENTIFIER,
    "external_order_id": IDENTIFIER,
    "external_fulfillment_id": IDENTIFIER,
    "shipping_rate_id": {"type": ["string", "integer", "null"]},
    "note": TEXT,
}

BODIES: dict[Call, dict[str, Any]] = {
    Call.RATES: {"properties": PARCEL},
    Call.CREATE: {
        "properties": HANDED_OVER,
        "required": ["external_code", "external_order_id", "external_fulfillment_id"],
    },
    Call.DETAIL: {"properties": {"tracking_number": IDENTIFIER}, "required": ["tracking_number"]},
    Call.CANCEL: {"properties": {"tracking_number": IDENTIFIER}},
    Call.BY_EXTERNAL_CODE: {"properties": {"external_code": IDENTIFIER}},
    Call.WEBHOOK: {"properties": {"id": IDENTIFIER}},
}

SUMMARIES = {
    Call.RATES: "Price a parcel.",
    Call.CREATE: "Hand a parcel over; the same external_code is the same parcel.",
    Call.DETAIL: "Ask where a parcel stands.",
    Call.CANCEL: "Ask for a parcel back; `error: true` says no, and why.",
    Call.BY_EXTERNAL_CODE: "Find a parcel by the platform's code.",
    Call.WEBHOOK: "Tell of a change (POST), or check that this is ours (GET).",
}

IN_QUERY = {
    (Call.CANCEL, "delete"): ("tracking_number",),
    (Call.BY_EXTERNAL_CODE, "get"): ("external_code",),
    (Call.WEBHOOK, "get"): ("hub.mode", "hub.verify_token", "hub.challenge"),
}

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["error", "message", "data"],
    "properties": {
        "error": {"type": "boolean"},
        "message": TEXT,
        "data": {"type": ["object", "null"]},
    },
}


def document(mounted_at: str) -> dict[str, Any]:
    """Return the document of the callbacks below a mount point."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "carrierflow: what the platform calls",
            "version": "1",
            "description": "Every body is signed: base64 of its HMAC-SHA256 in "
            "`X-Haravan-Hmac-SHA256` (callbacks) or `X-Haravan-Hmacsha256` (webhooks).",
        },
        "paths": {mounted_at + route.template: _path(route) for route in ROUTES},
        "components": {
            "schemas": {"Envelope": ENVELOPE},
            "securitySchemes": {
                "signature": {"type": "apiKey", "in": "header", "name": "X-Haravan-Hmac-SHA256"}
            },
        },
    }


def _path(route: Route) -> dict[str, Any]:
    return {method.lower(): _operation(route, method.lower()) for method in route.methods}


def _operation(route: Route, method: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": {"type": "string"}}
        for name in IN_QUERY.get((route.call, method), ())
    ]
    if "{shop}" in route.template:
        parameters.append(
            {"name": "shop", "in": "path", "required": True, "schema": {"type": "string"}}
        )
    operation: dict[str, Any] = {
        "operationId": f"{route.call}_{method}",
        "summary": SUMMARIES[route.call],
        "parameters": parameters,
        "responses": _responses(route, method),
    }
    if method != "get":
        schema = {"type": "object", **BODIES[route.call]}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    if (route.call, method) != (Call.WEBHOOK, "get"):
        operation["security"] = [{"signature": []}]
    return operation


def _responses(route: Route, method: str) -> dict[str, Any]:
    enveloped = {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}
    if route.call is Call.WEBHOOK:
        enveloped = {"text/plain": {"schema": {"type": "string"}}} if method == "get" else enveloped
    return {
        "200": {"description": "Answered; `error` says whether it was done.", "content": enveloped},
        "401": {"description": "The signature or the token is missing or wrong."},
    }
