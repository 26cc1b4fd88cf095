"""A real HTTP server on loopback, scripted request by request, and what stands in for the rest."""

from __future__ import annotations

import json
import threading
from collections import deque
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


__all__ = ["Answers", "FakeBudget", "FakeClock", "ScriptedServer"]


class Answers:
    """The ways in which a scripted server may treat a request; each is one step of a script."""

    @staticmethod
    def reply(body=b"", *, status=200, **headers):
        """Answer with a status, headers (underscores for dashes) and a body, given or as JSON."""
        payload = body if isinstance(body, bytes) else json.dumps(body).encode()

        def answer(handler):
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(payload)))
            handler.end_headers()
            handler.wfile.write(payload)

        return answer

    @staticmethod
    def hang_up(handler):
        """Close the connection without a word."""
        handler.close_connection = True

    @staticmethod
    def stay_silent(handler):
        """Say nothing until the test is over."""
        handler.server.over.wait(10)
        handler.close_connection = True

    @staticmethod
    def break_off(handler):
        """Promise a thousand bytes and send ten."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"orders":')
        handler.close_connection = True

    @staticmethod
    def break_chunk(handler):
        """Break a chunked body in the middle of a chunk."""
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"40\r\n{")
        handler.close_connection = True

    @staticmethod
    def drip_body(handler):
        """Send a body, one blank at a time, for as long as anybody listens."""
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        Answers._drip(handler, b" ")

    @staticmethod
    def drip_headers(handler):
        """Send one endless header, letter by letter."""
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        Answers._drip(handler, b"x")

    @staticmethod
    def flood(handler):
        """Send 50 MB, and note how much of it was taken."""
        handler.send_response(200)
        handler.send_header("Content-Length", str(50 * 1024 * 1024))
        handler.end_headers()
        for _ in range(50 * 16):
            handler.wfile.write(b" " * 65536)
            handler.server.flooded += 65536

    @staticmethod
    def _drip(handler, drop):
        while not handler.server.over.wait(0.02):
            handler.wfile.write(drop)
            handler.wfile.flush()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.received.append((self.command, self.path, dict(self.headers)))
        self.server.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        self.server.script.popleft()(self)

    def do_PUT(self):
        self.do_GET()

    def do_POST(self):
        self.do_GET()

    def do_DELETE(self):
        self.do_GET()

    def log_message(self, *_):
        pass


class ScriptedServer(ThreadingHTTPServer):
    """Plays one step of its script for each request and remembers what it received."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = deque()
        self.received = []
        self.bodies = []
        self.connections = 0
        self.flooded = 0
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def get_request(self):
        """Count the connections that are made."""
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_):
        """Stay quiet: clients that go away early are the point."""

    def plays(self, *steps):
        """Append steps to the script."""
        self.script.extend(steps)

    @property
    def paths(self):
        """The methods and paths received, in order."""
        return [(method, path) for method, path, _ in self.received]


class FakeBudget:
    """Remembers what it was asked, and can fail as a busy database does."""

    def __init__(self):
        self.spent = 0
        self.used = []
        self.pauses = []
        self.trouble = None

    def spend(self):
        """Count one request."""
        self.spent += 1

    def room(self, seconds):
        """Allow one request a second."""
        return int(seconds)

    def learn_used(self, used):
        """Remember what the platform counted."""
        self.used.append(used)
        if self.trouble:
            raise self.trouble

    def pause(self, seconds):
        """Remember how long to be quiet."""
        self.pauses.append(seconds)
        if self.trouble:
            raise self.trouble


class FakeClock:
    """A clock that moves by a fixed step whenever somebody looks at it."""

    def __init__(self, moment):
        self.moment = moment
        self.step = timedelta(0)

    def __call__(self):
        """Return the moment, and move on."""
        seen = self.moment
        self.moment += self.step
        return seen
