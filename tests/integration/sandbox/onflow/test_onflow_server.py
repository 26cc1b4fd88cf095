from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from carrierflow.sandbox.onflow import OnflowServer, serve_onflow


@pytest.fixture
def hooked():
    """An address on loopback that receives webhooks, and the event that says so."""
    heard = threading.Event()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            heard.set()

        def log_message(self, *_args):
            return

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/h/s3cret", heard
        server.shutdown()
        thread.join()


def test_answers_over_a_socket(world, code):
    """A real client over loopback gets the envelope, and a dropped connection is one."""
    with OnflowServer(world) as server:
        url = f"{server.url}/api/v1/shipments/b2c/{code}/cancel"
        reply = requests.put(url, headers={"Authorization": "token-alpha"}, timeout=5)
        stranger = requests.put(url, timeout=5)

    assert (200, True) == (reply.status_code, reply.json()["data"]["success"])
    assert (401, "UNAUTHORIZED") == (stranger.status_code, stranger.json()["error_code"])
    assert "cancelled_after_packing" == world.shipment(code).stage


def test_a_lost_reply_breaks_the_connection(world, code, faults, script):
    """The client sees no answer, and the cancel was done."""
    script("lost_reply")
    with OnflowServer(world, faults=faults) as server:
        url = f"{server.url}/api/v1/shipments/b2c/{code}/cancel"
        with pytest.raises(requests.ConnectionError):
            requests.put(url, headers={"Authorization": "token-alpha"}, timeout=5)

    assert world.shipment(code).is_cancelled


def test_webhooks_go_out_by_themselves(world, hooked):
    """A server on a port sends what is due without being asked."""
    url, heard = hooked
    world.add_account(code="beta", token="token-beta", webhook_url=url)
    with OnflowServer(world) as server:
        with server.lock:
            world.add_shipment(account="beta")
        assert heard.wait(5)
        assert world is server.onflow.world


def test_serves_until_interrupted(world):
    """`serve_onflow` says when it is ready, and closes cleanly when it is interrupted."""
    seen = []

    def ready(server):
        seen.append(server.url)
        raise KeyboardInterrupt

    serve_onflow("127.0.0.1", 0, world, ready=ready)

    assert seen[0].startswith("http://127.0.0.1:")
    with pytest.raises(requests.ConnectionError):
        requests.get(seen[0], timeout=1)
