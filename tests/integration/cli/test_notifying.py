"""`notify`: who is told, what is printed, and how it ends."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from docs.pages import ROOT
from mail_server import served

from carrierflow import build, load_settings
from carrierflow.domain.incident import Finding


class Taker(BaseHTTPRequestHandler):
    """Takes every message, or answers as it was told."""

    def do_POST(self):
        self.server.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.server.answer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def taker():
    """A chat on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        server.posted, server.answer = [], 200
        with served(server):
            yield server


@pytest.fixture
def troubled(ready, taker):
    """A shell with one open incident, and a chat to tell it to."""
    url = f"http://127.0.0.1:{taker.server_address[1]}/"
    ready.environment |= {"CARRIERFLOW_NOTIFY_WEBHOOK": url}
    app = build(load_settings(database_url=ready.environment["CARRIERFLOW_DATABASE_URL"]))
    ready.file("token", "t")
    root = ("--base-url", "http://127.0.0.1", "--no-check")
    done = ready("shop", "add", "myshop", *root, "--token-file", "token")
    assert 0 == done.code
    finding = Finding(kind="stuck", sentence="It stands still.", ref=None, evidence={})
    app.reconciler.parts.store.open_incidents(app.shops.get("myshop"), [finding], now=app.now())
    app.store.engine.dispose()
    return ready


def test_a_dry_run_shows_the_message_and_sends_none(troubled, taker):
    """What would be told stands on the screen, and is told by the next real one."""
    shown = troubled("notify", "--dry-run")
    told = troubled("notify", "--json")

    assert "- myshop: stuck (incident 1): It stands still." in shown.out
    assert (0, 0) == (shown.code, told.code)
    (posted,) = taker.posted
    (telling,) = told.json["tellings"]
    assert telling["text"] == json.loads(posted)["text"]
    assert (False, False, None) == (told.json["dry_run"], told.json["quiet"], telling["problem"])


def test_a_message_that_was_not_taken_fails_and_is_told_again(troubled, taker):
    """The exit code is 1, the sentence says why, and the next run tells it."""
    taker.answer = 403
    refused = troubled("notify")
    taker.answer = 200

    assert 1 == refused.code
    assert "HTTP status 403" in refused.out + refused.err
    assert "Told by chat: 1 new." in troubled("notify").out
    assert "Nothing is new for chat." in troubled("notify").out


def test_without_anybody_to_tell_it_says_so(ready):
    """Nothing is set: that is a mistake of the settings."""
    answer = ready("notify")

    assert (1, "") == (answer.code, answer.out)
    assert "Nobody is to be told; set notify_mail_to or notify_webhook." in answer.err


def test_the_job_tells_and_fails_as_the_command_does(troubled, taker):
    """`jobs/notify_incidents.py` fails where the chat refuses, and tells it the next time."""
    once = ("schedule", "once", "notify_incidents", "--jobs", ROOT / "jobs")
    taker.answer = 500

    assert 1 == troubled(*once).code
    taker.answer = 200
    assert 0 == troubled(*once).code
    assert 2 == len(taker.posted)
