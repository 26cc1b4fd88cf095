"""Where the platform reaches the carrier: one table, relative to the mount point."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


__all__ = ["ROUTES", "Call", "Found", "Route", "find", "route_of"]


class Call(StrEnum):
    """What a platform may ask of the carrier service."""

    RATES = "rates"
    CREATE = "create"
    DETAIL = "detail"
    CANCEL = "cancel"
    BY_EXTERNAL_CODE = "by_external_code"
    WEBHOOK = "webhook"
    INSTALL = "install"
    INSTALLED = "installed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One path and the methods that it answers."""

    call: Call
    methods: tuple[str, ...]
    template: str

    def path(self, shop: str = "") -> str:
        """Return the path for one shop, to be appended to the mount point's URL."""
        return self.template.replace("{shop}", shop)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A route, and the shop that the path names where it names one."""

    route: Route
    shop: str


ROUTES = (
    Route(call=Call.RATES, methods=("POST",), template="/{shop}/rates"),
    Route(call=Call.CREATE, methods=("POST",), template="/{shop}/orders"),
    Route(call=Call.DETAIL, methods=("POST",), template="/{shop}/detail"),
    Route(call=Call.CANCEL, methods=("DELETE",), template="/{shop}/cancel"),
    Route(call=Call.BY_EXTERNAL_CODE, methods=("GET", "POST"), template="/{shop}/by-external-code"),
    Route(call=Call.WEBHOOK, methods=("GET", "POST"), template="/webhooks"),
    Route(call=Call.INSTALL, methods=("GET",), template="/install"),
    Route(call=Call.INSTALLED, methods=("GET",), template="/installed"),
)
"""Every path; no two answer the same one."""

_SHOP = "(?P<shop>[A-Za-z0-9][A-Za-z0-9._-]{0,63})"
_PATTERNS = [
    (route, re.compile(re.escape(route.template).replace(re.escape("{shop}"), _SHOP) + "/?"))
    for route in ROUTES
]


def route_of(call: Call) -> Route:
    """Return the route of a call."""
    return next(route for route in ROUTES if route.call is call)


def find(path: str) -> Found | None:
    """Return the route that a path belongs to; None if it is none of ours."""
    for route, pattern in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            return Found(route=route, shop=match.groupdict().get("shop", ""))
    return None
