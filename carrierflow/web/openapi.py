"""The callbacks as an OpenAPI 3.1 document, made from the table of paths.

It describes what the platform is known to send; what it may send beyond that is let through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from carrierflow.carrier_service import CarrierService, HintDialect, HintService
from carrierflow.carrier_service.routes import ROUTES, Call, Route


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
    Call.INSTALL: "Send a shop's owner to the platform, to install the app.",
    Call.INSTALLED: "Take the owner back, with a code for a token.",
}

IN_QUERY = {
    (Call.CANCEL, "delete"): ("tracking_number",),
    (Call.BY_EXTERNAL_CODE, "get"): ("external_code",),
    (Call.WEBHOOK, "get"): ("hub.mode", "hub.verify_token", "hub.challenge"),
    (Call.INSTALL, "get"): ("shop",),
    (Call.INSTALLED, "get"): ("code", "state", "error"),
}

SIGNATURE = "signature"

BROWSERS = {Call.INSTALL, Call.INSTALLED}
"""What an owner's browser asks; it signs nothing."""

ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["error", "message", "data"],
    "properties": {
        "error": {"type": "boolean"},
        "message": TEXT,
        "data": {"type": ["object", "null"]},
    },
}


def document(service: CarrierService | None, hints: Iterable[HintService]) -> dict[str, Any]:
    """Return the document of what is answered: the callbacks, and webhooks that only hint."""
    dialects = [each.dialect for each in hints]
    schemes = {_scheme(each): each.signature_header for each in dialects}
    paths = {each.mounted_at + each.route.template: _hint(each) for each in dialects}
    described = "Webhooks that only hint are answered in plain text."
    if service is not None:
        dialect = service.dialect
        described = f"Every body is signed: {dialect.signed_by}."
        paths = {dialect.mounted_at + route.template: _path(route) for route in ROUTES} | paths
        schemes = {SIGNATURE: dialect.signature_header, **schemes}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "carrierflow: what the platform calls",
            "version": "1",
            "description": described,
        },
        "paths": paths,
        "components": {
            "schemas": {"Envelope": ENVELOPE},
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": header}
                for name, header in schemes.items()
                if header is not None
            },
        },
    }


def _scheme(dialect: HintDialect) -> str:
    return f"{dialect.mounted_at.strip('/')}_{SIGNATURE}"


def _hint(dialect: HintDialect) -> dict[str, Any]:
    """Return the operation of webhooks that only hint."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", dialect.route.template)
    ]
    text = {"text/plain": {"schema": {"type": "string"}}}
    operation: dict[str, Any] = {
        "operationId": f"{dialect.mounted_at.strip('/')}_webhook",
        "summary": "Hint at a change; what the body says is not believed.",
        "parameters": parameters,
        "requestBody": {"content": {"application/json": {"schema": {}}}},
        "responses": {
            "200": {"description": "Kept.", "content": text},
            "401": {"description": "The proof is missing or wrong.", "content": text},
        },
    }
    if dialect.signature_header is not None:
        operation["security"] = [{_scheme(dialect): []}]
    return {"post": operation}


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
        "responses": _responses(route),
    }
    if method != "get":
        schema = {"type": "object", **BODIES[route.call]}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    challenge = (Call.WEBHOOK, "get")
    if route.call not in BROWSERS and (route.call, method) != challenge:
        operation["security"] = [{SIGNATURE: []}]
    return operation


def _responses(route: Route) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    envelope = {"application/json": {"schema": {"$ref": "#/components/schemas/Envelope"}}}
    refused = {"description": "The signature is missing or wrong.", "content": envelope}
    if route.call in BROWSERS:
        return {
            "200": {"description": "Done, in plain text.", "content": text},
            "302": {"description": "On to the platform.", "content": text},
            "400": {"description": "Refused; the text says why.", "content": text},
        }
    if route.call is Call.WEBHOOK:
        kept = {"description": "Kept; or the challenge, repeated.", "content": text}
        return {"200": kept, "401": refused}
    done = "Answered; `error` says whether it was done."
    return {"200": {"description": done, "content": envelope}, "401": refused}
