"""Places outside of the database that keep checkpoints: a file, a mailbox, a store behind HTTP.

What an operator who owns database and key cannot take back is only what lies elsewhere. Each
anchor is a few lines over the standard library: a checkpoint is a few hundred bytes now and
then, to a place that a carrier chose, and has none of a platform's budgets, tokens or retries.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from email.message import EmailMessage
from pathlib import Path
from urllib.request import Request

from carrierflow.audit.log.delivery import MailServer, request_once, told_as
from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import AnchorUnavailable, ConfigurationError


__all__ = ["FileAnchor", "HttpAnchor", "MailAnchor"]


TAIL = 64 * 1024
"""What is read of a file to find its newest checkpoint."""


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

    def kept(self, *, newest: bool = False) -> str | None:
        """Return the notes in the file, or what is about its last ones; None if it is gone."""
        try:
            with self._path.open("rb") as file:
                if newest:
                    start = file.seek(0, os.SEEK_END) - TAIL
                    file.seek(max(0, start))
                return file.read().decode(errors="replace")
        except OSError:
            return None


class MailAnchor:
    """Mails checkpoints, for instance to the auditor's own mailbox."""

    name = "mail"

    def __init__(self, server: str, *, sender: str, to: Sequence[str]) -> None:
        self._server = MailServer(server, setting="anchor_smtp")
        if not sender or not to:
            raise ConfigurationError("A mail anchor needs anchor_mail_from and anchor_mail_to.")
        self._sender = sender
        self._to = to

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """Send some checkpoints in one mail, as an attachment that keeps their bytes.

        Raises:
            AnchorUnavailable: if the server does not take it.
        """
        with _told(self.name):
            self._server.send(self._message(checkpoints))

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

    def keep(self, checkpoints: Sequence[tuple[int, str]]) -> None:
        """PUT some checkpoints, each under its size.

        Raises:
            AnchorUnavailable: if the store does not take one.
        """
        with _told(self.name):
            for size, note in checkpoints:
                request_once(self._request(size, note))

    def _request(self, size: int, note: str) -> Request:
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        place = f"{self._url}/{size}"
        return Request(place, data=note.encode(), headers=headers, method="PUT")  # noqa: S310


def _told(anchor: str) -> AbstractContextManager[None]:
    """Tell of any failure in our own words; the next seal tries again."""
    return told_as(lambda reason: AnchorUnavailable(anchor, reason))
