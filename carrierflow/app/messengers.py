"""Ways of telling people of incidents: by mail, and into a chat by its webhook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from email.message import EmailMessage
from urllib.request import Request

from carrierflow.app.settings import Settings
from carrierflow.audit.log.delivery import MailServer, request_once, told_as
from carrierflow.domain.urls import is_safe_url
from carrierflow.errors import ConfigurationError, NotificationFailed
from carrierflow.reconcile.notification import Messenger


__all__ = ["ChatMessenger", "MailMessenger", "messengers_from"]

TAME = str.maketrans({"<": "(", ">": ")", "@": "(at)"})
"""What a chat may take for markup, or for the names of people to call, in texts of others."""


class MailMessenger:
    """Mails to some people."""

    name = "mail"

    def __init__(self, server: str, *, sender: str, to: Sequence[str]) -> None:
        self._server = MailServer(server, setting="notify_smtp")
        if not sender:
            raise ConfigurationError("Mails to notify_mail_to need a sender: notify_mail_from.")
        self._sender = sender
        self._to = to

    def send(self, subject: str, text: str) -> None:
        """Send one mail.

        Raises:
            NotificationFailed: if the server does not take it.
        """
        message = EmailMessage()
        with _told(self.name):
            message["Subject"] = subject
            message["From"] = self._sender
            message["To"] = ", ".join(self._to)
            message.set_content(f"{text}\n", cte="base64")
            self._server.send(message)


class ChatMessenger:
    """POSTs `{"text": "…"}` to a chat's webhook, as Slack, Mattermost and Google Chat take it.

    `field` is another name for the text, where a chat wants one: Discord's is `content`.
    """

    name = "chat"

    def __init__(self, url: str, *, field: str) -> None:
        if not is_safe_url(url) or not url.isascii() or "#" in url:
            raise ConfigurationError(
                "notify_webhook must be https (http only on this machine), without a password."
            )
        self._url = url
        self._field = field

    def send(self, subject: str, text: str) -> None:  # noqa: ARG002 - a chat has no subjects
        """POST one message.

        Raises:
            NotificationFailed: if the chat does not take it.
        """
        body = json.dumps({self._field: text.translate(TAME)}).encode()
        headers = {"Content-Type": "application/json"}
        with _told(self.name):
            request_once(Request(self._url, data=body, headers=headers, method="POST"))  # noqa: S310


def messengers_from(settings: Settings) -> list[Messenger]:
    """Return the ways that the settings name.

    Raises:
        ConfigurationError: if one cannot be used as it is written.
    """
    found: list[Messenger] = []
    if settings.notify_mail_to:
        server, sender = settings.notify_smtp.get_secret_value(), settings.notify_mail_from
        found.append(MailMessenger(server, sender=sender, to=settings.notify_mail_to))
    if url := settings.notify_webhook.get_secret_value():
        found.append(ChatMessenger(url, field=settings.notify_webhook_field))
    return found


def _told(channel: str) -> AbstractContextManager[None]:
    """Tell of any failure in our own words: the address of a chat's webhook is its password."""
    return told_as(lambda reason: NotificationFailed(channel, reason))
