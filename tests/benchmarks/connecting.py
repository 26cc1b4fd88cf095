"""What a connection to one more shop costs over TLS: CPU time of this process.

The server is another process on this machine, whose certificate stands at the end of the bundle
that everybody trusts; whoever reads that bundle reads all of it.
"""

from __future__ import annotations

import multiprocessing
import ssl
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import patch

import certifi
import requests
from loopback_tls import write_certificate

from carrierflow.domain import clock
from carrierflow.platforms.http.transport import HttpLimits, Transport

from .measure import Spread, race, ratios
from .results import Budget, Figure


__all__ = ["connecting"]

OURS, ANEW, KEPT = "carrierflow", "requests, a session a shop", "requests, one kept session"

MILLISECONDS = 3
AGAINST_ANEW = 0.25


def connecting(kinds, size, folder):
    """Ask one thing of each of some shops, all of them at one host."""
    server_side, bundle = Path(folder) / "loopback.pem", Path(folder) / "bundle.pem"
    certificate = write_certificate(server_side)
    bundle.write_bytes(Path(certifi.where()).read_bytes() + certificate)
    shops = size.connected
    with (
        _server(server_side) as url,
        patch("requests.adapters.DEFAULT_CA_BUNDLE_PATH", f"{bundle}"),
    ):
        kept = requests.Session()
        contestants = {
            OURS: _Contestant(shops, lambda: _ours(url)),
            ANEW: _Contestant(shops, lambda: _anew(url, bundle)),
            KEPT: _Contestant(shops, lambda: kept.get(url, verify=bundle)),
        }
        for each in contestants.values():
            each.ask()  # what is kept is there before the first round
        timings = race(contestants, rounds=size.rounds)
        kept.close()
    where = f"{shops} shops"
    for who, found in timings.items():
        each = [1_000 * timing.busy / shops for timing in found]
        yield Figure(
            bench="one request to one more shop, over TLS",
            where=where,
            who=who,
            spread=Spread.of(each),
            unit="ms",
        )
    yield Budget(
        promise="one request to one more shop, over TLS",
        where=where,
        limit=MILLISECONDS,
        unit="ms",
        spread=Spread.of([1_000 * timing.busy / shops for timing in timings[OURS]]),
    )
    yield Budget(
        promise="one request to one more shop, against a session of requests for each",
        where=where,
        limit=AGAINST_ANEW,
        spread=ratios(timings[OURS], timings[ANEW]),
    )


class _Contestant:
    """Somebody who asks one thing of each shop."""

    def __init__(self, shops, ask):
        self._shops, self.ask = shops, ask

    def prepare(self, _number):
        """Return the work of one round."""

        def work():
            for _ in range(self._shops):
                self.ask()

        return work


def _ours(url):
    way = Transport(base_url=url, token="t" * 40, limits=HttpLimits(), now=clock.now)
    assert way.exchange("GET", "/shop.json").body
    way.close()


def _anew(url, bundle):
    with requests.Session() as session:
        assert session.get(f"{url}/shop.json", verify=bundle, timeout=10).content


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        body = b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def _server(certificate):
    spawned = multiprocessing.get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(certificate, theirs), daemon=True)
    process.start()
    try:
        yield f"https://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(certificate, pipe):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    pipe.send(server.server_address[1])
    server.serve_forever()
