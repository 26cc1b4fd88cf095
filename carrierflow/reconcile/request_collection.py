"""The requests of incidents as a Postman collection: without tokens, and each with a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from carrierflow.domain.incident import Incident


__all__ = ["TOKEN", "postman"]

TOKEN = "{token}"  # noqa: S105 - a place for one
"""Where in a header's value the token stands."""

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

TEST = (
    'pm.test("The platform took it", function () {',
    "    pm.expect(pm.response.code).to.be.within(200, 299);",
    "});",
)
"""Fails where a request is refused, so that `newman` does."""


def postman(
    incidents: Sequence[Incident], *, header_of: Callable[[str], tuple[str, str]]
) -> dict[str, Any]:
    """Return the requests of incidents; each shop's token is a variable of its own.

    `header_of` says of a shop in which header its platform wants the token, and in what form.
    """
    found = [incident for incident in incidents if incident.evidence.get("request")]
    shops = sorted({incident.shop for incident in found})
    return {
        "info": {"name": "carrierflow incidents", "schema": SCHEMA},
        "variable": [{"key": _variable(shop), "value": "", "type": "string"} for shop in shops],
        "item": [_item(incident, header_of(incident.shop)) for incident in found],
        "event": [{"listen": "test", "script": {"type": "text/javascript", "exec": [*TEST]}}],
    }


def _variable(shop: str) -> str:
    """Return what the token of a shop is called; no two shops share one."""
    safe = re.sub("[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", shop)
    return f"token_{safe}"


def _item(incident: Incident, header: tuple[str, str]) -> dict[str, Any]:
    request = incident.evidence["request"]
    name, form = header
    value = form.replace(TOKEN, f"{{{{{_variable(incident.shop)}}}}}")
    return {
        "name": f"incident {incident.id}: {incident.sentence}",
        "request": {
            "method": request["method"],
            "url": request["url"],
            "header": [
                {"key": name, "value": value},
                {"key": "Content-Type", "value": "application/json"},
            ],
        },
    }
