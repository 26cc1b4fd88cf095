"""Where the platform reaches the carrier: one table, relative to the mount point."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


__all__ = ["ROUTES", "Call", "Route", "RoutedPath", "Router", "route_of"]


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
class RoutedPath:
    """A route, and the shop that the path names where it names one."""

    route: Route
    shop: str
    secret: str = field(default="", repr=False)
    """What stands in the path where a platform signs nothing."""


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

_PLACES = {
    "{shop}": "(?P<shop>[A-Za-z0-9][A-Za-z0-9._-]{0,63})",
    "{secret}": "(?P<secret>[^/]+)",
}


def route_of(call: Call) -> Route:
    """Return the route of a call."""
    return next(route for route in ROUTES if route.call is call)


class Router:
    """Finds the one of some routes that a path belongs to."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._patterns = [(route, _pattern(route)) for route in routes]

    def find(self, path: str) -> RoutedPath | None:
        """Return the route and what its path names; None if it is none of these."""
        for route, pattern in self._patterns:
            match = pattern.fullmatch(path)
            if match is not None:
                return RoutedPath(route=route, **{"shop": "", **match.groupdict()})
        return None


def _pattern(route: Route) -> re.Pattern[str]:
    text = re.escape(route.template)
    for place, pattern in _PLACES.items():
        text = text.replace(re.escape(place), pattern)
    return re.compile(text + "/?")
