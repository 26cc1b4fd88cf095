from __future__ import annotations

import json
import threading
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from carrierflow.sandbox.sapo import (
    SIGNATURE,
    TOKEN_HEADER,
    SapoRef,
    SapoServer,
    SapoWorld,
    event_signature,
    serve_sapo,
)

from .conftest import path_of


@pytest.fixture
def server(world, faults):
    """That platform on a port."""
    with SapoServer(world, faults=faults) as running:
        yield running


@pytest.fixture
def fetch(server):
    """Send one request over a socket, and return its status and its bytes."""

    def send(method, path, body=b"{}", *, token="token-alpha"):
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=5)
        try:
            connection.request(method, path, body, {TOKEN_HEADER: token})
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    return send


def test_a_parcel_goes_its_way_over_a_socket(fetch, parcel):
    """Shipped and received by real requests, it reads as received."""
    ref = parcel()
    for action in ("ship", "receive"):
        assert 200 == fetch("POST", f"{path_of(ref)}/{action}.json")[0]

    status, body = fetch("GET", f"/admin/orders/{ref.order_id}.json", b"")
    (row,) = json.loads(body)["order"]["fulfillments"]
    assert (200, "received") == (status, row["composite_fulfillment_status"])


def test_a_lost_reply_breaks_the_connection(fetch, parcel, script, world):
    """The client gets nothing, and the action is done all the same."""
    script("lost_reply")
    ref = parcel()

    with pytest.raises((HTTPException, OSError)):
        fetch("POST", f"{path_of(ref)}/ship")

    assert "fulfilled" == world.shop("alpha").parcel(ref)[1].state


def test_a_truncated_reply_ends_half_way(fetch, parcel, script):
    """The length that was promised does not come."""
    script("truncated_body")
    parcel()

    with pytest.raises((HTTPException, OSError)):
        fetch("GET", "/admin/orders", b"")


def test_vietnamese_is_readable_on_the_wire(fetch, parcel):
    """Refusals come as UTF-8, in the words of the documents."""
    status, body = fetch("POST", f"{path_of(parcel())}/receive")

    assert 422 == status
    assert "không thể chuyển sang 'Đã nhận'" in body.decode()


class _Hook(BaseHTTPRequestHandler):
    """Takes one webhook."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.arrived.append((self.headers[SIGNATURE], body))
        self.send_response(200)
        self.end_headers()
        self.server.has_arrived.set()

    def log_message(self, *_args):
        return


@pytest.fixture
def hook():
    """An app that takes webhooks."""
    listener = HTTPServer(("127.0.0.1", 0), _Hook)
    listener.arrived, listener.has_arrived = [], threading.Event()
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield listener
    listener.shutdown()
    thread.join()
    listener.server_close()


def test_webhooks_go_out_without_being_asked(server, fetch, parcel, hook):
    """Soon after an action the app's own server has the order, with a signature that holds."""
    address = f"http://127.0.0.1:{hook.server_address[1]}/"
    wanted = {"webhook": {"topic": "orders/update", "address": address}}
    assert 200 == fetch("POST", "/admin/webhooks.json", json.dumps(wanted).encode())[0]
    ref = parcel()
    fetch("POST", f"{path_of(ref)}/ship")

    assert hook.has_arrived.wait(5)
    ((signature, body),) = hook.arrived
    assert event_signature(body, server.world.app_secret) == signature
    assert ref.order_id == json.loads(body)["id"]


def test_a_world_is_served_until_it_is_interrupted():
    """`serve_sapo` calls back once the port is open, and closes it when it ends."""
    world = SapoWorld()
    world.add_shop(code="alpha", token="token-alpha")
    ref = SapoRef("alpha", *world.add_parcel(shop="alpha"))
    urls = []

    def ready(server):
        urls.append((server.url, server.lock is world.lock, server.sapo.world is world))
        raise KeyboardInterrupt

    serve_sapo("127.0.0.1", 0, world, ready=ready)

    ((url, *shared),) = urls
    assert [True, True] == shared
    connection = HTTPConnection(urlsplit(url).netloc, timeout=5)
    with pytest.raises(OSError, match="refused"):
        connection.request("GET", f"/admin/orders/{ref.order_id}")
