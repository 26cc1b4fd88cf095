"""Places outside of the database that keep checkpoints: a file, a mailbox, a store behind HTTP.

What an operator who owns database and key cannot take back is only what lies elsewhere. Each
anchor is a few lines over the standard library: a checkpoint is a few hundred bytes now and
then, to a place that a carrier chose, and has none of a platform's budgets, tokens or retries.
"""

from __future__ import annotations

import errno
import os
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import AnchorUnavailable, ConfigurationError


__all__ = ["FileAnchor", "HttpAnchor", "MailAnchor"]

TIMEOUT = 10.0
"""Seconds that a mail server or a store may take."""

MAIL_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class FileAnchor:
    """Appends checkpoints to a file: on another machine, or one that can only grow."""

    name = "file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """Append some checkpoints, and wait until they are on the disk.

        Raises:
            AnchorUnavailable: if the file cannot be written.
        """
        with _told(self.name), self._path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{note}\n" for _, note in checkpoints))
            file.flush()
            os.fsync(file.fileno())


class MailAnchor:
    """Mails checkpoints, for instance to the auditor's own mailbox."""

    name = "mail"

    def __init__(self, server: str, *, sender: str, to: Sequence[str]) -> None:
        self._server = _parts(server)
        if self._server.scheme not in MAIL_PORTS or not self._server.hostname:
            raise ConfigurationError(
                "anchor_smtp must be written like smtp://host, smtps://host or "
                "smtp+starttls://user:password@host."
            )
        if not sender or not to:
            raise ConfigurationError("A mail anchor needs anchor_mail_from and anchor_mail_to.")
        self._sender = sender
        self._to = to

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """Send some checkpoints in one mail, as an attachment that keeps their bytes.

        Raises:
            AnchorUnavailable: if the server does not take it.
        """
        with _told(self.name), _connected(self._server) as server:
            server.send_message(self._message(checkpoints))

    def _message(self, checkpoints: Sequence[tuple[int, str]]) -> EmailMessage:
        size, note = checkpoints[-1]
        message = EmailMessage()
        message["Subject"] = f"Checkpoint {size} of {note.partition(chr(10))[0]}"
        message["From"] = self._sender
        message["To"] = ", ".join(self._to)
        message.set_content("Keep the attached file: an auditor compares it with a later export.\n")
        whole = "".join(f"{each}\n" for _, each in checkpoints)
        message.add_attachment(whole, filename="checkpoints.txt", cte="base64")
        return message


class HttpAnchor:
    """PUTs each checkpoint under its size, for instance into a store with object lock."""

    name = "http"

    def __init__(self, url: str, *, token: str = "") -> None:
        if not is_safe_url(url) or not url.isascii() or "?" in url or "#" in url:
            raise ConfigurationError(
                "anchor_url must be https (http only on this machine), with neither a password "
                "nor a query in it; a token belongs into anchor_token."
            )
        self._url = url.rstrip("/")
        self._token = token
        self._opener = build_opener(_NoRedirects)

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """PUT some checkpoints, each under its size.

        Raises:
            AnchorUnavailable: if the store does not take one.
        """
        with _told(self.name):
            for size, note in checkpoints:
                with self._opener.open(self._request(size, note), timeout=TIMEOUT):
                    pass

    def _request(self, size: int, note: str) -> Request:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        place = f"{self._url}/{size}"
        return Request(place, data=note.encode(), headers=headers, method="PUT")  # noqa: S310


class _NoRedirects(HTTPRedirectHandler):
    """Follows none: a token belongs to the place that it was given for."""

    def redirect_request(self, *_: object) -> None:
        """Let the answer be the error that it is here."""


@contextmanager
def _told(anchor: str) -> Iterator[None]:
    """Tell of any failure in our own words: the texts of others may hold a token or a password."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the next seal tries again
        if isinstance(error, HTTPError):
            error.close()
        raise AnchorUnavailable(anchor, _kind(error)) from None


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
