"""The two addresses that a shop's owner comes to: to install, and back from the accounts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Protocol

from carrierflow.carrier_service.messages import Request, Response
from carrierflow.carrier_service.registration import Installed, Redirect
from carrierflow.carrier_service.routes import Call
from carrierflow.errors import (
    CarrierflowError,
    ConfigurationError,
    InvalidInput,
    PlatformError,
    TryLater,
)


__all__ = ["InstallPages", "Installing"]

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Type": "text/plain; charset=utf-8",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Addresses here hold codes: they are neither kept nor passed on."""

STATUSES: Mapping[type[CarrierflowError], HTTPStatus] = {
    InvalidInput: HTTPStatus.BAD_REQUEST,
    PlatformError: HTTPStatus.FORBIDDEN,
    TryLater: HTTPStatus.SERVICE_UNAVAILABLE,
}
BROKEN = "This carrier cannot be installed at the moment; please tell them."


class Installing(Protocol):
    """What leads an owner through an install; raises `CarrierflowError` where it ends."""

    def begin(self, code: str) -> Redirect:
        """Return where the browser goes first."""
        ...

    def returned(self, query: Mapping[str, str]) -> Redirect | Installed:
        """Take what the accounts sent back: on to the next round, or done."""
        ...


class InstallPages:
    """Answers a browser in plain text; nothing of what it sent is repeated but a shop's code."""

    def __init__(self, installing: Installing, *, shop_suffix: str = "") -> None:
        """Take what leads through an install, and what follows a shop's name in its domain."""
        self._installing = installing
        self._suffix = shop_suffix

    def answer(self, call: Call, request: Request) -> Response:
        """Answer one of the two addresses; what may go wrong is told on a page."""
        try:
            if call is Call.INSTALL:
                return _redirect(self._installing.begin(self._code(request)))
            return self._returned(request)
        except ConfigurationError as error:
            log.warning("carrierflow.install.failed", extra={"reason": str(error)})
            return self.broken()
        except CarrierflowError as error:
            log.warning("carrierflow.install.refused", extra={"reason": str(error)})
            return _page(str(error), _status(error))

    def broken(self) -> Response:
        """Answer where it is neither the owner's fault nor the platform's."""
        return _page(BROKEN, HTTPStatus.INTERNAL_SERVER_ERROR)

    def _returned(self, request: Request) -> Response:
        answer = self._installing.returned(request.query)
        if isinstance(answer, Redirect):
            return _redirect(answer)
        lines = [f"Shop {answer.shop} is connected; you can close this page.", *answer.notes]
        return _page("\n".join(lines), HTTPStatus.OK)

    def _code(self, request: Request) -> str:
        """Return the shop that a browser names: our code, or its domain at the platform."""
        name = request.query.get("shop", "").strip()
        length = len(name) - len(self._suffix)
        return name[:length] if name[length:].lower() == self._suffix else name


def _status(error: CarrierflowError) -> HTTPStatus:
    return next(
        (status for kind, status in STATUSES.items() if isinstance(error, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def _redirect(to: Redirect) -> Response:
    return Response(status=HTTPStatus.FOUND, headers={**HEADERS, "Location": to.url})


def _page(text: str, status: HTTPStatus) -> Response:
    return Response(status=status, headers=HEADERS, body=f"{text}\n".encode())
