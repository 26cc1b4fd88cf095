"""Handing something small to a mail server or to an address behind HTTP, once and without trust.

Over the standard library: it goes now and then to a place that a carrier chose, and has none of a
platform's budgets, tokens or retries. Whatever goes wrong is told by its kind alone: the texts of
others may hold a token or a password.
"""

from __future__ import annotations

import errno
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from carrierflow.errors import ConfigurationError, TryLater


__all__ = ["MAIL_PORTS", "MailServer", "answer_of", "request_once", "told_as"]

TIMEOUT = 10.0
"""Seconds that a mail server or an address may be silent."""

MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailServer:
    """A mail server, by the URL that a setting names."""

    def __init__(self, url: str, *, setting: str) -> None:
        self._place = _parts(url)
        if self._place.scheme not in MAIL_PORTS or not self._place.hostname:
            raise ConfigurationError(
                f"{setting} must be written like smtp://host, smtps://host or "
                "smtp+starttls://user:password@host."
            )

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail."""
        with _connected(self._place) as server:
            server.send_message(message)


def request_once(request: Request) -> None:
    """Make one request, and follow no redirect; an answer that is no success is an error."""
    with build_opener(_NoRedirects).open(request, timeout=TIMEOUT):
        pass


def answer_of(request: Request, *, most: int, also: int = 200) -> tuple[int, bytes]:
    """Make one request, and return the code and so many bytes of its answer at most.

    An answer that is neither a success nor of the code `also` is an error.
    """
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT) as answer:
            return answer.status, answer.read(most)
    except HTTPError as error:
        if error.code != also:
            raise
        with error:
            return error.code, error.read(most)


class _NoRedirects(HTTPRedirectHandler):
    """Follows none: a token belongs to the place that it was given for."""

    def redirect_request(self, *_: object) -> None:
        """Let the answer be the error that it is here."""


@contextmanager
def told_as(error_of: Callable[[str], TryLater]) -> Iterator[None]:
    """Raise any failure as an error of ours, which is given the kind of it and nothing more."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it may hold a secret
        if isinstance(error, HTTPError):
            error.close()
        raise error_of(_kind(error)) from None


def _kind(error: BaseException) -> str:
    """Return what kind of failure it is, and no value of it."""
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code}"
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return _kind(error.reason)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError | smtplib.SMTPException):
        number = error.errno or 0
        if number in errno.errorcode:
            return os.strerror(number)
    return type(error).__name__


def _parts(url: str) -> SplitResult:
    """Return the parts of a URL; none at all where it cannot be split, or its port is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - asked for what it raises
    except ValueError:
        return urlsplit("")
    return parts


@contextmanager
def _connected(place: SplitResult) -> Iterator[smtplib.SMTP]:
    host, port = place.hostname or "", place.port or MAIL_PORTS[place.scheme]
    context = ssl.create_default_context()
    if place.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if place.scheme == "smtp+starttls":
            server.starttls(context=context)
        if place.username:
            server.login(unquote(place.username), unquote(place.password or ""))
        yield server
