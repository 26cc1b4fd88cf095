"""Somebody else's receiver of what is pushed: it believes the specification's own library alone."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mail_server import served
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


__all__ = ["OTHER_SECRET", "SECRET", "Receiver", "receiving"]

SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTE="
OTHER_SECRET = "whsec_" + "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI="


@dataclass
class Receiver:
    """What came, how it is answered, and what was not signed as it must be."""

    url: str
    secret: str = SECRET
    answers: list = field(default_factory=list)
    """How the next messages are answered, each a status or a function of the handler; then 204."""
    came: list = field(default_factory=list)
    """The id and the entries of each message, however it was answered."""
    taken: dict = field(default_factory=dict)
    """By its id, the entries of each message that was answered well: a repeat is taken once."""
    unsigned: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, handler, body):
        """Verify a message, and answer it."""
        headers = {name.lower(): value for name, value in handler.headers.items()}
        try:
            document = Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError as error:
            self.unsigned.append(str(error))
            return self.reply(handler, 401)
        message, entries = headers["webhook-id"], document["data"]["changes"]
        with self.lock:
            self.came.append((message, entries))
            answer = self.answers.pop(0) if self.answers else 204
        if callable(answer):
            answer = answer(handler)
        if answer is None:
            return None
        if 200 <= answer < 300:
            with self.lock:
                self.taken.setdefault(message, entries)
        return self.reply(handler, answer)

    @staticmethod
    def reply(handler, status):
        """Answer with a status."""
        handler.send_response(status)
        handler.send_header("Content-Length", "0")
        if 300 <= status < 400:
            handler.send_header("Location", "/elsewhere")
        handler.end_headers()

    @property
    def entries(self):
        """All that was taken, in the order in which it was taken first."""
        return [entry for entries in self.taken.values() for entry in entries]

    @property
    def ids(self):
        """The ids of what came."""
        return [message for message, _ in self.came]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.receiver.receive(self, body)

    def log_message(self, *_):
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Stay quiet: whoever dies in the middle is the point."""


@contextmanager
def receiving(*, path="/parcels?key=canary-in-the-query", port=0):
    """Serve a receiver on loopback."""
    with _Server(("127.0.0.1", port), _Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}{path}"
        server.receiver = Receiver(url)
        with served(server):
            yield server.receiver
