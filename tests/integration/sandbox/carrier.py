"""A carrier that answers Haravan's calls, in process or on a port, as its test wants it."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from carrierflow.sandbox.haravan import Answer, Outgoing


__all__ = ["RATE", "FakeCarrier", "bad", "good", "listening"]

RATE = {
    "service_id": 7,
    "service_name": "Giao nhanh",
    "service_code": "FAST",
    "currency": "vnd",
    "total_price": 30_000,
    "phone_required": True,
    "min_delivery_date": "2026-01-07T00:00:00Z",
    "max_delivery_date": "2026-01-08T00:00:00Z",
    "description": "",
}
TAKEN = {
    "tracking_number": "CF-1",
    "shipping_fee": 30_000,
    "tracking_url": "https://carrier.example/track/CF-1",
    "cod_amount": 0,
}


class FakeCarrier:
    """Answers by path from `says`, a reply or a function of the call; remembers what it heard."""

    def __init__(self):
        self.heard = []
        self.says = {
            "/rates": good({"rates": [RATE]}),
            "/create": good(TAKEN),
            "/detail": good({**TAKEN, "status": "Picking", "cod_status": "None"}),
            "/cancel": good({**TAKEN, "status": "Cancel", "cod_status": "None"}),
            "/webhooks": Answer(status=200),
        }

    def __call__(self, call: Outgoing) -> Answer:
        self.heard.append(call)
        reply = self.says[path_of(call.url)]
        return reply(call) if callable(reply) else reply

    def bodies(self, path):
        """Return the JSON of every call to a path."""
        return [json.loads(call.body) for call in self.heard if path_of(call.url) == path]


def path_of(url):
    return "/" + url.partition("//")[2].partition("/")[2].partition("?")[0]


def good(data):
    return Answer(status=200, body=json.dumps({"error": False, "data": data}).encode())


def bad(message, status=200):
    body = {"error": True, "message": message, "data": None}
    return Answer(status=status, body=json.dumps(body).encode())


@contextmanager
def listening(carrier):
    """Put a carrier on a port of this machine, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = f"http://{self.headers['Host']}{self.path}"
            headers = dict(self.headers.items())
            call = Outgoing(method=self.command, url=url, headers=headers, body=body)
            answer = carrier(call)
            with suppress(ConnectionError):  # whoever asked may have given up
                self.send_response(answer.status)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

        def do_GET(self):
            self.do_POST()

        def do_DELETE(self):
            self.do_POST()

        def log_message(self, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
